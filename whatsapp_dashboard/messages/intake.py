"""Stores a batch of conversation events in one write with bulk statements: the heart of the inbound path (MSG-3, ACC-8).

All rows the batch may touch are read first, the events are applied to them in memory one after the other, and the result is
written in a few statements, however many events there were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.domain.engine_events import (
    CallReceived,
    ContactSeen,
    ConversationEvent,
    MessageEdited,
    MessageReceived,
    MessageRevoked,
    PollChanged,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Direction
from whatsapp_dashboard.errors import NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.arrivals import UNREADABLE, Arrivals, KnownAccount
from whatsapp_dashboard.messages.changes import apply_change, choose_target, preview_after, targets
from whatsapp_dashboard.messages.contact_entries import ContactEntry, set_timer, timer_data
from whatsapp_dashboard.messages.contacts import ContactBook, lock_accounts
from whatsapp_dashboard.messages.message_book import MessageBook, MessageEntry
from whatsapp_dashboard.messages.parking import Change, park, park_row, take_parked
from whatsapp_dashboard.messages.waiting import recount, settle
from whatsapp_dashboard.messages.withdrawal import withdraw_replies
from whatsapp_dashboard.models import Account, Media, Message, Reply
from whatsapp_dashboard.models.base import metadata

_ACCOUNT, _MEDIA, _MESSAGE, _REPLY = (metadata.tables[str(table.__tablename__)] for table in (Account, Media, Message, Reply))

_FILLED = ("type", "payload", "media_id", "quoted_wa_id", "sender_address", "sender_name", "recovered")
_FILL = update(_MESSAGE).where(_MESSAGE.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in _FILLED})

Item = tuple[str, ConversationEvent]
InDoubt = Callable[[str], Mapping[str, tuple[str, str]]]
"""Account id to the messages handed to its engine and not settled: our id to (type, body)."""


@dataclass(slots=True)
class Stored:
    """What a batch brought, for those who act on it after the commit."""

    waiting: list[tuple[str, str]] = field(default_factory=list)
    """(conversation id, message id) of incoming messages that wait for a reply decision, in order."""
    changed: list[tuple[str, str, bool]] = field(default_factory=list)
    """(conversation id, message id, deleted) of incoming messages that who wrote them has changed or deleted."""
    media_accounts: set[str] = field(default_factory=set)
    failed: dict[int, Exception] = field(default_factory=dict)
    """Position in the batch to why the event could not be stored."""


class Intake:
    """One batch. Use once: :meth:`store`."""

    def __init__(self, session: AsyncSession, now: datetime, in_doubt: InDoubt) -> None:
        self._session = session
        self._now = now
        self._in_doubt = in_doubt
        self._accounts: dict[str, KnownAccount] = {}
        self._contacts = ContactBook(session, now)
        self._messages = MessageBook(session)
        self._arrivals = Arrivals(self._contacts, self._messages, now)
        self._parked: dict[tuple[str, str], list[Change]] = {}
        self._rewritten: list[tuple[MessageEntry, bool]] = []
        self._events: list[tuple[str, str, ContactEntry | None, str | None, dict[str, Any]]] = []

    async def store(self, items: list[Item]) -> Stored:
        """Store the events in their order."""
        await self._load(items)
        stored = Stored()
        for position, (account_id, event) in enumerate(items):
            account = self._accounts.get(account_id)
            if account is None:
                stored.failed[position] = NotFound("This account does not exist any more.")
                continue
            self._apply(account, event, position)
        await self._apply_parked()
        await self._save(stored)
        return stored

    async def _load(self, items: list[Item]) -> None:
        account_ids = {account_id for account_id, _ in items}
        await lock_accounts(self._session, account_ids)
        columns = (_ACCOUNT.c.id, _ACCOUNT.c.workspace_id, _ACCOUNT.c.phone, _ACCOUNT.c.settings)
        for row in await self._session.execute(select(*columns).where(_ACCOUNT.c.id.in_(account_ids))):
            self._accounts[row.id] = KnownAccount(row.id, row.workspace_id, row.phone, row.settings)
        addresses: set[tuple[str, Address]] = set()
        wa_ids: set[tuple[str, str]] = set()
        doubtful: set[str] = set()
        for account_id, event in items:
            match event:
                case MessageReceived():
                    addresses.add((account_id, event.chat))
                    wa_ids.add((account_id, event.wa_id))
                    if event.from_me:
                        doubtful.update(self._in_doubt(account_id))
                case ContactSeen():
                    addresses.add((account_id, event.address))
                case CallReceived() | TimerChanged():
                    addresses.add((account_id, event.chat))
                case _:
                    if event.chat:
                        addresses.add((account_id, event.chat))
                    wa_ids.update((account_id, wa_id) for wa_id in targets(event))
        await self._contacts.load(addresses)
        await self._messages.load(wa_ids, doubtful)

    # -- applying

    def _apply(self, account: KnownAccount, event: ConversationEvent, position: int) -> None:
        match event:
            case MessageReceived():
                doubtful = self._in_doubt(account.id) if event.from_me else {}
                for type, contact, message_id, data in self._arrivals.take(account, event, position, doubtful):
                    self._events.append((account.id, type, contact, message_id, data))
            case ContactSeen():
                contact = self._contacts.resolve(account.id, event.address)
                self._contacts.name(contact, push_name=event.push_name, name=event.name)
            case TimerChanged():
                self._set_timer(account.id, event)
            case CallReceived():
                contact = self._contacts.resolve(account.id, event.chat)
                data = {"from": str(event.chat), "video": event.video, "at": event.at.isoformat()}
                self._events.append((account.id, "call", contact, None, data))
            case _:
                for wa_id in targets(event):
                    self._change(account.id, wa_id, event)

    def _set_timer(self, account_id: str, event: TimerChanged) -> None:
        """Of a chat that is not here yet, the first message tells it again."""
        contact = self._contacts.find(account_id, event.chat)
        conversation = self._contacts.conversation(contact) if contact else None
        if conversation is None:
            return
        self._contacts.touch(conversation)
        if set_timer(conversation, event.seconds, event.at):
            self._events.append((account_id, "conversation.updated", contact, None, timer_data(conversation)))

    def _change(self, account_id: str, wa_id: str, change: Change) -> None:
        """Apply ``change`` to its message, or keep it until the message is there."""
        contact = self._contacts.find(account_id, change.chat) if change.chat else None

        def is_here(entry: MessageEntry) -> bool:
            return contact is not None and (entry.contact_id == contact.id or self._contacts.by_id(entry.contact_id) is contact)

        entry = choose_target(self._messages.by_wa_id(account_id, wa_id), change, is_here)
        if entry is None:
            self._parked.setdefault((account_id, wa_id), []).append(change)
            return
        told = apply_change(entry, change)
        self._messages.touch(entry)
        if told and isinstance(change, PollChanged):
            self._messages.set_poll(entry, entry.body, change.options)
        if told and contact is not None:
            self._show(contact, entry, change)
        if told and entry.direction == Direction.INCOMING and isinstance(change, (MessageEdited, MessageRevoked)):
            self._rewritten.append((entry, isinstance(change, MessageRevoked)))
        if told:
            self._events.append((account_id, told[0], self._contacts.by_id(entry.contact_id), entry.id, told[1] | self._where(entry)))

    def _show(self, contact: ContactEntry, entry: MessageEntry, change: Change) -> None:
        """The inbox's list shows what its last message says now."""
        conversation, line = self._contacts.conversation(contact), preview_after(entry, change)
        if conversation is not None and conversation.last_message_id == entry.id and line is not None:
            conversation.last_message_preview = line
            self._contacts.touch(conversation)

    def _where(self, entry: MessageEntry) -> dict[str, Any]:
        """For entries whose contact is not in the book (a receipt without a chat), where the event belongs."""
        return {} if self._contacts.by_id(entry.contact_id) else {"conversation_id": entry.conversation_id}

    async def _apply_parked(self) -> None:
        """Take up what came before its message, from earlier batches and from this one."""
        fresh = self._arrivals.fresh_wa_ids
        if not fresh:
            return
        waiting = await take_parked(self._session, fresh)
        here = [(key[0], change) for key in list(self._parked) if key in fresh for change in self._parked.pop(key)]
        for account_id, change in waiting + here:
            for wa_id in targets(change):
                if (account_id, wa_id) in fresh:
                    self._change(account_id, wa_id, change)

    # -- writing

    async def _save(self, stored: Stored) -> None:
        session, arrivals = self._session, self._arrivals
        await self._contacts.save()
        if arrivals.media:
            await session.execute(insert(_MEDIA), arrivals.media)
            stored.media_accounts = {row["account_id"] for row in arrivals.media}
        if arrivals.rows:
            for row, contact in arrivals.rows:
                row["contact_id"], row["conversation_id"] = self._place(contact)
                if entry := self._messages.by_id(row["id"]):
                    entry.contact_id, entry.conversation_id = row["contact_id"], row["conversation_id"]
            await session.execute(insert(_MESSAGE), [row for row, _ in arrivals.rows])
        if arrivals.filled:
            await (await session.connection()).execute(_FILL, arrivals.filled)
        await self._messages.save()
        await withdraw_replies(session, {self._place(contact)[1] for contact in arrivals.taken_over})
        await self._save_decisions(stored)
        settle(session, {row["conversation_id"] for row, _ in arrivals.rows} | {where for where, _ in stored.waiting})
        recount(session, {self._place(contact)[1] for contact in arrivals.out_of_order})
        rows = [park_row(key[0], key[1], change, self._now) for key, changes in self._parked.items() for change in changes]
        await park(session, rows)
        for entry, deleted in self._rewritten:
            writer = self._contacts.by_id(entry.contact_id)
            stored.changed.append((self._place(writer)[1] if writer else entry.conversation_id, entry.id, deleted))
        self._record()

    async def _save_decisions(self, stored: Stored) -> None:
        """The reply decisions the messages of this batch wait for, and those that nobody need take."""
        arrivals, rows = self._arrivals, []
        for message_id, contact in arrivals.unreadable:
            rows.append(arrivals.reply_row(message_id, contact.account_id, self._place(contact)[1], skipped=UNREADABLE))
        for message_id, contact in arrivals.waiting:
            _, conversation_id = self._place(contact)
            rows.append(arrivals.reply_row(message_id, contact.account_id, conversation_id))
            stored.waiting.append((conversation_id, message_id))
        if rows:
            await self._session.execute(insert(_REPLY), rows)
        if arrivals.readable:
            again = _REPLY.c.message_id.in_([message_id for message_id, _ in arrivals.readable])
            asked = update(_REPLY).where(again, _REPLY.c.state == "skipped", _REPLY.c.reason == UNREADABLE)
            await self._session.execute(asked.values(state="pending", reason="", settled_at=None))
            stored.waiting += [(self._place(contact)[1], message_id) for message_id, contact in arrivals.readable]

    def _place(self, contact: ContactEntry) -> tuple[str, str]:
        """The ids of the contact that now stands for ``contact``, and of its conversation."""
        now = self._contacts.by_id(contact.id)
        assert now is not None
        conversation = self._contacts.conversation(now)
        assert conversation is not None
        return now.id, conversation.id

    def _record(self) -> None:
        for conversation in self._contacts.created:
            self._tell(conversation.account_id, "conversation.created", conversation.id, None, {"contact_id": conversation.contact_id})
        for conversation, gone in self._contacts.merged:
            self._tell(conversation.account_id, "conversation.merged", conversation.id, None, {"merged_id": gone})
        for account_id, type, contact, message_id, data in self._events:
            now = self._contacts.by_id(contact.id) if contact else None
            conversation_entry = self._contacts.conversation(now) if now else None
            conversation_id = conversation_entry.id if conversation_entry else data.pop("conversation_id", None)
            self._tell(account_id, type, conversation_id, message_id, data)
        for account_id, count in self._arrivals.history_counts.items():
            self._tell(account_id, "history.synced", None, None, {"count": count})

    def _tell(self, account_id: str, type: str, conversation_id: str | None, message_id: str | None, data: dict[str, Any]) -> None:
        record(
            self._session,
            type,
            workspace_id=self._accounts[account_id].workspace_id,
            account_id=account_id,
            conversation_id=conversation_id,
            message_id=message_id,
            data=data,
        )
