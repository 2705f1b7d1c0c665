"""What every page's State is built on: who is asking, the services, and event handlers that are safe by default.

Reflex lets any client call any public method of a State. Here only methods marked with :func:`action`,
:func:`background` or :func:`aside` can be called; the guard refuses all others (SEC-4). Helper methods begin with an underscore.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import reflex as rx
import structlog
from reflex_base.event import EventSpec
from reflex_base.event.context import EventContext

from whatsapp_dashboard import runtime
from whatsapp_dashboard.core import once
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, Unauthenticated
from whatsapp_dashboard.text import clean, clean_all
from whatsapp_dashboard.ui.components.toasts import toast_error, toast_ok
from whatsapp_dashboard.ui.presses import answered, pressed, request_of, with_answer

SESSION_HEADER = "x-wa-session"
"""Set by the guard on an accepted socket: the id of its login session. The cookie itself never reaches a State."""

CALLABLE_MARK = "_wa_callable"

log = structlog.get_logger(__name__)


class PageState(rx.State):
    """Base of all page states. Keep vars few and flat; ask the services again rather than keeping copies."""

    async def _who(self) -> Principal:
        """The operator at the other end, looked up now. Raises :class:`Unauthenticated` when the session has ended."""
        session_id = current_session_id()
        principal = await runtime.current().auth.principal_of_session(session_id) if session_id else None
        if principal is None:
            raise Unauthenticated("Your session has ended. Please log in again.")
        return principal

    def _parameters(self) -> dict[str, str]:
        """What stands behind the ``?`` of the page's address, without what cannot be stored."""
        return {clean(name): clean(value) for name, value in self.router.url.query_parameters.items()}

    def _services(self) -> runtime.Runtime:
        """The parts of the running program: ``self._services().accounts`` and so on."""
        return runtime.current()


def current_session_id() -> str | None:
    """The id of the login session that the running handler's socket was opened with."""
    value = (EventContext.get().router_data.get("headers") or {}).get(SESSION_HEADER)
    return value if isinstance(value, str) and value else None


def client_ip() -> str:
    """Where the running handler's socket was opened from."""
    return str(EventContext.get().router_data.get("ip") or "unknown")


def action(handler: Callable[..., Any]) -> Any:
    """Make an async method callable from the page. Errors it raises become a toast; nothing else leaks."""
    return rx.event(_guarded(handler))


def background(handler: Callable[..., Any]) -> Any:
    """Like :func:`action` for long-running methods: they take ``async with self`` only to write. Starting the same method
    again from the same tab ends the earlier run."""
    return rx.event(background=True, supersedes=True)(_guarded(handler))


def aside(handler: Callable[..., Any]) -> Any:
    """Like :func:`background` for work that takes seconds beside everything else: the same method may run several times at once."""
    return rx.event(background=True)(_guarded(handler))


def is_callable(handler: Callable[..., Any]) -> bool:
    """Whether a client may call this method (:func:`action`, :func:`background` or :func:`aside`)."""
    return bool(getattr(handler, CALLABLE_MARK, False))


def _guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """``handler`` with what the client sent made storable, and with errors turned into what the page shows."""
    wrapped: Callable[..., Any]
    if inspect.isasyncgenfunction(handler):

        @functools.wraps(handler)
        async def stream(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            press = pressed()
            try:
                with once.under(await request_of(press, current_session_id(), handler.__qualname__)):
                    async for event in handler(self, *clean_all(args), **clean_all(kwargs)):
                        yield event
            except Exception as error:
                yield explain(error)
            if press:
                yield answered(press)

        wrapped = stream
    elif inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            press = pressed()
            try:
                with once.under(await request_of(press, current_session_id(), handler.__qualname__)):
                    result = await handler(self, *clean_all(args), **clean_all(kwargs))
            except Exception as error:
                result = explain(error)
            return with_answer(result, press)

        wrapped = call
    else:
        raise TypeError(f"{handler.__qualname__} must be an async method")
    setattr(wrapped, CALLABLE_MARK, True)
    return wrapped


def explain(exception: Exception) -> EventSpec | None:
    """What the page does about an error: back to the login page, or a toast with the sentence (a reference for bugs)."""
    if isinstance(exception, Unauthenticated):
        return to_login()
    if isinstance(exception, once.DoneBefore):
        return toast_ok("This was done already", "The answer got lost on the way. Nothing was done twice.")
    if isinstance(exception, AppError):
        return toast_error(exception.message)
    reference = new_id()[-8:]
    log.error("a page's action failed", reference=reference, exc_info=exception)
    return toast_error("Something went wrong on our side.", f"The log has the details under reference {reference}.")


def to_login() -> Any:
    """Leave the page for the login page with a full load, so that nothing of this session stays in the tab."""
    return rx.call_script("window.location.assign('/login')")
