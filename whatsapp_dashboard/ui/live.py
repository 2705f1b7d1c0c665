"""Live pages: what changes on the server changes on the page by itself.

    @following
    async def watch(self):
        async for events in live(self, "message", "message.status"):
            async with self:
                await self._load()

Start it in the page's ``on_load``: Reflex ends what a page load has started when the tab goes to another page, and the
loop ends by itself when the tab is closed or its session has ended.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext

from whatsapp_dashboard import runtime
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.ui.outage import OutageNotice
from whatsapp_dashboard.ui.state import PageState, background, current_session_id

T = TypeVar("T")

_FOLLOWING = "_wa_following"
AGAIN_SECONDS = 2.0
"""Until a loop whose database was away is begun again."""

CHECK_SECONDS = 2.0
"""How often an idle loop looks whether its page is still there."""


def following(handler: Callable[..., Awaitable[None]]) -> Any:
    """Make a method callable that shows things as they change, as :func:`background` does: while the database is away the page says so
    and keeps what it shows, and the method is begun again until it is back."""

    @functools.wraps(handler)
    async def keep_on(self: PageState, *args: Any) -> None:
        while True:
            try:
                await handler(self, *args)
                return
            except DatabaseAway:
                await OutageNotice(self).keep()
            await asyncio.sleep(AGAIN_SECONDS)

    setattr(keep_on, _FOLLOWING, True)
    return background(keep_on)


def is_following(handler: Any) -> bool:
    """Whether this is the method of an event handler made by :func:`following`."""
    return bool(getattr(handler, _FOLLOWING, False))


async def live(state: PageState, *types: str, every: float | None = None) -> AsyncIterator[list[EventRecord]]:
    """Yield the events of the operator's workspace in batches as they are committed.

    The first batch is empty and comes at once, when the subscription stands: load the page then, and nothing falls between.
    ``types`` keeps only these event types; none keeps all. What piles up while the page works comes as one batch. With ``every``,
    an empty batch comes after that many quiet seconds: for what changes without an event, such as signs of life.
    """
    tab, session_id = EventContext.get().token, current_session_id()
    socket_id = _socket(tab)
    principal = await state._who()
    program = runtime.current()

    def wanted(event: EventRecord) -> bool:
        return event.workspace_id == principal.workspace_id and (not types or event.type in types)

    async with program.bus.subscribe(wanted) as subscription:
        yield []
        quiet, notice = 0.0, OutageNotice(state)
        while socket_id is not None and _socket(tab) == socket_id:
            if not await _may_stay(session_id):
                return
            await notice.keep()
            batch = await subscription.next(CHECK_SECONDS)
            quiet += CHECK_SECONDS
            if batch or (every is not None and quiet >= every):
                quiet = 0.0
                yield batch


async def while_open(state: PageState, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield what ``source`` yields while the page is there, for what is not in the event log.

    ``source`` should yield something every :data:`CHECK_SECONDS`, so that the end of the page is noticed.
    """
    tab, session_id = EventContext.get().token, current_session_id()
    socket_id = _socket(tab)
    await state._who()
    notice = OutageNotice(state)
    async for item in source:
        if socket_id is None or _socket(tab) != socket_id:
            return
        if not await _may_stay(session_id):
            return
        await notice.keep()
        yield item


async def _may_stay(session_id: str | None) -> bool:
    """Whether the session still runs. While the database is away nobody knows: what stands on the page stays."""
    try:
        return session_id is not None and await runtime.current().auth.principal_of_session(session_id, roll=False) is not None
    except DatabaseAway:
        return True


def _socket(tab: str) -> str | None:
    """The tab's open socket, or None when it is gone."""
    namespace = RegistrationContext.get().app.event_namespace
    return namespace.token_to_sid.get(tab) if namespace is not None else None
