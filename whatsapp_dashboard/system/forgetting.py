"""Copies of a deleted document and of a deleted webhook's requests, which hang off other things (AI-5, HOOK-6)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import String, cast, delete, exists, select, text, update
from sqlmodel import col

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.models import AiAnswer, WebhookDelivery, WebhookEvent

_AT_ONCE = 200
_REST_SECONDS = 0.01
_MERGE_PAGES = 64
_ANSWER_LASTS = timedelta(minutes=10)
DELETED_TITLE = "A document that was deleted"


async def forget_document(db: Database, document_id: str, since: datetime | None = None) -> None:
    """Take its passages out of what answers were made of (those from ``since`` on), and its words out of the pages of the index."""
    after = id_floor(since - _ANSWER_LASTS) if since else ""
    told = select(AiAnswer).where(cast(col(AiAnswer.passages), String).contains(document_id)).order_by(col(AiAnswer.message_id))
    while True:
        async with db.write() as session:
            found = list(await session.scalars(told.where(col(AiAnswer.message_id) > after).limit(_AT_ONCE)))
            for answer in found:
                kept = [_blank(passage) if passage.get("document_id") == document_id else passage for passage in answer.passages]
                mine = update(AiAnswer).where(col(AiAnswer.message_id) == answer.message_id)
                await session.execute(mine.values(passages=kept))
        if len(found) < _AT_ONCE:
            break
        after = found[-1].message_id
        await asyncio.sleep(_REST_SECONDS)
    if db.is_sqlite and since is None:
        await _merge_index(db)


async def forget_webhook(db: Database) -> None:
    """Bodies that no endpoint is to get any more."""
    lonely = ~exists().where(col(WebhookDelivery.event_id) == col(WebhookEvent.id))
    after = ""
    while True:
        async with db.write() as session:
            here = select(col(WebhookEvent.id)).where(col(WebhookEvent.id) > after).order_by(col(WebhookEvent.id)).limit(_AT_ONCE)
            ids = list(await session.scalars(here))
            await session.execute(delete(WebhookEvent).where(col(WebhookEvent.id).in_(ids), lonely))
        if len(ids) < _AT_ONCE:
            return
        after = ids[-1]
        await asyncio.sleep(_REST_SECONDS)


async def _merge_index(db: Database) -> None:
    """FTS5 notes a deletion beside the deleted words; they go when segments are merged, a few pages at a time."""
    merge = text("INSERT INTO knowledge_index(knowledge_index, rank) VALUES ('merge', :pages)")
    pages = -_MERGE_PAGES  # negative: all segments into one, whatever their size
    while True:
        async with db.write() as session:
            before = await session.scalar(text("SELECT total_changes()")) or 0
            await session.execute(merge, {"pages": pages})
            changed = (await session.scalar(text("SELECT total_changes()")) or 0) - before
        if changed < 2:
            return
        pages = _MERGE_PAGES
        await asyncio.sleep(_REST_SECONDS)


def _blank(passage: dict[str, object]) -> dict[str, object]:
    return passage | {"title": DELETED_TITLE, "heading": "", "text": ""}
