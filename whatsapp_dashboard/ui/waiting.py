"""How many contacts wait for a person, on every page: beside the inbox in the sidebar, in the tab's title, and as notifications (MSG-14).

The page only carries the count and whom to tell of; assets/notify.js decides in the browser, by what its user chose there.
"""

from __future__ import annotations

import asyncio
import json

from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.messages.conversation_views import ConversationFilters
from whatsapp_dashboard.messages.waiting import EVENT
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState

REST_SECONDS = 0.5
MOST_CALLS = 5


class WaitingState(PageState):
    """The count, and who has just begun to wait."""

    count: int = 0
    calls: str = "[]"
    """JSON, for the browser: ``key``, ``conversation``, ``name`` and ``text`` of those who have just begun to wait."""

    @following
    async def follow(self) -> None:
        """Keep both current."""
        async for events in live(self, EVENT, "conversation.merged", "account.deleted"):
            who, service = await self._who(), self._services().conversations
            count, calls = await service.waiting(who), await self._calls(events)
            async with self:
                self.count = count
                if calls:
                    self.calls = json.dumps(calls)
            await asyncio.sleep(REST_SECONDS)

    async def _calls(self, events: list[EventRecord]) -> list[dict[str, str]]:
        fresh = {event.conversation_id: event for event in events if event.type == EVENT and event.data.get("since")}
        ids = [one for one in list(fresh)[-MOST_CALLS:] if one]
        if not ids:
            return []
        rows = await self._services().conversations.get_many(await self._who(), ids, ConversationFilters(waiting=True))
        return [
            {
                "key": fresh[row.id].id,
                "conversation": row.id,
                "name": row.contact_name.strip() or format_phone(row.contact_phone) or "Somebody",
                "text": row.preview,
            }
            for row in rows
        ]
