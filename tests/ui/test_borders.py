"""ACC-15: the border between workspaces, attacked from the other side: every route and every handler, with ids of what is really there.

Ana's workspace is filled; each thing says "canary" somewhere. Mallory owns another workspace, so no role stops her.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import registry
from tests.support.cast import PASSWORDS
from tests.support.lively import Office
from tests.support.registry import Handler, Route
from tests.support.samples import picture
from tests.support.server import Server
from tests.support.shared import Shared
from tests.support.sockets import open_tab
from tests.support.waiting import PATIENCE
from tests.ui.conftest import House
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import AiAnswer, AiCall

pytestmark = pytest.mark.slow

CANARY = "canary"
PUBLIC_ADDRESS = "https://93.184.215.14/canary-hook"
"""An address that may be dialled; nobody here can, and nobody needs to."""
IDS = {
    "account_id": "account",
    "conversation_id": "conversation",
    "message_id": "message",
    "media_id": "media",
    "note_id": "note",
    "webhook_id": "webhook",
    "delivery_id": "webhook_delivery",
    "document_id": "knowledge_document",
    "provider_id": "ai_provider",
    "operator_id": "operator",
    "session_id": "login_session",
}
"""Names of ids in paths, bodies and queries, and the tables they are from."""
FOLDERS = {
    "accounts": "account",
    "inbox": "conversation",
    "messages": "message",
    "webhooks": "webhook",
    "deliveries": "webhook_delivery",
    "knowledge": "knowledge_document",
    "chatbot": "ai_provider",
    "team": "operator",
    "profile": "login_session",
}
"""What the handlers of a page's folder name by an argument that says nothing."""
OWN = re.compile(r"/api/auth/(login|logout|token|password|second-factor.*)")


