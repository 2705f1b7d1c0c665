"""The guard: Reflex's own interface is closed unless a running session opens it (SEC-4).

Two halves. :class:`Guard` stands before everything as ASGI middleware and decides who gets a page or a socket.
:class:`EventGate` stands before every event handler, because a socket keeps the headers it was opened with for life.
"""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

import structlog
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, OnLoadInternalState, State, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from whatsapp_dashboard import runtime
from whatsapp_dashboard.auth import web
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.ui import wrong_address
from whatsapp_dashboard.ui.live import is_following
from whatsapp_dashboard.ui.login.page import login_page
from whatsapp_dashboard.ui.outage import load_again, outage_page
from whatsapp_dashboard.ui.state import SESSION_HEADER, current_session_id, explain, is_callable, to_login

SOCKET_PATHS = frozenset({"/_event", "/_event/"})
CHECK_SECONDS = 5.0
"""How often open sockets are checked against their session's row, for sessions that ended elsewhere or by time."""
_BOUND, _LOADED = "_wa_session_id", "_wa_page"
PAGE = "page"
"""By which the browser (assets/once.js) names one loading of a page, over broken connections."""
_ENDED, _REFUSED = 4401, 4403

log = structlog.get_logger(__name__)


class Guard:
    """ASGI middleware around the pages and their socket. ``api_prefixes`` are left to the API's own gate."""

    def __init__(self, app: Any, settings: Settings, api_prefixes: tuple[str, ...]) -> None:
        self._app = app
        self._settings = settings
        self._api = api_prefixes
        self._origins = web.Origins(settings)
        self._sockets: dict[str, set[asyncio.Event]] = defaultdict(set)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass, redirect to the login page, or refuse."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] != "http" or self._is_api(scope["path"]):
            await self._app(scope, receive, send)
        else:
            response = await self._page(web.Request(scope))
            if response is None and not _is_file(scope["path"]) and not scope["path"].endswith("/"):
                # A page is a folder with an index.html; asking for that at once saves the browser a redirect.
                scope = {**scope, "path": scope["path"] + "/"}
            await (response or self._app)(scope, receive, send)

    def end(self, session_ids: Iterable[str]) -> None:
        """Close the sockets of these sessions now."""
        for session_id in session_ids:
            for ended in self._sockets.pop(session_id, ()):
                ended.set()

    async def watch(self) -> None:
        """Close sockets whose session has ended by time or in another process. Runs until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for session_id in list(self._sockets):
                if await runtime.current().auth.principal_of_session(session_id, roll=False) is None:
                    self.end([session_id])

    def _is_api(self, path: str) -> bool:
        return any(path == prefix or path.startswith(prefix + "/") for prefix in self._api)

    async def _page(self, request: web.Request) -> Response | None:
        """The answer to a page request, or None when the pages may answer it."""
        if request.path.rstrip("/") == wrong_address.PATH and request.method in ("GET", "HEAD"):
            return wrong_address.wrong_address(request, self._origins, self._settings)
        if request.path.startswith("/_") or request.path == "/ping" or request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Not found", 404)
        if _is_file(request.path):
            return None
        cookie = request.cookie
        program = runtime.current()
        try:
            who = await program.auth.authenticate(cookie, request.user_agent) if cookie else None
            if who is not None and program.db.away_since is not None:
                await program.db.ping()  # the session may have been remembered; the page needs more
        except DatabaseAway:
            return outage_page()
        if request.path.rstrip("/") == "/login":
            return login_page(request) if who is None else RedirectResponse("/", 303)
        if who is not None:
            return None
        target = request.path + ("?" + query if (query := request.scope.get("query_string", b"").decode("latin-1")) else "")
        return RedirectResponse("/login" + ("?" + urlencode({"next": target}) if target != "/" else ""), 303)

    async def _socket(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = web.Request(scope)
        cookie = request.cookie
        who = None
        if request.path in SOCKET_PATHS and self._origins.is_own(request.header("origin"), request.header("host")):
            with suppress(DatabaseAway):  # the page asks again
                who = await runtime.current().auth.authenticate(cookie, request.user_agent) if cookie else None
        if who is None:
            await receive()
            await send({"type": "websocket.close", "code": _REFUSED})
            return
        # The secret stays here: what runs behind knows the session by its id alone.
        hidden = {b"cookie", b"origin", b"authorization", SESSION_HEADER.encode()}
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in hidden]
        headers.append((SESSION_HEADER.encode(), who.session_id.encode()))
        await self._bounded({**scope, "headers": headers}, receive, send, who.session_id)

    async def _bounded(self, scope: dict[str, Any], receive: Any, send: Any, session_id: str) -> None:
        """Run the socket until it ends or its session does."""
        ended = asyncio.Event()
        self._sockets[session_id].add(ended)
        over = asyncio.ensure_future(ended.wait())
        closed = False

        async def receive_or_end() -> dict[str, Any]:
            if not ended.is_set():
                message = asyncio.ensure_future(receive())
                try:
                    await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not message.done():
                        message.cancel()
                if message.done() and not message.cancelled() and not ended.is_set():
                    return dict(message.result())
            return {"type": "websocket.disconnect", "code": _ENDED}

        async def send_while_valid(message: dict[str, Any]) -> None:
            nonlocal closed
            if ended.is_set() or closed:
                return
            closed = message["type"] == "websocket.close"
            await send(message)

        # The session may have ended between the check and the registration above.
        with suppress(DatabaseAway):  # watch() asks again
            if await runtime.current().auth.principal_of_session(session_id, roll=False) is None:
                ended.set()
        try:
            await self._app(scope, receive_or_end, send_while_valid)
        finally:
            over.cancel()
            self._sockets[session_id].discard(ended)
            if not self._sockets[session_id]:
                self._sockets.pop(session_id, None)
            if ended.is_set() and not closed:
                await send({"type": "websocket.close", "code": _ENDED})


class EventGate(Middleware):
    """Checks each event again: is the session still there, may this handler be called at all, is the state this session's."""

    async def preprocess(self, app: Any, state: BaseState, event: Event) -> StateUpdate | None:
        """None lets the event through; anything else is the whole answer."""
        root = state._get_root_state()
        session_id = current_session_id()
        registered = RegistrationContext.get().event_handlers.get(event.name)
        handler = registered.handler.fn if registered else None
        try:
            who = await runtime.current().auth.principal_of_session(session_id) if session_id else None
        except DatabaseAway as error:
            answer = load_again() if handler in _framework() or is_following(handler) else explain(error)
            return StateUpdate(events=Event.from_event_type(answer))
        if who is None:
            root.reset()
            root._clean()
            root.__dict__.pop(_BOUND, None)
            root.__dict__.pop(_LOADED, None)
            return StateUpdate(events=Event.from_event_type(to_login()))
        if handler is None or not (is_callable(handler) or handler in _framework()):
            log.warning("refused an event that no page offers", event_name=event.name, operator=who.username)
            return StateUpdate()
        page = event.router_data.get(PAGE)
        loaded = event.name in _hydrating() and (not page or root.__dict__.get(_LOADED) != page)
        if root.__dict__.get(_BOUND) != session_id or loaded:
            # A tab's name is no secret: whoever brings another session gets nothing of what was there before. A page whose connection
            # was only broken keeps what it shows: an open dialog, and what was typed into it.
            root.reset()
            root.__dict__[_BOUND], root.__dict__[_LOADED] = session_id, page
        return None


@functools.cache
def _framework() -> frozenset[Any]:
    """Reflex's own handlers that its client needs. Not among them: everything that sets vars."""
    return frozenset(
        {
            State.event_handlers["hydrate"].fn,
            State.event_handlers["hydrate_and_load"].fn,
            State.event_handlers["set_is_hydrated"].fn,
            OnLoadInternalState.event_handlers["on_load_internal"].fn,
            OnLoadInternalState.event_handlers["set_is_hydrated"].fn,
        }
    )


@functools.cache
def _hydrating() -> frozenset[str]:
    name = State.get_full_name()
    return frozenset({f"{name}.hydrate", f"{name}.hydrate_and_load"})


def _is_file(path: str) -> bool:
    """Whether ``path`` is a file of the built front end (scripts, styles, pictures), which hold nothing private."""
    return bool(PurePosixPath(path).suffix) and not path.endswith(".html")
