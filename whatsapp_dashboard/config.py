"""Settings from the environment, checked at start; a bad one stops the start with a sentence that names it (SEC-8)."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIN_PASSWORD = 12


class ConfigError(Exception):
    """The settings cannot be used; the text names each bad one and says what is expected."""


class Settings(BaseSettings):
    """Everything that is decided outside the program. Names in the environment are the field names in capitals; each may
    also be given as ``NAME_FILE``, a file that holds the value."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    dashboard_username: Annotated[str, Field(min_length=1, max_length=64)] = "admin"
    """User name of the first operator, made at the first start."""
    dashboard_password: SecretStr | None = None
    """Password of the first operator; generated and printed once when absent (SEC-1)."""
    dashboard_host: str = "127.0.0.1"
    """Address to listen on; ``0.0.0.0`` to be reached from other machines."""
    dashboard_port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    """Port to listen on."""
    dashboard_url: str | None = None
    """Where people reach the dashboard, for instance ``https://chat.example.org``; decides cookies and allowed origins."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Further web origins that may call the API with a browser, separated by commas."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses or networks whose ``X-Forwarded-*`` headers are believed, separated by commas."""
    http_connections: Annotated[int, Field(ge=10, le=60_000)] = 4_000
    """Connections that may be open at once, each open page among them; fewer when the system allows too few open files."""
    http_connections_per_address: Annotated[int, Field(ge=0, le=60_000)] = 0
    """The same for one address, without trusted proxies; 0 means half of all."""
    http_header_seconds: Annotated[float, Field(gt=0, le=300)] = 15
    """How long the header of a request may take; then the connection is closed (API-4)."""

    data_dir: Path = Path("data")
    """Folder for the database, media, key and sessions."""
    database_url: str | None = None
    """``postgresql://user:password@host/database``; without it an SQLite file in the data folder."""
    encryption_key: SecretStr | None = None
    """32 bytes as base64; without it a key file in the data folder is made and used (SEC-7)."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log lines that are written."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """``auto`` writes text to a terminal and JSON elsewhere."""

    sandbox_world: str | None = None
    """Unix socket of a sandbox world that runs as its own process; without it one runs inside the dashboard."""
    multidevice_sessions_per_host: Annotated[int, Field(ge=1, le=50)] = 8
    """How many real numbers share one engine process: fewer is safer when one crashes, more needs less memory."""
    multidevice_proxy: str | None = None
    """``http://``, ``https://`` or ``socks5://`` proxy by which real numbers reach WhatsApp."""
    multidevice_peer: Path | None = None
    """For development only: the file in which a protocol peer describes itself; real numbers then talk to it, not to WhatsApp."""
    probe_seconds: Annotated[float, Field(gt=0, le=3_600)] = 30
    """How often each connected session is asked for a sign of life (ACC-9)."""
    engine_call_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    """Time limit of every call into an engine (ACC-6)."""
    media_max_mb: Annotated[int, Field(ge=1, le=2_000)] = 64
    """Largest file kept or sent, in MiB; documents may have this much, other kinds at most their WhatsApp limits (MSG-9)."""

    ready_needs_ai_providers: bool = False
    """Whether ``/health/ready`` says no while an account has AI on and no provider to ask (OBS-5)."""
    knowledge_max_mb: Annotated[int, Field(ge=1, le=200)] = 20
    """Largest file of the knowledge base, in MiB (AI-5)."""

    webhook_concurrency: Annotated[int, Field(ge=1, le=100)] = 10
    """Requests that run at once to one webhook's endpoint (HOOK-5)."""
    webhook_hold_hours: Annotated[float, Field(gt=0, le=8_760)] = 72
    """How long deliveries wait for an endpoint that is paused, switched off or keeps failing, before they are dead letters."""
    webhook_log_days: Annotated[float, Field(gt=0, le=3_650)] = 30
    """How long finished deliveries stay in the delivery log, and can be replayed."""

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("dashboard_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_PASSWORD:
            raise ValueError(f"must have at least {MIN_PASSWORD} characters")
        return value

    @field_validator("dashboard_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value.strip().rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise ValueError("must be like https://chat.example.org, without a path")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("multidevice_proxy")
    @classmethod
    def _proxy(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https", "socks5") or not parts.hostname:
                raise ValueError("must be like socks5://127.0.0.1:1080 or http://proxy.example.org:8080")
        return value

    @field_validator("multidevice_peer")
    @classmethod
    def _peer(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}; start the peer first: python -m tests.peer")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.org")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network, strict=False)
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, _, rest = value.partition("://")
        if scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
            return "postgresql+asyncpg://" + rest
        if scheme in ("sqlite", "sqlite+aiosqlite"):
            return "sqlite+aiosqlite://" + rest
        raise ValueError("must begin with postgresql:// or sqlite:///")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'dashboard.db'}"

    @property
    def public_url(self) -> str:
        """Where people reach the dashboard."""
        host = "localhost" if self.dashboard_host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.dashboard_host  # noqa: S104
        return self.dashboard_url or f"http://{host}:{self.dashboard_port}"

    @property
    def secure_cookies(self) -> bool:
        """Whether people come by HTTPS, so that cookies may insist on it (SEC-2)."""
        return self.public_url.startswith("https://")

    @property
    def media_dir(self) -> Path:
        """Where files of messages are kept (MSG-9)."""
        return self.data_dir / "media"


def load_settings() -> Settings:
    """Read the settings. Raises :class:`ConfigError` with one sentence per bad one."""
    try:
        return Settings(**_from_files())
    except ValidationError as error:
        lines = []
        for item in error.errors():
            name = str(item["loc"][0]).upper() if item["loc"] else "settings"
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {message}")
        raise ConfigError("The settings cannot be used. " + " ".join(line + "." for line in lines)) from None


def _from_files() -> dict[str, Any]:
    """Values given as ``NAME_FILE`` (how container platforms hand over secrets)."""
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        path = os.environ.get(f"{name.upper()}_FILE")
        if path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigError(f"{name.upper()}_FILE cannot be read: {error.strerror} ({path}).") from None
    return values
