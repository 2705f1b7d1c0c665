"""One running dashboard for all tests of a module, with Ana (owner), Ben (operator) and Vic (viewer)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import registry
from tests.support.dashboard import BROWSER, OWNER_PASSWORD, Dashboard
from whatsapp_dashboard.auth.web import COOKIE


@dataclass
class House:
    """The running dashboard and the passwords of its people."""

    dashboard: Dashboard
    passwords: dict[str, str]
    handlers: list[registry.Handler]
    routes: list[registry.Route]

    @property
    def url(self) -> str:
        """Where it is."""
        return self.dashboard.url

    @contextlib.contextmanager
    def client(self, username: str | None, **headers: str) -> Iterator[httpx.Client]:
        """An HTTP client logged in as ``username``."""
        with self.dashboard.client(username, self.passwords.get(username or "", "")) as client:
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
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A dashboard that runs while the module's tests do."""
    folder: Path = tmp_path_factory.mktemp("house")
    handlers, routes = registry.load(folder / "data")
    with Dashboard(folder / "data").running() as dashboard:
        passwords = {"ana": OWNER_PASSWORD}
        for name, role in (("ben", "operator"), ("vic", "viewer")):
            passwords[name] = dashboard.add_operator(name, role)
        yield House(dashboard, passwords, handlers, routes)
