"""Writes down how sends ended, those of all accounts that end at the same time in one write (MSG-4, DUR-1)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Direction, MessageStatus, Origin, SendResult, status_advances
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.changes import REASON_LENGTH, apply_change, choose_target, status_data
from whatsapp_dashboard.messages.contact_entries import ContactEntry
from whatsapp_dashboard.messages.contacts import ContactBook, lock_accounts
from whatsapp_dashboard.messages.doubt import IN_DOUBT, send_anew
from whatsapp_dashboard.messages.message_book import MessageBook, MessageEntry
from whatsapp_dashboard.messages.message_events import outgoing_data
from whatsapp_dashboard.messages.parking import take_parked
from whatsapp_dashboard.models import Account, Message
from whatsapp_dashboard.models.base import metadata

log = structlog.get_logger(__name__)

_ACCOUNT, _MESSAGE = metadata.tables[str(Account.__tablename__)], metadata.tables[str(Message.__tablename__)]
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """WhatsApp has it. ``approached`` marks a first message to a stranger; ``learned`` is what the look-up told of them."""

    result: SendResult
    approached: bool = False
    learned: Address | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; ``tried`` says whether this counts as an attempt."""

    not_before: datetime
    reason: str
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """Never."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the send of one message ended."""

    account_id: str
    message_id: str
    end: Sent | Later | Failed


class Settler:
    """Outcomes go in, one write per batch goes out. An outcome that cannot be stored now is kept and tried again: the message is
    still queued in the database, so that a crash costs nothing either."""

    def __init__(self, db: Database, clock: Clock, on_settled: Callable[[Outcome], None], on_queued: Callable[[str], None]) -> None:
        """``on_settled`` hears of each stored outcome, ``on_queued`` of accounts (by id) with a message that is queued again."""
        self._db = db
        self._clock = clock
        self._on_settled = on_settled
        self._on_queued = on_queued
        self._queue: deque[Outcome] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, outcome: Outcome) -> None:
        """Settle ``outcome`` soon."""
        self._queue.append(outcome)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="settle")

    async def idle(self) -> None:
        """Wait until all is settled."""
        while self._task and not self._task.done():
            await asyncio.wait({self._task})

    async def stop(self, seconds: float) -> None:
        """Settle what is there within ``seconds``."""
        if self._task and not self._task.done():
            _, running = await asyncio.wait({self._task}, timeout=seconds)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _drain(self) -> None:
        pause = 0.2
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            left = await self._settle_all(batch)
            if left:
                self._queue.extendleft(reversed(left))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
            else:
                pause = 0.2

    async def _settle_all(self, batch: list[Outcome]) -> list[Outcome]:
        """Settle a batch, one by one when it does not go together; what could not be stored is returned."""
        left: list[Outcome] = []
        groups = [batch]
        while groups:
            group = groups.pop(0)
            try:
                async with self._db.write() as session:
                    settlement = _Settlement(session, self._clock.now())
                    await settlement.store(group)
            except DatabaseAway:
                return left + group + [outcome for later in groups for outcome in later]
            except Exception:
                log.exception("outcomes of sends could not be stored", count=len(group))
                if len(group) > 1:
                    groups = [[outcome] for outcome in group] + groups
                else:
                    left += group
                continue
            for outcome in group:
                self._on_settled(outcome)
            for account_id in settlement.queued:
                self._on_queued(account_id)
        return left


