"""The message log: every message of every account, by filters, page by page through millions of rows (MSG-8)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.messages.log_csv import csv_header, csv_rows
from whatsapp_dashboard.messages.log_query import FIRST_WINDOW, GROWTH, LARGEST_WINDOW, Search, parse_cursor, time_of
from whatsapp_dashboard.messages.log_views import NEWER, OLDER, LogDetail, LogFilters, LogPage, LogRow
from whatsapp_dashboard.models import Account, Contact, Media, Message, Operator, Reply

MAX_LIMIT = 200
CLIP = 200
"""Characters of a message's text shown in a row."""
SEARCH_SECONDS = 1.0
"""A page that is not full after this long says how far it searched."""
EXPORT_CHUNK = 500


class MessageLog:
    """Reads messages; changes none. A viewer may use all of it, within the own workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(self, who: Principal, filters: LogFilters, cursor: str = "", limit: int = 50) -> LogPage:
        """One page, newest first. ``cursor`` comes from the neighbouring page; empty is the newest page.

        Raises :class:`Invalid` for a cursor or limit that cannot be, :class:`NotFound` for an account that is not there.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise Invalid(f"A page has 1 to {MAX_LIMIT} messages.", field="limit")
        upwards, start = parse_cursor(cursor)
        async with self._db.read() as session:
            names = await self._accounts(session, who, filters)
            search = Search(filters, list(names), upwards=upwards)
            await search.prepare(session)
            ids, stopped = await _walk(session, search, start, limit + 1, SEARCH_SECONDS)
            more = len(ids) > limit
            ids = ids[:limit]
            rows = [_row(item, names, CLIP) for item in await _fetch(session, ids, clip=CLIP)]
        behind = ids[-1] if more else stopped
        if upwards:
            older = OLDER + (rows[-1].id if rows else start or "") if rows or start else None
            return LogPage(tuple(rows), NEWER + behind if behind else None, older, time_of(stopped) if stopped else None)
        newer = NEWER + (rows[0].id if rows else start or "") if start else None
        return LogPage(tuple(rows), newer, OLDER + behind if behind else None, time_of(stopped) if stopped else None)

    async def get(self, who: Principal, message_id: str) -> LogDetail:
        """Everything about one message. Raises :class:`NotFound`, also for another workspace's."""
        async with self._db.read() as session:
            names = await self._accounts(session, who, LogFilters())
            found = await _fetch(session, [message_id])
            if not found or found[0].Message.account_id not in names:
                raise NotFound("There is no such message.")
            return _detail(found[0], names)

    async def count_newer(self, who: Principal, filters: LogFilters, message_id: str, at_most: int = 100) -> int:
        """How many matching messages came after ``message_id`` (empty: all), counted no further than ``at_most``."""
        async with self._db.read() as session:
            names = await self._accounts(session, who, filters)
            search = Search(filters, list(names), upwards=True)
            await search.prepare(session)
            ids, _ = await _walk(session, search, message_id or None, at_most, SEARCH_SECONDS)
            return len(ids)

    async def export(self, who: Principal, filters: LogFilters) -> AsyncIterator[str]:
        """The matching messages as CSV text in chunks, newest first, however many there are.

        Each chunk reads anew, so that a slow download holds nothing open. Errors come before the first chunk.
        """
        async with self._db.read() as session:
            names = await self._accounts(session, who, filters)
        yield csv_header()
        start: str | None = None
        while True:
            async with self._db.read() as session:
                search = Search(filters, list(names), upwards=False)
                await search.prepare(session)
                ids, stopped = await _walk(session, search, start, EXPORT_CHUNK, SEARCH_SECONDS)
                found = [_detail(item, names) for item in await _fetch(session, ids)]
            if found:
                yield csv_rows(found)
            if len(ids) < EXPORT_CHUNK and not stopped:
                return
            start = stopped or ids[-1]

    async def _accounts(self, session: AsyncSession, who: Principal, filters: LogFilters) -> dict[str, str]:
        """Names of the accounts that ``who`` may see, by id; only the filtered one where the filters name one."""
        who.require(Role.VIEWER)
        statement = select(col(Account.id), col(Account.name)).where(col(Account.workspace_id) == who.workspace_id)
        if filters.account_id:
            statement = statement.where(col(Account.id) == filters.account_id)
        names: dict[str, str] = {row[0]: row[1] for row in await session.execute(statement)}
        if filters.account_id and not names:
            raise NotFound("There is no such account.")
        return names


