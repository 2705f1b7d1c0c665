"""Starts and ends the dashboard: build if needed, serve on one port in one process, stop in order within ten seconds (SEC-9).

python -m whatsapp_dashboard.serve
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import structlog
import uvicorn

from whatsapp_dashboard.config import ConfigError, Settings, load_settings
from whatsapp_dashboard.core.crypto import CryptoError
from whatsapp_dashboard.core.logging import configure_logging
from whatsapp_dashboard.serving import descriptors
from whatsapp_dashboard.serving.acceptor import Acceptor
from whatsapp_dashboard.serving.door import Door, Limits
from whatsapp_dashboard.serving.protocols import HttpConnection, PageSocket
from whatsapp_dashboard.system.preflight import prepare_data_folder, prepare_installation, wait_for_database
from whatsapp_dashboard.system.private_files import begin_privately
from whatsapp_dashboard.ui.build import BuildError, ensure_built

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parent.parent
REQUESTS_SECONDS = 2
"""How long running requests may take to finish at the end; the runtime then has the rest."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open. HTTP clients keep theirs for 5 to 60 s: if we closed first, a request could be on its way
into a connection that ends, and fail for no reason a client can see."""
STOP_SECONDS = 9.5
"""After this long a stop that hangs is cut, together with all child processes."""


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    os.chdir(ROOT)
    files = descriptors.raise_limit()
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        for_pages = begin_privately()
        locks = prepare_data_folder(settings)
        listening = bind(settings)
        wait_for_database(settings, say)
        prepare_installation(settings, say)
        os.umask(for_pages)
        ensure_built(ROOT, say=say)
        begin_privately()
    except (ConfigError, CryptoError, BuildError) as error:
        say(str(error))
        return 2
    os.environ.update({"__REFLEX_SKIP_COMPILE": "true", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true", "REFLEX_ENV_MODE": "prod"})
    started = time.monotonic()
    try:
        app = import_module("whatsapp_dashboard.whatsapp_dashboard").app()
    except (ConfigError, CryptoError) as error:
        say(str(error))
        return 2
    door = Door(limits(settings, files))
    server = Server(_config(app, settings, door), settings, door, started)
    server.run(sockets=[listening])
    locks.free()
    return 0 if server.started else 1


class Server(uvicorn.Server):
    """uvicorn with our own beginning (says where it is), way of taking connections, and end (in order, and never longer than the limit)."""

    def __init__(self, config: uvicorn.Config, settings: Settings, door: Door, began: float) -> None:
        super().__init__(config)
        self._settings = settings
        self._door = door
        self._began = began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell where."""
        await super().startup([])
        if not self.started:
            return
        given = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
        for listening in sockets or []:
            acceptor = Acceptor(listening, self._door, partial(HttpConnection, self._door, **given))
            acceptor.start()
            self.servers.append(acceptor)  # type: ignore[arg-type]  # it has the two methods that are called
        from whatsapp_dashboard import runtime

        password = runtime.current().auth.first_password
        if password:
            say(f"First log-in: user {self._settings.dashboard_username}, password {password}")
            say("This password is shown only once. Change it on your profile page.")
        say(f"Ready at {self._settings.public_url} after {time.monotonic() - self._began:.1f} s; Ctrl-C stops it")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops in order; a second one means at once, and still takes the child processes along."""
        if self.should_exit:
            cut("Stopped at once")
        say("Stopping")
        self.should_exit = True
        watchdog = threading.Timer(STOP_SECONDS, cut, ["The stop took too long and was cut"])
        watchdog.daemon = True
        watchdog.start()


def bind(settings: Settings) -> socket.socket:
    """The listening address, taken before anything else starts. Raises :class:`ConfigError` when it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.dashboard_host, settings.dashboard_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        where = f"{settings.dashboard_host}:{settings.dashboard_port}"
        raise ConfigError(
            f"DASHBOARD_HOST and DASHBOARD_PORT: cannot listen on {where} ({error.strerror}). Stop what uses it, or choose"
            " another port with DASHBOARD_PORT."
        ) from None
    listening.set_inheritable(False)
    return listening


def limits(settings: Settings, files: int) -> Limits:
    """The limits of connections, when ``files`` may be open."""
    most = descriptors.for_connections(files, settings.http_connections)
    if most < settings.http_connections:
        log.warning("fewer connections than HTTP_CONNECTIONS: raise the limit of open files (ulimit -n)", connections=most, files=files)
    return Limits(
        connections=most,
        per_address=min(settings.http_connections_per_address, most) or max(1, most // 2),
        header_seconds=settings.http_header_seconds,
        idle_seconds=KEEP_ALIVE_SECONDS,
        exempt=[ip_network(network, strict=False) for network in settings.trusted_proxies],
    )


def cut(reason: str) -> None:
    """End this process and everything it started, now."""
    say(reason)
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    os._exit(128 + signal.SIGTERM)


def say(line: str) -> None:
    """A line for the person at the terminal."""
    print(line, file=sys.stderr, flush=True)


def _config(app: Any, settings: Settings, door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws=partial(PageSocket, door),  # type: ignore[arg-type]  # it is only ever called
        ws_max_size=1_000_000,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=REQUESTS_SECONDS,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )


if __name__ == "__main__":
    sys.exit(main())
