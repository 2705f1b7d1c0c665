"""SEC-4: Reflex's interface, attacked with bare sockets. The sweeps enumerate the event registry of the real app, so that a
handler added later is covered by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.cast import PASSWORDS
from tests.support.registry import Handler
from tests.support.sockets import HYDRATE, STATE, Refused, events_of, open_tab, vars_of
from tests.support.waiting import PATIENCE
from tests.ui.conftest import BROWSER, House

pytestmark = pytest.mark.slow

SHELL = f"{STATE}.whatsapp_dashboard___ui___state____page_state.whatsapp_dashboard___ui___session____shell_state"
_FRAMEWORK = ("hydrate", "hydrate_and_load", "set_is_hydrated", "on_load_internal")
"""Reflex's own handlers that its client needs; they change nothing but the tab's own state."""
_VOLATILE = {"login_session", "login_attempt", "alembic_version"}
"""Tables that a session changes by existing."""


def arguments(handler: Handler, ids: list[str]) -> dict[str, Any]:
    """Arguments that fit the handler's annotations and name things that exist."""
    form = dict.fromkeys(
        ("username", "name", "text", "body", "password", "current_password", "new_password", "repeated", "title", "number", "note"),
        "mallory-was-here-12345",
    ) | {"role": "owner", "id": ids[0], "account_id": ids[0], "code": "000000", "engine": "sandbox"}

    def one(name: str, kind: str) -> Any:
        if "dict" in kind:
            return form
        if "list" in kind:
            return ids[:1]
        if "bool" in kind:
            return True
        if "int" in kind or "float" in kind:
            return 1
        return "owner" if name == "role" else ids[0]

    return {name: one(name, kind) for name, kind in handler.arguments.items()}


def stored(house: House) -> dict[str, list[Any]]:
    """Everything in the database that a refused event must not have changed."""
    with sqlite3.connect(house.server.data_dir / "dashboard.db") as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: sorted(map(str, connection.execute(f'SELECT * FROM "{name}"').fetchall())) for name in names if name not in _VOLATILE}


def existing_ids(house: House) -> list[str]:
    """Ids of things in the database, operators first."""
    with sqlite3.connect(house.server.data_dir / "dashboard.db") as connection:
        return [row[0] for row in connection.execute("SELECT id FROM operator WHERE username = 'ben'")]


@pytest.mark.parametrize("path", ["/_event/", "/_event"])
@pytest.mark.parametrize(
    "attack", ["no cookie", "made-up cookie", "logged out", "other browser", "foreign origin", "no origin", "null origin", "near origin"]
)
async def test_no_socket_opens_without_a_running_session_and_the_exact_origin(house: House, attack: str, path: str) -> None:
    """SEC-4"""
    headers = house.headers("ana")
    changes: dict[str, dict[str, str | None]] = {
        "no cookie": {"Cookie": None},
        "made-up cookie": {"Cookie": "wa.sid=" + "x" * 43},
        "logged out": {},
        "other browser": {"User-Agent": "Other/1"},
        "foreign origin": {"Origin": "https://evil.example"},
        "no origin": {"Origin": None},
        "null origin": {"Origin": "null"},
        "near origin": {"Origin": house.url + "0"},
    }
    if attack == "logged out":
        with house.client(None, Cookie=headers["Cookie"]) as client:
            assert client.post("/api/auth/logout").status_code == 204
    tried = {name: value for name, value in {**headers, **changes[attack]}.items() if value is not None}
    with pytest.raises(Refused):
        async with open_tab(house.url, tried, path=path):
            pass


async def test_a_browser_with_a_session_gets_its_own_page_state_and_never_its_cookie(house: House) -> None:
    """SEC-2, SEC-4"""
    headers = house.headers("ben")
    async with open_tab(house.url, headers) as tab:
        answers = await tab.hydrate("/")
    assert vars_of(answers)[f"{SHELL}.username"] == "ben"
    assert headers["Cookie"].partition("=")[2] not in str(answers)


