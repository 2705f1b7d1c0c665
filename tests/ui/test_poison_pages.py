"""Every handler of every page takes whatever text a browser sends, and whatever the page's address says (API-1, SEC-4)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import registry
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.shared import Shared
from tests.support.sockets import open_tab
from tests.support.waiting import PATIENCE

POISON = "a\x00b\ud800"
PAGES = ("inbox", "messages", "webhooks", "webhooks/deliveries", "chatbot", "knowledge", "ai-usage", "sandbox-phone", "accounts")
NAMES = ("q", "account", "conversation", "message", "before", "webhook", "status", "cursor", "id")
QUERY = "&".join(f"{name}=a%00%ED%A0%80" for name in NAMES)
AGENT = "Mozilla/5.0 (test)"
OWN = ("log_out", "end_session", "end_all", "change_password")


@pytest.mark.timeout(200)
async def test_no_handler_fails_for_what_cannot_be_stored(
    new_server: Callable[..., Server], shared: Shared, tmp_path: Path, postgres_url: str
) -> None:
    """API-1, MSG-7, MSG-8: texts, forms and lists, with a NUL and half a surrogate pair in each; on PostgreSQL, which takes neither."""
    server = new_server(DATABASE_URL=postgres_url)
    server.start()
    handlers, _ = registry.listed(shared.once("registry", lambda: registry.load(tmp_path / "unused")))
    called = [handler for handler in handlers if handler.offered and not handler.name.endswith(OWN)]
    assert len(called) > 100
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, headers={"User-Agent": AGENT, "Origin": server.url}) as browser:
        logged_in = await browser.post("/api/auth/login", json={"username": OWNER, "password": OWNER_PASSWORD})
        account = (await browser.post("/api/accounts", json={"name": "Shop", "engine": "sandbox"})).json()["id"]
        headers = {"Origin": server.url, "Cookie": f"wa.sid={browser.cookies['wa.sid']}", "User-Agent": AGENT}
        assert logged_in.status_code == 200
        async with open_tab(server.url, headers) as tab:
            for page in PAGES:
                await tab.hydrate(f"/{page}?{QUERY}")
            for handler in called:
                await tab.send(handler.name, _arguments(handler, POISON), f"/?{QUERY}")
                await tab.send(handler.name, _arguments(handler, account), f"/?{QUERY}")
                await tab.send(handler.name, _arguments(handler, ""), f"/?{QUERY}")
            with contextlib.suppress(TimeoutError):  # open pages may go on telling what changes
                await tab.answers(quiet=2.0)
    for trouble in ("0x00", "UnicodeEncodeError", "invalid byte sequence", "surrogates not allowed"):
        assert trouble not in server.log, server.log[max(0, server.log.index(trouble) - 3_000) :][:4_000]


def _arguments(handler: registry.Handler, text: str) -> dict[str, Any]:
    form = dict.fromkeys(("username", "name", "text", "body", "title", "number", "note", "message", "question", "url", POISON), text)

    def one(kind: str) -> Any:
        if "dict" in kind:
            return form
        if "list" in kind:
            return [text]
        if "bool" in kind:
            return True
        return 1 if "int" in kind or "float" in kind else text

    return {name: one(kind) for name, kind in handler.arguments.items()}