@pytest.fixture(scope="module")
def house(built_pages: None, shared: Shared, sqlite_with_cast: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A dashboard in which Ana's workspace has something of everything, and Mallory's has an account."""
    folder = tmp_path_factory.mktemp("borders")
    handlers, routes = registry.listed(shared.once("registry", lambda: registry.load(folder / "unused")))
    server = Server(folder / "data", quick=True)
    server.data_dir.mkdir()
    shutil.copy(sqlite_with_cast, server.data_dir / "dashboard.db")
    asyncio.run(fill(server.data_dir))
    server.start()
    house = House(server, handlers, routes)
    furnish(house)
    yield house
    server.close()


async def fill(data: Path) -> None:
    """What comes from WhatsApp and from providers."""
    office = await Office(Database(f"sqlite+aiosqlite:///{data / 'dashboard.db'}"), data).open()
    conversation = await office.conversation("Canary Contact", "34600555444")
    media = await office.file(picture(8, 8), "image/png", "canary.png")
    asked = await office.say(conversation, "canary question", ago=2, type="image", media_id=media)
    await office.say(conversation, "canary doubt", ago=1, mine=True, status="sent", unconfirmed=True)
    async with office.db.write() as session:
        owner = {"workspace_id": office.shop.workspace_id, "account_id": office.shop.id}
        about = {"conversation_id": conversation.id, "message_id": asked.id, "purpose": "reply", "outcome": "ok"}
        session.add(AiCall(**owner, **about, provider_kind="groq", provider_label="canary", model="canary"))
        session.add(AiAnswer(message_id=asked.id, account_id=office.shop.id, conversation_id=conversation.id, kind="answer"))
    await office.db.close()


def furnish(house: House) -> None:
    """What people make, by the API."""
    with house.client("ana") as ana:
        sure = {"current_password": PASSWORDS["ana"]}
        account = ana.get("/api/accounts").json()
        account = (account["items"] if isinstance(account, dict) else account)[0]["id"]
        conversation = ids_of(house)["conversation"]
        for method, path, body in (
            ("PATCH", f"/api/accounts/{account}", {"name": "canary shop"}),
            ("POST", f"/api/conversations/{conversation}/notes", {"text": "canary note"}),
            ("POST", "/api/webhooks", {"url": PUBLIC_ADDRESS, "name": "canary hook", "events": ["message"]}),
            ("POST", "/api/knowledge/documents", {"title": "canary document", "text": "canary opens at nine"}),
            ("POST", f"/api/accounts/{account}/ai-config/providers", {"kind": "groq", "model": "canary", "key": "canary-key-0123456789"}),
            ("POST", f"/api/accounts/{account}/ai-config", {"settings": {"prompt": "canary prompt"}}),
            ("POST", "/api/operators", {"username": "canary-operator", "role": "viewer", **sure}),
            ("POST", "/api/network/allowed", {"value": "canary.local"}),
            ("POST", "/api/credits/top-up", {"amount": 7, "description": "canary top-up"}),
        ):
            answer = ana.request(method, path, json=body)
            assert answer.is_success, (method, path, answer.text)
    with sqlite3.connect(house.server.data_dir / "dashboard.db", timeout=PATIENCE) as connection:
        deliver(connection)
    with house.client("mallory") as mallory:
        mallory.post("/api/accounts", json={"name": "Elsewhere's own", "engine": "sandbox"}).raise_for_status()


def deliver(connection: sqlite3.Connection) -> None:
    """A delivery that is over, in the log."""
    (webhook,) = connection.execute("SELECT id FROM webhook").fetchone()
    values: dict[str, dict[str, Any]] = {
        "webhook_event": {"id": "event-of-ana", "type": "message", "body": '{"canary": 1}'},
        "webhook_delivery": {
            "id": "delivery-of-ana", "webhook_id": webhook, "event_id": "event-of-ana", "event_type": "message", "state": "dead",
        },
    }  # fmt: skip
    for table, given in values.items():
        now, row = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}", dict[str, Any]()
        for _, name, kind, required, default, _ in connection.execute(f"PRAGMA table_info({table})"):
            if required and default is None and name not in given:
                row[name] = now if "DATE" in kind else "{}" if "CHAR" in kind or "JSON" in kind else 0
        row |= given
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def ids_of(house: House) -> dict[str, str]:
    """One id of Ana's workspace from each table: what was made with the word in it, where something was."""
    found = {}
    with sqlite3.connect(house.server.data_dir / "dashboard.db", timeout=PATIENCE) as connection:
        mine = "SELECT id FROM workspace WHERE name = 'Default'"
        for table in IDS.values():
            where = {
                "account": f"workspace_id IN ({mine})",
                "operator": "username = 'canary-operator'",
                "login_session": "operator_id IN (SELECT id FROM operator WHERE username = 'ana')",
            }.get(table, "1 = 1")
            row = connection.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY id LIMIT 1").fetchone()
            if row:
                found[table] = row[0]
    return found


def rows_of_ana(house: House) -> set[str]:
    """Every row that is not of Mallory's workspace, as text; what the program itself changes all the while is left out."""
    with sqlite3.connect(house.server.data_dir / "dashboard.db", timeout=PATIENCE) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'")]
        (theirs,) = connection.execute("SELECT id FROM workspace WHERE name = 'Elsewhere'").fetchone()
        left_out = ("login_", "known_", "event_cursor", "alembic", "sqlite_", "knowledge_index", "knowledge_words")
        return {
            f"{table}: {row}"
            for table in tables
            if not table.startswith(left_out)
            for row in connection.execute(f'SELECT * FROM "{table}"')
            if theirs not in row and row[0] != "sign_of_life"
        }


def filled(route: Route, ids: dict[str, str]) -> str:
    """The route's path with ids of Ana's things."""
    return re.sub(r"{([a-z_]+)(:[a-z]+)?}", lambda match: ids.get(IDS.get(match[1], ""), "x"), route.path)


def body_of(ids: dict[str, str]) -> dict[str, Any]:
    """Names every thing of Ana's in every way bodies do."""
    named = {name: ids[table] for name, table in IDS.items() if table in ids}
    return {
        **named,
        "number": "+34600555444", "message": "hello", "text": "hello", "emoji": "x", "name": "mallory", "engine": "sandbox",
        "role": "viewer", "username": "mallory-2", "current_password": PASSWORDS["mallory"], "events": ["message"],
        "url": PUBLIC_ADDRESS, "provider_ids": [ids["ai_provider"]], "ids": [ids["message"]], "quoted_id": ids["message"],
        "kind": "groq", "model": "m", "key": "****", "title": "mallory", "question": "?", "options": ["a", "b"],
    }  # fmt: skip


def test_the_filled_workspace_can_be_seen_by_its_owner(house: House) -> None:
    """ACC-15: else the sweeps below would prove nothing."""
    ids = ids_of(house)
    assert set(ids) == set(IDS.values())
    with house.client("ana") as ana:
        blind = [
            route.path
            for route in house.routes
            if route.method == "GET"
            and any(f"{{{name}}}" in route.path for name in IDS)
            and not route.path.endswith(("/qr", "/status", "ai-trace", "/checks", "/set-aside"))
            and "media" not in route.path
            and CANARY not in ana.get(filled(route, ids)).text
        ]
        assert blind == []
        assert ana.get(f"/api/media/{ids['media']}").content == picture(8, 8)


@pytest.mark.parametrize("with_body", [True, False])
def test_no_route_tells_or_changes_anything_of_another_workspace(house: House, with_body: bool) -> None:
    """ACC-15: with the ids in the path, the query and the body."""
    ids = ids_of(house)
    named = {name: ids[table] for name, table in IDS.items()}
    before = rows_of_ana(house)
    with house.client("mallory") as mallory:
        for route in house.routes:
            if OWN.fullmatch(route.path):
                continue
            path = filled(route, ids)
            body = body_of(ids) if with_body and route.method != "GET" else None
            answer = mallory.request(route.method, path, params=named, json=body)
            said = answer.text.replace("canary-operator", "") if "operators" in path and answer.status_code == 409 else answer.text
            assert CANARY not in said.lower(), (route, answer.text[:500])
            foreign = re.search(r"{(" + "|".join(IDS) + ")}", route.path)
            if foreign and route.method != "OPTIONS":
                assert answer.status_code in (403, 404, 409, 413, 422, 501, 503), (route, answer.status_code, answer.text[:300])
            assert answer.status_code != 500, (route, answer.text)
            if answer.headers.get("content-type", "").startswith(("image/", "application/octet")):
                assert answer.content != picture(8, 8)
    gone = before - rows_of_ana(house)
    assert not gone, gone


def test_lists_exports_and_counts_of_an_empty_workspace_are_empty(house: House) -> None:
    """ACC-15: without any filter too."""
    with house.client("mallory") as mallory:
        for route in house.routes:
            if route.method == "GET" and "{" not in route.path:
                answer = mallory.get(route.path)
                assert CANARY not in answer.text.lower(), (route, answer.text[:500])
        assert mallory.get("/api/network/allowed").json() == []


def argument(handler: Handler, name: str, kind: str, ids: dict[str, str]) -> Any:
    """An argument that fits its annotation and names something of Ana's."""
    folder = next((part for part in FOLDERS if f"ui___{part}___" in handler.name), "accounts")
    thing = ids[IDS.get(name, FOLDERS[folder])]
    if "dict" in kind:
        return {**body_of(ids), "id": thing, "code": "000000", "body": "hello", "note": "hello", "password": PASSWORDS["mallory"]}
    if "list" in kind:
        return [thing]
    if "bool" in kind:
        return True
    return 1 if "int" in kind or "float" in kind else thing


async def test_no_handler_tells_or_changes_anything_of_another_workspace(house: House) -> None:
    """ACC-15: every page opened with Ana's ids in its address, then every handler called with them."""
    ids = ids_of(house)
    before = rows_of_ana(house)
    pages = ["/", "/inbox", "/messages", "/accounts", "/chatbot", "/ai-usage", "/knowledge", "/webhooks", "/webhooks/deliveries"]
    pages += ["/credits", "/sandbox-phone", "/team", "/profile"]
    query = "&".join(
        f"{name}={value}"
        for name, value in {
            **{name: ids[table] for name, table in IDS.items()},
            **{name.removesuffix("_id"): ids[table] for name, table in IDS.items()},
        }.items()
    )
    async with open_tab(house.url, house.headers("mallory")) as tab:
        said = await tab.hydrate("/")
        for page in pages:
            said += await tab.hydrate(f"{page}?{query}")
        for handler in house.handlers:
            if handler.offered and "profile_state" not in handler.name:
                await tab.send(handler.name, {name: argument(handler, name, kind, ids) for name, kind in handler.arguments.items()})
        said += await tab.answers(quiet=1.0)
    told = [answer for answer in said if CANARY in json.dumps(shown(answer)).lower()]
    assert told == []
    gone = before - rows_of_ana(house)
    assert not gone, gone


def shown(answer: dict[str, Any]) -> Any:
    """An answer without what the tab itself said: its address, and the ids and words Mallory's own form held."""
    text = json.dumps(answer.get("delta") or {})
    return text.replace("canary-hook", ""), answer.get("events")


def test_the_owner_of_the_filled_workspace_is_not_told_of_the_other(house: House) -> None:
    """ACC-15: the other way round."""
    with house.client("ana") as ana:
        for route in itertools.chain(house.routes):
            if route.method == "GET" and "{" not in route.path:
                answer: httpx.Response = ana.get(route.path)
                assert "Elsewhere's own" not in answer.text, route
