"""What operators do with conversations: find, read, take over, hand back, close, annotate (MSG-7, AI-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.contacts import lock_accounts
from whatsapp_dashboard.messages.conversation_query import (
    behind,
    conditions,
    count_matching,
    count_waiting,
    cursor_of,
    read_counts,
    read_rows,
    rows_statement,
)
from whatsapp_dashboard.messages.conversation_views import (
    ConversationFilters,
    ConversationPage,
    ConversationRow,
    Counts,
    ThreadItem,
    ThreadPage,
)
from whatsapp_dashboard.messages.last_word import dealt_with
from whatsapp_dashboard.messages.takeover import hand_back, state_data, take_over
from whatsapp_dashboard.messages.thread_query import note_item, note_under, read_around, read_items, read_thread
from whatsapp_dashboard.messages.waiting import recount, settle
from whatsapp_dashboard.messages.withdrawal import withdraw_replies
from whatsapp_dashboard.models import Account, Contact, Conversation, Note

MAX_PAGE = 200
MAX_NOTE = 4_096
MAX_CONTACT_NAME = 255


class ConversationService:
    """Conversations of the asking operator's workspace. Viewers read, operators work."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    # -- reading

    async def page(self, who: Principal, filters: ConversationFilters, cursor: str = "", limit: int = 50) -> ConversationPage:
        """One page of the list, newest message first. Raises :class:`Invalid` for a cursor or limit that cannot be."""
        who.require(Role.VIEWER)
        _check_limit(limit)
        statement = rows_statement(who).where(*conditions(filters))
        if cursor:
            statement = statement.where(behind(cursor))
        order = (col(Conversation.last_message_at).desc(), col(Conversation.id).desc())
        async with self._db.read() as session:
            rows = await read_rows(session, statement.order_by(*order).limit(limit + 1), self._clock.now(), filters.text)
        last = rows[limit - 1] if len(rows) > limit else None
        return ConversationPage(tuple(rows[:limit]), cursor_of(last.last_message_at, last.id) if last else None)

    async def get(self, who: Principal, conversation_id: str) -> ConversationRow:
        """One conversation. Raises :class:`NotFound`."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            rows = await read_rows(session, rows_statement(who).where(col(Conversation.id) == conversation_id), self._clock.now())
        if not rows:
            raise _not_found()
        return rows[0]

    async def get_many(self, who: Principal, conversation_ids: list[str], filters: ConversationFilters) -> list[ConversationRow]:
        """Those of these conversations that match the filters: for a page that learns they changed."""
        who.require(Role.VIEWER)
        statement = rows_statement(who).where(col(Conversation.id).in_(conversation_ids), *conditions(filters))
        async with self._db.read() as session:
            return await read_rows(session, statement, self._clock.now(), filters.text)

    async def counts(self, who: Principal, account_id: str = "", text: str = "") -> Counts:
        """How many conversations there are in each list of the inbox, of those that match ``text``."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            if text.strip():
                return await count_matching(session, who, account_id, text)
            return await read_counts(session, who, account_id)

    async def waiting(self, who: Principal) -> int:
        """How many contacts wait for a person (MSG-14)."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            return await count_waiting(session, who)

    async def thread(self, who: Principal, conversation_id: str, cursor: str = "", limit: int = 50) -> ThreadPage:
        """One page of messages and notes, from old to new; ``cursor`` leads to the older ones."""
        who.require(Role.VIEWER)
        _check_limit(limit)
        async with self._db.read() as session:
            await _owned(session, who, conversation_id)
            items = await read_thread(session, conversation_id, cursor, limit + 1)
        last = items[limit - 1] if len(items) > limit else None
        return ThreadPage(tuple(reversed(items[:limit])), cursor_of(last.at, last.id) if last else None)

    async def thread_after(self, who: Principal, conversation_id: str, cursor: str, limit: int = 50) -> ThreadPage:
        """One page of what came after ``cursor``, from old to new; its ``older`` is left to the page that gave the cursor."""
        who.require(Role.VIEWER)
        _check_limit(limit)
        async with self._db.read() as session:
            await _owned(session, who, conversation_id)
            items = await read_thread(session, conversation_id, cursor, limit + 1, newer=True)
        last = items[limit - 1] if len(items) > limit else None
        return ThreadPage(tuple(items[:limit]), None, cursor_of(last.at, last.id) if last else None)

    async def thread_around(self, who: Principal, conversation_id: str, message_id: str, limit: int = 50) -> ThreadPage:
        """The page of the thread with this message in its middle. Raises :class:`NotFound`, also for another conversation's message."""
        who.require(Role.VIEWER)
        _check_limit(limit)
        async with self._db.read() as session:
            await _owned(session, who, conversation_id)
            page = await read_around(session, conversation_id, message_id, limit)
        if page is None:
            raise NotFound("There is no such message in this conversation.", code="message_not_found", field="around")
        return page

    async def messages(self, who: Principal, conversation_id: str, message_ids: list[str]) -> list[ThreadItem]:
        """These messages anew: for a page that learns they changed."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            await _owned(session, who, conversation_id)
            return await read_items(session, conversation_id, message_ids)

    # -- changing

    async def take_over(self, who: Principal, conversation_id: str) -> ConversationRow:
        """A person answers from now on; bots are silent for the account's time, and what they had not yet sent is dropped (AI-8)."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, account = await _owned(session, who, conversation_id, lock=True)
            minutes = AccountSettings.model_validate(account.settings).takeover_minutes
            settle(session, [conversation_id])
            if take_over(conversation, self._clock.now() + timedelta(minutes=minutes)):
                _changed(session, who, conversation, **state_data(conversation), by=who.username)
            await withdraw_replies(session, [conversation_id])
        return await self.get(who, conversation_id)

    async def hand_back(self, who: Principal, conversation_id: str) -> ConversationRow:
        """Bots answer again, from the next message on (AI-8)."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, _ = await _owned(session, who, conversation_id, lock=True)
            settle(session, [conversation_id])
            if hand_back(conversation, self._clock.now()):
                _changed(session, who, conversation, **state_data(conversation), by=who.username)
        return await self.get(who, conversation_id)

    async def close(self, who: Principal, conversation_id: str) -> ConversationRow:
        """Put the conversation away; a new message of the contact brings it back."""
        return await self._set_status(who, conversation_id, "closed")

    async def reopen(self, who: Principal, conversation_id: str) -> ConversationRow:
        """Bring a closed conversation back."""
        return await self._set_status(who, conversation_id, "active")

    async def mark_unread(self, who: Principal, conversation_id: str) -> ConversationRow:
        """Show the conversation as unread again, for a colleague or for later. WhatsApp is not told."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, _ = await _owned(session, who, conversation_id, lock=True)
            if conversation.unread == 0:
                conversation.unread = 1
                _changed(session, who, conversation, unread=1)
        return await self.get(who, conversation_id)

    async def add_note(self, who: Principal, conversation_id: str, text: str, *, idempotency_key: str | None = None) -> ThreadItem:
        """Leave a remark that nobody outside sees. The same ``idempotency_key`` again answers the first note (API-5). Raises
        :class:`Invalid` for an empty or too long one."""
        who.require(Role.OPERATOR)
        text = text.strip()
        if not text:
            raise Invalid("Write something into the note.", code="note_empty", field="text")
        if len(text) > MAX_NOTE:
            raise Invalid(f"The note is too long: {len(text)} of at most {MAX_NOTE} characters.", code="note_too_long", field="text")
        async with self._db.write() as session:
            # Behind the lock: of two requests with one key that come together, the second finds what the first has stored.
            conversation, _ = await _owned(session, who, conversation_id, lock=idempotency_key is not None)
            note = await note_under(session, conversation_id, idempotency_key, text)
            if note is None:
                note = Note(conversation_id=conversation_id, operator_id=who.operator_id, text=text, created_at=self._clock.now())
                note.idempotency_key = idempotency_key
                session.add(note)
                _changed(session, who, conversation, type="conversation.note", note_id=note.id, by=who.username)
        return note_item(note, who.username)

    async def delete_note(self, who: Principal, conversation_id: str, note_id: str) -> None:
        """Remove a note; only its writer or an owner may. Raises :class:`NotFound`, :class:`Forbidden`."""
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, _ = await _owned(session, who, conversation_id)
            note = await session.get(Note, note_id)
            if note is None or note.conversation_id != conversation_id:
                raise NotFound("There is no such note.", code="note_not_found")
            if note.operator_id != who.operator_id:
                who.require(Role.OWNER)
            await session.delete(note)
            _changed(session, who, conversation, type="conversation.note", note_id=note_id, deleted=True, by=who.username)

    async def rename_contact(self, who: Principal, conversation_id: str, name: str) -> ConversationRow:
        """Give the contact a name of ours, stronger than the push name; an empty one takes it back."""
        who.require(Role.OPERATOR)
        name = name.strip()
        if len(name) > MAX_CONTACT_NAME:
            raise Invalid(
                f"The name is too long: {len(name)} of at most {MAX_CONTACT_NAME} characters.", code="name_too_long", field="name"
            )
        async with self._db.write() as session:
            conversation, _ = await _owned(session, who, conversation_id)
            contact = await session.get(Contact, conversation.contact_id)
            assert contact is not None
            contact.name = name
            _changed(session, who, conversation, contact_name=name)
        return await self.get(who, conversation_id)

    async def _set_status(self, who: Principal, conversation_id: str, status: str) -> ConversationRow:
        who.require(Role.OPERATOR)
        async with self._db.write() as session:
            conversation, _ = await _owned(session, who, conversation_id, lock=True)
            if conversation.status != status:
                conversation.status = status
                conversation.closed_at = self._clock.now() if status == "closed" else None
                if status == "closed":
                    dealt_with(conversation, new_id())
                else:
                    conversation.dealt_with = None  # as if it had not been closed
                recount(session, [conversation_id])
                _changed(session, who, conversation, status=status, by=who.username)
        return await self.get(who, conversation_id)


async def _owned(session: AsyncSession, who: Principal, conversation_id: str, *, lock: bool = False) -> tuple[Conversation, Account]:
    """The conversation and its account. Raises :class:`NotFound`, also for another workspace's."""
    statement = (
        select(Conversation, Account)
        .join(Account, col(Account.id) == col(Conversation.account_id))
        .where(col(Conversation.id) == conversation_id, col(Account.workspace_id) == who.workspace_id)
    )
    if lock:
        # The account first, as whoever writes messages does: else two transactions may wait for each other's rows.
        account_id = await session.scalar(select(col(Conversation.account_id)).where(col(Conversation.id) == conversation_id))
        await lock_accounts(session, [account_id] if account_id else [])
        statement = statement.with_for_update(of=Conversation)
    row = (await session.execute(statement)).first()
    if row is None:
        raise _not_found()
    return row[0], row[1]


def _changed(session: AsyncSession, who: Principal, conversation: Conversation, *, type: str = "conversation.updated", **data: Any) -> None:
    record(
        session,
        type,
        workspace_id=who.workspace_id,
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        data=data,
    )


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page has 1 to {MAX_PAGE} entries.", field="limit")


def _not_found() -> NotFound:
    return NotFound("There is no such conversation.", code="conversation_not_found")
