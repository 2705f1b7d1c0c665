"""A data folder with a dashboard's data in it, on either database: accounts, one secret in each sealed column, files, a session."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlmodel import col

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, SEALED, SecretBox, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.models import (
    Account,
    AiConfig,
    AiProvider,
    KnowledgeDocument,
    Media,
    Operator,
    RequestKey,
    SessionCredential,
    Webhook,
    Workspace,
)
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.system.installation import adopt, sealed_columns

PICTURE = b"picture"
PICTURE_NAME = hashlib.sha256(PICTURE).hexdigest()


def settings_in(folder: Path, database_url: str | None = None, **more: Any) -> Settings:
    """Settings of a dashboard in ``folder``; its database is an SQLite file there unless another one is given."""
    if database_url and database_url.startswith("sqlite"):
        database_url = None
    return Settings(_env_file=None, data_dir=folder, database_url=database_url, **more)  # type: ignore[call-arg]


def box_of(settings: Settings) -> SecretBox:
    """The keys the program would use at its next start."""
    configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    return SecretBox(*load_keys(configured, settings.data_dir / KEY_FILE))


async def fill(settings: Settings, accounts: int = 1) -> None:
    """An installation as a dashboard leaves it: ``accounts`` of them, each with a sealed session, and one of everything else."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.database)
    box = box_of(settings)
    db = Database(settings.database)
    async with db.write() as session:
        session.add(Workspace(id="w", name="Default"))
        await session.flush()
        for number in range(accounts):
            session.add(Account(id=f"a{number}", workspace_id="w", name=f"Shop {number}", engine="sandbox", linked=True))
        await session.flush()
        for number in range(accounts):
            session.add(SessionCredential(account_id=f"a{number}", sealed=_sealed(box, f"session_credential/sealed/a{number}")))
        ana = Operator(id="o", workspace_id="w", username="ana", password_hash="x", role="owner", totp_enabled=True)
        ana.totp_secret = _sealed(box, "operator/totp_secret/o")
        session.add(ana)
        await session.flush()
        session.add(RequestKey(id="k", operator_id="o", key="key", what="POST", answer=_sealed(box, "request_key/answer/k")))
        session.add(
            Webhook(
                id="h", workspace_id="w", url="https://example.org", headers=_sealed(box, "webhook/headers/h"),
                secret=_sealed(box, "webhook/secret/h"), previous_secret=_sealed(box, "webhook/previous_secret/h"),
                url_sealed=_sealed(box, "webhook/url_sealed/h"),
            )
        )  # fmt: skip
        session.add(
            KnowledgeDocument(
                id="d", workspace_id="w", title="Prices", kind="html", url="https://example.org",
                url_sealed=_sealed(box, "knowledge_document/url_sealed/d"),
            )
        )  # fmt: skip
        await add_provider(session, box)
        session.add(Media(account_id="a0", state="stored", sha256=PICTURE_NAME, mimetype="image/png", size=len(PICTURE), filename="p.png"))
    await adopt(db, settings, box)
    await db.close()
    file = settings.media_dir / PICTURE_NAME[:2] / PICTURE_NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(PICTURE)
    sealed = settings.data_dir / "sessions" / "a0" / "session.sealed"
    sealed.parent.mkdir(parents=True)
    sealed.write_bytes(b"sealed")


async def add_provider(session: Any, box: SecretBox) -> None:
    """A provider with a key, of the first account."""
    session.add(AiConfig(account_id="a0"))
    await session.flush()
    session.add(AiProvider(id="p", account_id="a0", kind="openai", model="m", position=0, api_key=_sealed(box, "ai_provider/api_key/p")))


def secret(place: str) -> bytes:
    """What lies sealed at ``place``."""
    return f"secret of {place}".encode()


async def readable(settings: Settings) -> int:
    """How many secrets there are; asserts that the program opens each at its next start, and finds in it what was there."""
    box = box_of(settings)
    db = Database(settings.database)
    count = 0
    try:
        async with db.read() as session:
            for spot, _, query in await session.run_sync(lambda sync: sealed_columns(sync.connection())):
                for row, sealed in (await session.execute(query)).all():
                    assert box.open(sealed, spot.place(row)) == secret(spot.place(row))
                    count += 1
            assert [row[0] for row in await session.execute(select(col(Account.name)).order_by(col(Account.id)).limit(1))] == ["Shop 0"]
    finally:
        await db.close()
    return count


async def sealed_values(settings: Settings) -> dict[str, list[str]]:
    """Every text in any column of any table that looks sealed, by ``table/column``: found without knowing where secrets are."""
    db = Database(settings.database)
    found: dict[str, list[str]] = {}
    async with db.read() as session:
        for table in metadata.sorted_tables:
            for column in table.columns:
                values = await session.scalars(select(text(f'CAST("{column.name}" AS TEXT)')).select_from(table))
                like = [value for value in values if value and "v1." in value and value.count(".") >= 3]
                if like:
                    found[f"{table.name}/{column.name}"] = like
    await db.close()
    return found


def all_columns() -> set[str]:
    """The columns a rotation seals anew."""
    return {f"{spot.table}/{spot.column}" for spot in SEALED}


def _sealed(box: SecretBox, place: str) -> str:
    return box.seal(secret(place), place)