async def test_every_handler_is_closed_to_a_socket_whose_session_has_ended(house: House) -> None:
    """SEC-4: the session's row is gone, deleted by another process, while the socket is still open."""
    ids, swept = existing_ids(house), False
    for _ in range(4):  # the guard closes such sockets at its next look, which may come before all events are sent
        async with open_tab(house.url, house.headers("ana")) as tab:
            await tab.hydrate("/")
            with sqlite3.connect(house.server.data_dir / "dashboard.db", timeout=PATIENCE) as connection:
                connection.execute("DELETE FROM login_session")
            await asyncio.sleep(1.2)  # a checked session is believed for one second
            before = stored(house)
            try:
                for handler in house.handlers:
                    await tab.send(handler.name, arguments(handler, ids))
                swept = True
            except ConnectionClosed:
                pass
            answers = await tab.answers(quiet=PATIENCE)
            assert await tab.closed_within(PATIENCE), "the socket of an ended session is closed"
        assert not vars_of(answers), "no page state for an ended session"
        assert set(events_of(answers)) <= {"_call_script"}, "only the way to the login page"
        assert stored(house) == before
        if swept and answers:
            return
    raise AssertionError("no sweep got through before the socket was closed")


async def test_no_handler_that_pages_do_not_offer_can_be_called_even_by_an_owner(house: House) -> None:
    """SEC-4: undecorated methods, `setvar` and `set_*` of every state."""
    closed = [h for h in house.handlers if not h.offered and h.name.rpartition(".")[2] not in _FRAMEWORK]
    assert len(closed) > 5
    async with open_tab(house.url, house.headers("ana")) as tab:
        await tab.hydrate("/")
        for handler in closed:
            for name, value in (("rank", 2), ("username", "root"), ("is_hydrated", False)):
                payload = {**arguments(handler, ["x"]), **({"var_name": name, "value": value} if "var_name" in handler.arguments else {})}
                await tab.send(handler.name, payload)
        answers = await tab.answers()
        assert not vars_of(answers)
        assert not events_of(answers)
        again = vars_of(await tab.hydrate("/"))
    assert (again[f"{SHELL}.username"], again[f"{SHELL}.rank"]) == ("ana", 2)


async def test_a_viewer_changes_nothing_whatever_handler_is_called(house: House) -> None:
    """SEC-4, SEC-6: every entry of the registry, with arguments that name real things."""
    ids = existing_ids(house)
    own = "profile_state"  # one's own password, sessions and second factor are everybody's own affair
    async with open_tab(house.url, house.headers("vic")) as tab:
        await tab.hydrate("/")
        before = stored(house)
        for handler in house.handlers:
            if own not in handler.name:
                await tab.send(handler.name, arguments(handler, ids))
        await tab.answers(quiet=1.0)
    assert stored(house) == before


async def test_a_viewer_sees_nothing_of_what_is_the_owners(house: House) -> None:
    """SEC-6"""
    async with open_tab(house.url, house.headers("vic")) as tab:
        answers = await tab.hydrate("/team")
    assert "ben" not in str(answers)


async def test_another_sessions_tab_is_empty_for_whoever_takes_its_name(house: House) -> None:
    """SEC-4: a client token can be reused after a disconnect; the state behind it cannot."""
    async with open_tab(house.url, house.headers("ana")) as tab:
        assert "ana" in str(vars_of(await tab.hydrate("/team")))
        name = tab.token
    await asyncio.sleep(0.2)
    async with open_tab(house.url, house.headers("vic"), token=name) as stolen:
        await stolen.send(f"{SHELL}.show_drawer", {"value": True})
        answers = await stolen.hydrate("/")
    assert "ana" not in [value for value in vars_of(answers).values() if isinstance(value, str)]
    assert "ben" not in str(answers)


async def test_logging_out_closes_the_open_sockets_of_that_session_at_once(house: House) -> None:
    """SEC-4"""
    leaving, staying = house.headers("ben"), house.headers("ben")
    async with open_tab(house.url, leaving) as gone, open_tab(house.url, staying) as there:
        await gone.hydrate("/")
        await there.hydrate("/")
        with house.client(None, Cookie=leaving["Cookie"]) as client:
            client.post("/api/auth/logout")
        assert await gone.closed_within(3), "not at the guard's next look, which comes every five seconds"
        assert vars_of(await there.hydrate("/"))[f"{SHELL}.username"] == "ben"


