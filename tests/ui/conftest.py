"""One running dashboard for all tests of a module, with Ana (owner), Ben (operator), Vic (viewer) and Mallory elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import registry
from tests.support.cast import PASSWORDS
from tests.support.server import Server
from tests.support.shared import Shared
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.auth.web import COOKIE

BROWSER = "Mozilla/5.0 (test)"


@dataclass
class House:
    """The running dashboard, and everything a client might call there."""

    server: Server
    handlers: list[registry.Handler]
    routes: list[registry.Route]

    @property
    def url(self) -> str:
        """Where it is."""
        return self.server.url

    @contextlib.contextmanager
    def client(self, username: str | None, **headers: str) -> Iterator[httpx.Client]:
        """An HTTP client from the dashboard's own origin, logged in unless ``username`` is None."""
        own = {"User-Agent": BROWSER, "Origin": self.url}
        with httpx.Client(base_url=self.url, headers=own, timeout=PATIENCE) as client:
            if username is not None:
                answer = client.post("/api/auth/login", json={"username": username, "password": PASSWORDS[username]})
                assert answer.status_code == 200, answer.text
            client.headers.update(headers)
            yield client

    def cookie(self, username: str) -> str:
        """The ``Cookie`` header of a fresh session."""
        with self.client(username) as client:
            return f"{COOKIE}={client.cookies[COOKIE]}"

    def headers(self, username: str) -> dict[str, str]:
        """What a browser logged in as ``username`` sends when it opens a socket."""
        return {"Origin": self.url, "Cookie": self.cookie(username), "User-Agent": BROWSER}


@pytest.fixture(scope="module")
def house(built_pages: None, shared: Shared, sqlite_with_cast: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A dashboard that runs while the module's tests do."""
    folder = tmp_path_factory.mktemp("house")
    handlers, routes = registry.listed(shared.once("registry", lambda: registry.load(folder / "unused")))
    server = Server(folder / "data", quick=True)
    server.data_dir.mkdir()
    shutil.copy(sqlite_with_cast, server.data_dir / "dashboard.db")
    server.start()
    yield House(server, handlers, routes)
    server.close()
