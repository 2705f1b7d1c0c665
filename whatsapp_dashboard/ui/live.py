"""Live pages: what changes on the server changes on the page by itself.

    @background
    async def watch(self):
        async for events in live(self, "message", "message.status"):
            async with self:
                await self._load()

Start it in the page's ``on_load``: Reflex ends what a page load has started when the tab goes to another page, and the
loop ends by itself when the tab is closed or its session has ended.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext

from whatsapp_dashboard import runtime
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.ui.state import PageState, current_session_id

T = TypeVar("T")

CHECK_SECONDS = 2.0
"""How often an idle loop looks whether its page is still there."""


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
        quiet = 0.0
        while socket_id is not None and _socket(tab) == socket_id:
            if session_id is None or await program.auth.principal_of_session(session_id, roll=False) is None:
                return
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
    program = runtime.current()
    await state._who()
    async for item in source:
        if socket_id is None or _socket(tab) != socket_id:
            return
        if session_id is None or await program.auth.principal_of_session(session_id, roll=False) is None:
            return
        yield item


def _socket(tab: str) -> str | None:
    """The tab's open socket, or None when it is gone."""
    namespace = RegistrationContext.get().app.event_namespace
    return namespace.token_to_sid.get(tab) if namespace is not None else None