async def test_the_state_is_new_at_each_hydrate(house: House) -> None:
    """SEC-4"""
    async with open_tab(house.url, house.headers("ben")) as tab:
        await tab.hydrate("/")
        assert vars_of(await tab.call(f"{SHELL}.show_drawer", {"value": True}))[f"{SHELL}.drawer_open"] is True
        assert vars_of(await tab.hydrate()).get(f"{SHELL}.drawer_open") is False


async def test_garbage_on_a_socket_leaves_the_dashboard_standing(house: House) -> None:
    """SEC-4"""
    async with open_tab(house.url, house.headers("ben")) as tab:
        for name, payload in (
            ("", {}),
            ("no.such.handler", {"x": 1}),
            (HYDRATE, {"vars": {"a.b": 1}}),
            (f"{SHELL}.load", {"extra": "x" * 9_999}),
        ):
            await tab.send(name, payload)
        await tab.answers()
    async with open_tab(house.url, house.headers("ben")) as tab:
        assert vars_of(await tab.hydrate("/"))[f"{SHELL}.username"] == "ben"


def test_nothing_of_reflexs_http_interface_answers(house: House) -> None:
    """SEC-4: no upload, no polling socket, no ping, no health, neither with a session nor without."""
    for username in (None, "ana"):
        with house.client(username) as client:
            for method, path in (
                ("POST", "/_upload"),
                ("GET", "/_upload/x.png"),
                ("GET", "/_event/?EIO=4&transport=polling"),
                ("POST", "/_event/"),
                ("GET", "/ping"),
                ("GET", "/_health"),
                ("GET", "/_all_routes"),
                ("POST", "/"),
                ("PUT", "/team"),
            ):
                answer = client.request(method, path)
                assert answer.status_code == 404, (method, path, answer.status_code)


def test_pages_send_strangers_to_the_login_page_and_back_after_it(house: House) -> None:
    """SEC-1, SEC-4"""
    with house.client(None) as client:
        answer = client.get("/team?x=1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fteam%3Fx%3D1")
        page = client.get(answer.headers["location"])
        assert 'value="/team?x=1"' in page.text
        form = {"username": "ana", "password": PASSWORDS["ana"], "next": "/team?x=1"}
        done = client.post("/api/auth/login", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/team?x=1")
        assert client.get("/team").status_code == 200
        for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
            assert client.post("/api/auth/login", data={**form, "next": evil}).headers["location"] == "/"


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "{{script}}", "x' onfocus='alert(1)"])
def test_the_login_page_shows_what_the_address_says_only_as_text(house: House, hostile: str) -> None:
    """SEC-5"""
    with house.client(None) as client:
        page = client.get("/login", params={"username": hostile, "next": "/" + hostile, "error": hostile, "minutes": hostile}).text
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "onfocus='alert" not in page


def test_a_cookie_given_out_before_the_log_in_is_not_kept(house: House) -> None:
    """SEC-2: fixation."""
    with house.client(None) as client:
        client.cookies.set("wa.sid", "planted")
        answer = client.post("/api/auth/login", json={"username": "ana", "password": PASSWORDS["ana"]})
        cookie = answer.headers["set-cookie"]
        assert "planted" not in cookie
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))


def test_every_answer_carries_the_security_headers(house: House) -> None:
    """SEC-5"""
    with house.client("ana") as client:
        for path in ("/", "/login", "/team", "/app.css", "/api/auth/user", "/api/none", "/_upload", "/no/such/page"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert "unsafe-inline" not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0], path
            assert headers["referrer-policy"] == "same-origin", path


def test_the_browser_name_in_the_tests_is_the_one_sessions_are_tied_to(house: House) -> None:
    """SEC-2"""
    with house.client("ana", **{"User-Agent": BROWSER + "x"}) as client:
        assert client.get("/api/auth/user").status_code == 401
