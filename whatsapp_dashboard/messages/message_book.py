"""The stored messages one write is about: found by WhatsApp id, changed in memory, saved together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.domain.messages import MessageStatus
from whatsapp_dashboard.messages.waiting import recount
from whatsapp_dashboard.models import Message
from whatsapp_dashboard.models.base import metadata

_MESSAGE = metadata.tables[str(Message.__tablename__)]


@dataclass(slots=True, eq=False)
class MessageEntry:
    """What changes of one message after it was stored; the fields are its columns."""

    id: str
    account_id: str
    contact_id: str
    conversation_id: str
    direction: str
    type: str
    origin: str | None
    at: datetime
    wa_id: str | None
    body: str
    status: str
    status_reason: str
    history: bool
    sender_address: str
    reactions: dict[str, str]
    votes: dict[str, list[str]]
    edited_at: datetime | None
    edit_unreadable: bool
    revoked_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    flagged_at: datetime | None
    unconfirmed: bool
    resends: int
    attempts: int
    not_before: datetime | None

    @property
    def counts(self) -> bool:
        """Whether it is a word that was said: neither deleted for everyone nor failed for good (MSG-14)."""
        return self.revoked_at is None and self.status != MessageStatus.FAILED


_COLUMNS = [field.name for field in fields(MessageEntry)]
_FIXED = ("id", "account_id", "contact_id", "conversation_id", "direction", "type", "origin", "at", "history", "sender_address")
_MUTABLE = [name for name in _COLUMNS if name not in _FIXED]
_UPDATE = update(_MESSAGE).where(_MESSAGE.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in _MUTABLE})


class MessageBook:
    """Messages by WhatsApp id and by our id. Call :meth:`load` first and :meth:`save` last."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._by_wa_id: dict[tuple[str, str], list[MessageEntry]] = {}
        self._by_id: dict[str, MessageEntry] = {}
        self._changed: dict[str, MessageEntry] = {}
        self._counted: dict[str, bool] = {}
        self._polls: dict[str, tuple[str, tuple[str, ...]]] = {}

    async def load(self, wa_ids: Iterable[tuple[str, str]], ids: Iterable[str] = ()) -> None:
        """Fetch the messages with these (account id, WhatsApp id) pairs and with these ids of ours."""
        pairs = set(wa_ids)
        if pairs:
            accounts, names = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
            await self._fetch(_MESSAGE.c.account_id.in_(accounts), _MESSAGE.c.wa_id.in_(names))
        missing = [one for one in set(ids) if one not in self._by_id]
        if missing:
            await self._fetch(_MESSAGE.c.id.in_(missing))

    async def _fetch(self, *conditions: Any) -> None:
        columns = [_MESSAGE.c[name] for name in _COLUMNS]
        for row in await self._session.execute(select(*columns).where(*conditions).order_by(_MESSAGE.c.id).with_for_update()):
            entry = MessageEntry(*row)
            if entry.id not in self._by_id:
                self.add(entry)

    def add(self, entry: MessageEntry) -> None:
        """Make a message known to this write, for instance one that it inserts."""
        self._by_id[entry.id] = entry
        self._counted[entry.id] = entry.counts
        if entry.wa_id:
            self._by_wa_id.setdefault((entry.account_id, entry.wa_id), []).append(entry)

    def by_id(self, message_id: str) -> MessageEntry | None:
        """The message with our id."""
        return self._by_id.get(message_id)

    def by_wa_id(self, account_id: str, wa_id: str) -> list[MessageEntry]:
        """All messages with WhatsApp's id, which is unique only inside a chat and direction."""
        return self._by_wa_id.get((account_id, wa_id), [])

    def set_wa_id(self, entry: MessageEntry, wa_id: str) -> None:
        """The message now has WhatsApp's id."""
        if entry.wa_id != wa_id:
            if entry.wa_id:
                self._by_wa_id[entry.account_id, entry.wa_id].remove(entry)
            entry.wa_id = wa_id
            self._by_wa_id.setdefault((entry.account_id, wa_id), []).append(entry)
        self.touch(entry)

    def drop_wa_id(self, entry: MessageEntry) -> None:
        """The message is not known at WhatsApp under the id it had."""
        if entry.wa_id:
            self._by_wa_id[entry.account_id, entry.wa_id].remove(entry)
            entry.wa_id = None
        self.touch(entry)

    def forget(self, entry: MessageEntry) -> None:
        """The message is deleted in this write."""
        self._by_id.pop(entry.id, None)
        self._changed.pop(entry.id, None)
        recount(self._session, [entry.conversation_id])
        if entry.wa_id:
            self._by_wa_id[entry.account_id, entry.wa_id].remove(entry)

    def touch(self, entry: MessageEntry) -> None:
        """``entry`` was changed: save it."""
        self._changed[entry.id] = entry

    def set_poll(self, entry: MessageEntry, question: str, options: tuple[str, ...]) -> None:
        """The poll ``entry`` now asks ``question`` and has these options."""
        self._polls[entry.id] = (question, options)
        self.touch(entry)

    async def save(self) -> None:
        """Write all changes, in bulk. Messages inserted in this write must be there already."""
        for message_id, (question, options) in self._polls.items():
            payload = await self._session.scalar(select(_MESSAGE.c.payload).where(_MESSAGE.c.id == message_id)) or {}
            poll = {"selectable": 1, **payload.get("poll", {}), "question": question, "options": list(options)}
            statement = update(_MESSAGE).where(_MESSAGE.c.id == message_id).values(payload=payload | {"poll": poll})
            await self._session.execute(statement)
        if self._changed:
            rows = [
                {"_id": entry.id} | {f"_{name}": getattr(entry, name) for name in _MUTABLE}
                for entry in sorted(self._changed.values(), key=lambda entry: entry.id)
            ]
            connection = await self._session.connection()
            await connection.execute(_UPDATE, rows)
            recount(self._session, [entry.conversation_id for entry in self._changed.values() if entry.counts != self._counted[entry.id]])
