"""What the open conversation does: its messages, and what operators do with the conversation as a whole (MSG-7, MSG-11, AI-8)."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx
import structlog

from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import AppError, NotFound
from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.messages.conversation_views import ConversationRow, ThreadItem
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.inbox.bubbles import Bubble, bubble, first_fresh, lay_out
from whatsapp_dashboard.ui.inbox.lines import Line, conversation_line
from whatsapp_dashboard.ui.inbox.state import InboxState, opened_in
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.state import PageState, action

PAGE_SIZE = 40
MOST_SHOWN = 400
REST_SECONDS = 0.15

_MESSAGE_EVENTS = (
    "message", "message.queued", "message.sent", "message.status", "message.reaction", "message.edited", "message.revoked",
    "message.vote", "message.updated",
)  # fmt: skip
_HEAD_EVENTS = (
    "conversation.updated", "conversation.note", "conversation.merged", "conversation.waiting", "session.status", "account.updated",
    "account.deleted", "ai.config",
)  # fmt: skip

log = structlog.get_logger(__name__)


class ThreadState(PageState):
    """The open conversation."""

    conversation_id: str = ""
    loaded: bool = False
    failed: str = ""
    head: Line = Line()
    items: list[Bubble] = []
    older: str = ""
    newer: str = ""
    """Where what comes after the shown part begins; empty when the end is shown."""
    place: str = ""
    """The message at which the thread was opened; empty for its end."""
    now: str = ""
    details: bool = False
    _fresh: tuple[str, str] = ("", "")
    """The first message that was unread when the conversation was opened, and the heading above it."""

    @action
    async def arrive(self) -> Any:
        """Open what the address names."""
        parameters = self._parameters()
        await self._select(opened_in(parameters), parameters.get("m", "")[:64])
        return ThreadState.follow

    @action
    async def open(self, conversation_id: str, message_id: str = "") -> Any:
        """Show a conversation at once, at a message of it or at its end; its address follows."""
        inbox = await self.get_state(InboxState)
        await self._select(conversation_id[:64], message_id[:64])
        line = next((line for line in inbox.lines if line.id == self.conversation_id), None)
        if line is not None and not self.loaded:
            self.head = line

    async def _select(self, conversation_id: str, place: str = "") -> None:
        if conversation_id != self.conversation_id:
            (await self.get_state(InboxState))._stay(conversation_id)
            self.head, self._fresh = Line(), ("", "")
        elif place == self.place:
            return
        self.conversation_id, self.place = conversation_id, place
        self.items, self.older, self.newer, self.loaded, self.failed = [], "", "", False, ""

    @following
    async def follow(self) -> None:
        """Load the open conversation and keep it current."""
        opened, first, place = self.conversation_id, True, self.place
        if not opened:
            return
        async for events in live(self, *_MESSAGE_EVENTS, *_HEAD_EVENTS):
            if (self.conversation_id, self.place) != (opened, place):
                return
            mine = [event for event in events if opened in (event.conversation_id, event.data.get("merged_into"))]
            try:
                if first:
                    await self._load(opened)
                    first = False
                elif mine or any(event.account_id == self.head.account_id and event.conversation_id is None for event in events):
                    await self._touch(opened, mine)
            except NotFound as error:
                async with self:
                    self.failed, self.loaded = error.message, True
            except AppError:
                raise
            except Exception:
                log.exception("a conversation could not be read")
                async with self:
                    self.failed, self.loaded = "The database did not answer. Open the conversation again.", True
            await asyncio.sleep(REST_SECONDS)

    async def _load(self, opened: str) -> None:
        who, services = await self._who(), self._services()
        row, place = await services.conversations.get(who, opened), self.place
        try:
            page = await services.conversations.thread_around(who, opened, place, PAGE_SIZE) if place else None
        except NotFound:
            page = None  # deleted meanwhile: the end is shown
        page = page or await services.conversations.thread(who, opened, limit=PAGE_SIZE)
        async with self:
            zone = (await self.get_state(InboxState)).zone
            if (self.conversation_id, self.place) != (opened, place):
                return
            if not self.loaded and row.unread:
                self._fresh = first_fresh(page.items, row.unread)
            # What was loaded further back stays where the reader is.
            begin = page.items[0].at.isoformat() if self.loaded and page.items else ""
            kept = [one for one in self.items if one.at < begin]
            self._show(row, zone)
            self._put(page.items, zone, kept)
            if not kept:
                self.older = page.older or ""
            self.newer = page.newer or ""
            self.loaded, self.failed = True, ""

    async def _touch(self, opened: str, events: list[EventRecord]) -> None:
        who, services = await self._who(), self._services()
        row = await services.conversations.get(who, opened)
        ids = sorted({event.message_id for event in events if event.message_id})
        notes = [event for event in events if event.type == "conversation.note"]
        gone = {event.data.get("note_id") for event in notes if event.data.get("deleted")}
        items: list[ThreadItem] = await services.conversations.messages(who, opened, ids) if ids else []
        if len(notes) > len(gone):
            items += (await services.conversations.thread(who, opened, limit=PAGE_SIZE)).items
        async with self:
            zone = (await self.get_state(InboxState)).zone
            if self.conversation_id != opened:
                return
            self._show(row, zone)
            # An old message that changed is not shown unless its part of the thread is.
            first = self.items[0].at if self.items and self.older else ""
            last = self.items[-1].at if self.items and self.newer else "~"
            near = [item for item in items if first <= item.at.isoformat() <= last]
            self._put(near, zone, [one for one in self.items if one.id not in gone])

    def _show(self, row: ConversationRow, zone: str) -> None:
        now = self._services().clock.now()
        self.head, self.now = conversation_line(row, now, zone), now.isoformat()

    def _put(self, items: tuple[ThreadItem, ...] | list[ThreadItem], zone: str, kept: list[Bubble]) -> None:
        """Show ``items`` beside ``kept``; what is in both is drawn as it is in ``items``."""
        now = self._services().clock.now()
        group = self.head.kind == "group"
        drawn = {item.id: bubble(item, now, zone, group=group, contact=self.head.name) for item in items}
        laid = lay_out([one for one in kept if one.id not in drawn] + list(drawn.values()), now, zone, self._fresh)
        if laid != self.items:
            self.items = laid

    async def _put_message(self, who: Principal, message_id: str) -> None:
        """Read a message that was just stored and show it."""
        items = await self._services().conversations.messages(who, self.conversation_id, [message_id])
        self._put(items, (await self.get_state(InboxState)).zone, self.items)

    @action
    async def load_older(self) -> None:
        """One more page at the beginning of the thread."""
        if not self.older or len(self.items) >= MOST_SHOWN:
            return
        who = await self._who()
        page = await self._services().conversations.thread(who, self.conversation_id, self.older, PAGE_SIZE)
        self._put(page.items, (await self.get_state(InboxState)).zone, self.items)
        self.older = page.older or ""

    @action
    async def load_newer(self) -> None:
        """One more page at the end of the shown part."""
        if not self.newer:
            return
        who = await self._who()
        page = await self._services().conversations.thread_after(who, self.conversation_id, self.newer, PAGE_SIZE)
        self._put(page.items, (await self.get_state(InboxState)).zone, self.items)
        self.items = self.items[-MOST_SHOWN:]
        self.newer = page.newer or ""

    @action
    async def to_end(self) -> Any:
        """Leave the place at which the thread was opened for its end."""
        query = (await self.get_state(InboxState)).query
        return rx.redirect(f"/inbox?c={self.conversation_id}{query}", replace=True)

    @action
    async def mark_read(self) -> None:
        """The thread is on the screen of somebody who may work: nothing is unread any more."""
        if self.conversation_id and self.head.unread:
            self.head.unread = 0
            await self._services().messages.mark_read(await self._who(), self.conversation_id)

    @action
    async def take_over(self) -> None:
        """A person answers from now on (AI-8)."""
        await self._change(self._services().conversations.take_over)

    @action
    async def hand_back(self) -> None:
        """Bots answer again (AI-8)."""
        await self._change(self._services().conversations.hand_back)

    @action
    async def close_or_reopen(self) -> Any:
        """Put the conversation away, or bring it back."""
        service = self._services().conversations
        closing = not self.head.closed
        await self._change(service.close if closing else service.reopen)
        return toast_ok("Conversation closed" if closing else "Conversation reopened")

    @action
    async def mark_unread(self) -> Any:
        """Show it as unread again, and leave it, for it would be read at once."""
        await self._change(self._services().conversations.mark_unread)
        await self._select("")
        return await self._to_list()

    @action
    async def leave(self) -> Any:
        """Back to the list."""
        await self._select("")
        return await self._to_list()

    async def _to_list(self) -> Any:
        query = (await self.get_state(InboxState)).query.lstrip("&")
        return rx.redirect("/inbox" + ("?" + query if query else ""), replace=True)

    @action
    async def toggle_details(self) -> None:
        """Show or hide what is known of the contact."""
        self.details = not self.details

    @action
    async def rename(self, form: dict[str, Any]) -> Any:
        """Give the contact a name of ours."""
        who = await self._who()
        row = await self._services().conversations.rename_contact(who, self.conversation_id, str(form.get("name", "")))
        self._show(row, (await self.get_state(InboxState)).zone)
        return toast_ok("Name saved")

    async def _change(self, call: Any) -> None:
        row = await call(await self._who(), self.conversation_id)
        self._show(row, (await self.get_state(InboxState)).zone)