class _Settlement:
    """One write of outcomes."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self.queued: set[str] = set()
        """Accounts with a message that is queued again."""
        self._session = session
        self._now = now
        self._messages = MessageBook(session)
        self._contacts = ContactBook(session, now)
        self._workspaces: dict[str, str] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._doubles: list[str] = []
        self._freed: list[str] = []

    async def store(self, outcomes: list[Outcome]) -> None:
        accounts = {outcome.account_id for outcome in outcomes}
        await lock_accounts(self._session, accounts)
        columns = (_ACCOUNT.c.id, _ACCOUNT.c.workspace_id, _ACCOUNT.c.settings)
        for row in await self._session.execute(select(*columns).where(_ACCOUNT.c.id.in_(accounts))):
            self._workspaces[row.id], self._settings[row.id] = row.workspace_id, row.settings
        sent = [(outcome.account_id, outcome.end) for outcome in outcomes if isinstance(outcome.end, Sent)]
        wa_ids = {(account_id, end.result.wa_id) for account_id, end in sent}
        await self._messages.load(wa_ids, [outcome.message_id for outcome in outcomes])
        entries = [entry for outcome in outcomes if (entry := self._messages.by_id(outcome.message_id))]
        await self._contacts.load_ids(entry.contact_id for entry in entries)
        await self._contacts.load((account_id, end.learned) for account_id, end in sent if end.learned)
        for outcome in outcomes:
            entry = self._messages.by_id(outcome.message_id)
            contact = self._contacts.by_id(entry.contact_id) if entry else None
            if entry and contact:  # else the account was deleted meanwhile
                self._apply(entry, contact, outcome.end)
        for account_id, change in await take_parked(self._session, wa_ids):
            for wa_id in change.wa_ids if hasattr(change, "wa_ids") else (change.target_wa_id,):
                target = choose_target(self._messages.by_wa_id(account_id, wa_id), change, lambda entry: entry in entries)
                if target and (told := apply_change(target, change)):
                    self._messages.touch(target)
                    self._tell(target, *told)
        if self._doubles:
            await self._session.execute(delete(_MESSAGE).where(_MESSAGE.c.id.in_(self._doubles)))
        if self._freed:
            # First, so that no two rows hold one WhatsApp id at any moment.
            await self._session.execute(update(_MESSAGE).where(_MESSAGE.c.id.in_(self._freed)).values(wa_id=None))
        await self._contacts.save()
        await self._messages.save()
        for conversation, gone in self._contacts.merged:
            record(
                self._session,
                "conversation.merged",
                workspace_id=self._workspaces.get(conversation.account_id),
                account_id=conversation.account_id,
                conversation_id=conversation.id,
                data={"merged_id": gone},
            )

    def _apply(self, entry: MessageEntry, contact: ContactEntry, end: Sent | Later | Failed) -> None:
        old = entry.status
        match end:
            case Sent():
                self._sent(entry, contact, end)
            case Later() if old == MessageStatus.QUEUED:
                entry.attempts += end.tried
                entry.not_before, entry.status_reason = end.not_before, end.reason[:REASON_LENGTH]
                self._tell(entry, "message.status", status_data(entry, old))
            case Failed() if old == MessageStatus.QUEUED:
                entry.status, entry.status_reason, entry.not_before = MessageStatus.FAILED.value, end.reason[:REASON_LENGTH], None
                self._tell(entry, "message.status", status_data(entry, old))
            case _:
                return  # its echo or receipt was here first: WhatsApp has it
        self._messages.touch(entry)

    def _sent(self, entry: MessageEntry, contact: ContactEntry, end: Sent) -> None:
        if end.learned:
            contact = self._contacts.resolve(contact.account_id, end.learned)
        if end.approached:
            self._contacts.approached(contact, end.result.at)
        for twin in list(self._messages.by_wa_id(entry.account_id, end.result.wa_id)):
            if twin is entry or twin.direction != Direction.OUTGOING or self._contacts.by_id(twin.contact_id) is not contact:
                continue
            if twin.origin == Origin.PHONE:
                self._doubles.append(twin.id)  # its echo, which was taken for a message typed on the phone
                self._messages.forget(twin)
            else:
                self._give_back(twin, entry)
        if entry.wa_id != end.result.wa_id:
            self._freed.append(entry.id)
            self._messages.set_wa_id(entry, end.result.wa_id)
        if entry.status in (MessageStatus.QUEUED, MessageStatus.FAILED):
            entry.status = MessageStatus.SENT.value
        entry.unconfirmed = end.result.unconfirmed and entry.status == MessageStatus.SENT
        if entry.status == MessageStatus.SENT:
            entry.sent_at, entry.flagged_at, entry.not_before = end.result.at, None, None
            entry.status_reason = IN_DOUBT if entry.unconfirmed else ""
        data = outgoing_data(wa_id=entry.wa_id, to=contact.address, type=entry.type, body=entry.body, origin=entry.origin)
        self._tell(entry, "message.sent", data | {"unconfirmed": entry.unconfirmed})
        # By itself only once: what is in doubt a second time waits for a person.
        if entry.unconfirmed and entry.resends == 0 and self._may_resend(entry.account_id):
            old = entry.status
            send_anew(entry)
            self._tell(entry, "message.status", status_data(entry, old))
            self.queued.add(entry.account_id)

    def _may_resend(self, account_id: str) -> bool:
        return AccountSettings.model_validate(self._settings.get(account_id, {})).resend_unconfirmed

    def _give_back(self, twin: MessageEntry, owner: MessageEntry) -> None:
        """An echo of ``owner`` was taken for one of ``twin``, which says the same: the engine knows better. What the receipts told
        of ``twin`` is true of ``owner``; ``twin`` is asked for again under its own key, which never makes a second message."""
        if status_advances(MessageStatus(owner.status), MessageStatus(twin.status)):
            owner.status, owner.status_reason = twin.status, ""
        owner.sent_at, owner.delivered_at, owner.read_at = twin.sent_at, twin.delivered_at, twin.read_at
        old = twin.status
        twin.status, twin.status_reason, twin.not_before = MessageStatus.QUEUED.value, "", None
        twin.sent_at = twin.delivered_at = twin.read_at = twin.flagged_at = None
        owner.unconfirmed = twin.unconfirmed = False
        self._freed.append(twin.id)
        self._messages.drop_wa_id(twin)
        self._tell(twin, "message.status", status_data(twin, old))
        self.queued.add(twin.account_id)

    def _tell(self, entry: MessageEntry, type: str, data: dict[str, Any]) -> None:
        contact = self._contacts.by_id(entry.contact_id)
        conversation = self._contacts.conversation(contact) if contact else None
        record(
            self._session,
            type,
            workspace_id=self._workspaces.get(entry.account_id),
            account_id=entry.account_id,
            conversation_id=conversation.id if conversation else entry.conversation_id,
            message_id=entry.id,
            data=data,
        )
