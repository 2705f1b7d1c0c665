"""How the message log finds rows: keyset steps along the time-ordered id, in windows of bounded size (MSG-8).

A rare filter over millions of rows must not keep a page waiting, and no index can serve every mix of filters. So the
ids are walked in windows: the first is small (a common filter fills its page from it), later ones grow. Whatever plan
the database chooses inside a window, it cannot touch more rows than the window has.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.messages import MessageStatus
from whatsapp_dashboard.domain.numbers import digits_to_find
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.log_views import IN_DOUBT, NEWER, OLDER, LogFilters
from whatsapp_dashboard.models import Contact, Conversation, Message

FIRST_WINDOW = 1_000
LARGEST_WINDOW = 50_000
GROWTH = 7
FEW_CONVERSATIONS = 200
"""Up to this many matching conversations are looked up by their own index instead of along all messages."""

_NO_ID = "00000000-0000-0000-0000-000000000000"
_NUMBER_LENGTH = 3
"""What is shorter is not looked for in numbers."""


def time_of(message_id: str) -> datetime:
    """When the message with this id was stored."""
    return datetime.fromtimestamp(int(message_id.replace("-", "")[:12], 16) / 1_000, UTC)


def parse_cursor(cursor: str) -> tuple[bool, str | None]:
    """Read a cursor as (upwards?, id to start behind). Raises :class:`Invalid` for anything that is not one."""
    if not cursor:
        return False, None
    for prefix, upwards in ((OLDER, False), (NEWER, True)):
        if cursor.startswith(prefix):
            try:
                return upwards, str(uuid.UUID(cursor[len(prefix) :]))
            except ValueError:
                break
    raise Invalid("This is not a cursor of the message log; take it from the page before.", field="cursor")


class Search:
    """One walk along the ids of the messages that ``filters`` may match, in one direction."""

    def __init__(self, filters: LogFilters, account_ids: list[str], *, upwards: bool) -> None:
        self.filters = filters
        self.upwards = upwards
        self._accounts = account_ids
        self._conversations: list[str] | None = None

    async def prepare(self, session: AsyncSession) -> None:
        """Look up who the contact filter means."""
        if not self.filters.contact:
            return
        statement = (
            select(col(Conversation.id))
            .join(Contact, col(Contact.id) == col(Conversation.contact_id))
            .where(col(Contact.account_id).in_(self._accounts), contact_matches(self.filters.contact))
            .limit(FEW_CONVERSATIONS + 1)
        )
        found = list(await session.scalars(statement))
        if len(found) <= FEW_CONVERSATIONS:
            self._conversations = found

    @property
    def indexed(self) -> bool:
        """Whether an index leads to the few rows that can match, so that no windows are needed."""
        return self._conversations is not None or bool(self.filters.conversation_id)

    def window(self, start: str | None, size: int) -> Select[Any]:
        """The last id of the next ``size`` ids behind ``start``, and how many there are; it reads an index only."""
        inner = select(col(Message.id)).where(*self._scope(), *self._range(start, None))
        bounded = inner.order_by(self._order(Message.id)).limit(size).subquery()
        edge = func.max(bounded.c.id) if self.upwards else func.min(bounded.c.id)
        return select(edge, func.count(bounded.c.id))

    def ids(self, start: str | None, end: str | None, limit: int) -> Select[Any]:
        """The ids that match, behind ``start`` up to and with ``end``, in walking order."""
        statement = select(col(Message.id)).where(*self._scope(), *self._range(start, end), *self._conditions())
        return statement.order_by(self._order(Message.id)).limit(limit)

    def _order(self, column: Any) -> Any:
        return col(column).asc() if self.upwards else col(column).desc()

    def _scope(self) -> list[ColumnElement[bool]]:
        """What both the window and the match look at: with one account its own index is walked, else all ids."""
        if self.filters.account_id:
            return [col(Message.account_id) == self.filters.account_id]
        return []

    def _range(self, start: str | None, end: str | None) -> list[ColumnElement[bool]]:
        ident = col(Message.id)
        bounds: list[ColumnElement[bool]] = []
        if start:
            bounds.append(ident > start if self.upwards else ident < start)
        if end:
            bounds.append(ident <= end if self.upwards else ident >= end)
        if self.filters.since:
            bounds.append(ident >= id_floor(self.filters.since))
        if self.filters.until:
            bounds.append(ident < id_floor(self.filters.until))
        return bounds

    def _conditions(self) -> list[ColumnElement[bool]]:
        wanted = self.filters
        found: list[ColumnElement[bool]] = [col(Message.account_id).in_(self._accounts)]
        if wanted.conversation_id:
            found.append(col(Message.conversation_id) == wanted.conversation_id)
        for name in ("direction", "type", "status"):
            if (value := getattr(wanted, name)) and value != IN_DOUBT:
                found.append(col(getattr(Message, name)) == value)
        if wanted.status == IN_DOUBT:
            found += [col(Message.unconfirmed).is_(True), col(Message.status) == MessageStatus.SENT]
        if wanted.text:
            found.append(col(Message.body).ilike(_like(wanted.text), escape="\\"))
        if self._conversations is not None:
            found.append(col(Message.conversation_id).in_(self._conversations))
        elif wanted.contact:
            people = select(col(Contact.id)).where(col(Contact.account_id).in_(self._accounts), contact_matches(wanted.contact))
            # coalesce keeps the database from leading with the contacts: they are many, and the order would be lost.
            found.append(func.coalesce(col(Message.contact_id), _NO_ID).in_(people))
        return found


def contact_matches(given: str) -> ColumnElement[bool]:
    """Whether a contact's name or number contains what was typed; a number may be written with spaces and signs."""
    text = given.strip()
    pattern = _like(text)
    conditions = [col(field).ilike(pattern, escape="\\") for field in (Contact.name, Contact.push_name, Contact.jid)]
    for digits in digits_to_find(text) if len(text) >= _NUMBER_LENGTH else ():
        conditions += [col(Contact.phone).like(f"%{digits}%"), col(Contact.lid).like(f"%{digits}%")]
    return or_(*conditions)


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