async def _walk(session: AsyncSession, search: Search, start: str | None, limit: int, seconds: float) -> tuple[list[str], str | None]:
    """Up to ``limit`` matching ids behind ``start``, and the id at which the time ran out (None: all was searched)."""
    if search.indexed:
        return list(await session.scalars(search.ids(start, None, limit))), None
    ids: list[str] = []
    size, deadline = FIRST_WINDOW, time.monotonic() + seconds
    while True:
        edge, seen = (await session.execute(search.window(start, size))).one()
        if edge is None:
            return ids, None
        ids += await session.scalars(search.ids(start, edge, limit - len(ids)))
        if len(ids) >= limit or seen < size:
            return ids, None
        start = edge
        if time.monotonic() > deadline:
            return ids, start
        size = min(size * GROWTH, LARGEST_WINDOW)


async def _fetch(session: AsyncSession, ids: Sequence[str], *, clip: int | None = None) -> list[Any]:
    """The rows with these ids and what belongs to them, newest first; ``clip`` reads only the beginning of the text."""
    if not ids:
        return []
    body = func.substr(col(Message.body), 1, clip + 1) if clip else col(Message.body)
    statement = (
        select(Message, Contact, Media, col(Operator.username).label("operator"), Reply, body.label("text"))
        .join(Contact, col(Contact.id) == col(Message.contact_id))
        .outerjoin(Media, col(Media.id) == col(Message.media_id))
        .outerjoin(Operator, col(Operator.id) == col(Message.operator_id))
        .outerjoin(Reply, col(Reply.message_id) == col(Message.id))
        .where(col(Message.id).in_(ids))
        .order_by(col(Message.id).desc())
    )
    if clip:
        statement = statement.options(defer(Message.body))  # type: ignore[arg-type]
    return list(await session.execute(statement))


def _row(item: Any, names: dict[str, str], clip: int) -> LogRow:
    message, contact, media = item.Message, item.Contact, item.Media
    return LogRow(
        id=message.id,
        account_id=message.account_id,
        account_name=names[message.account_id],
        conversation_id=message.conversation_id,
        contact_name=contact.name or contact.push_name,
        contact_phone=contact.phone or "",
        contact_kind=contact.kind,
        direction=message.direction,
        type=message.type,
        status=message.status,
        status_reason=message.status_reason,
        origin=message.origin or "",
        text=item.text if len(item.text) <= clip else item.text[: clip - 1] + "…",
        filename=media.filename if media else "",
        at=message.at,
        created_at=message.created_at,
        history=message.history,
        recovered=message.recovered,
        edited=message.edited_at is not None,
        revoked=message.revoked_at is not None,
        flagged=message.flagged_at is not None,
        unconfirmed=message.unconfirmed,
    )


def _detail(item: Any, names: dict[str, str]) -> LogDetail:
    message, contact, media, reply = item.Message, item.Contact, item.Media, item.Reply
    address = f"{contact.phone}@s.whatsapp.net" if contact.phone else f"{contact.lid}@lid" if contact.lid else contact.jid or ""
    return LogDetail(
        row=_row(item, names, CLIP),
        body=message.body,
        payload=message.payload,
        contact_address=address,
        wa_id=message.wa_id or "",
        quoted_wa_id=message.quoted_wa_id or "",
        sender_name=message.sender_name,
        sender_address=message.sender_address,
        operator=item.operator or "",
        in_reply_to=message.in_reply_to or "",
        attempts=message.attempts,
        resends=message.resends,
        not_before=message.not_before,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
        flagged_at=message.flagged_at,
        edited_at=message.edited_at,
        edit_unreadable=message.edit_unreadable,
        revoked_at=message.revoked_at,
        reply_state=reply.state if reply else "",
        reply_reason=reply.reason if reply else "",
        media_id=media.id if media else "",
        media_state=media.state if media else "",
        media_reason=media.reason if media else "",
        media_type=media.mimetype if media else "",
        media_size=media.size if media else None,
        reactions=message.reactions,
        votes=message.votes,
    )
