"""Addresses that were stored before their secrets were sealed are sealed at the start (SEC-7)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer
from sqlmodel import col

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Event, KnowledgeDocument, Webhook


async def seal_addresses(db: Database, box: SecretBox) -> int:
    """Seal what is not; returns how many addresses had secrets. Nothing to do from the second start on."""
    documents = select(KnowledgeDocument).options(defer(KnowledgeDocument.body), defer(KnowledgeDocument.raw))  # type: ignore[arg-type]
    async with db.read() as session:
        found = [
            *await session.scalars(select(Webhook).where(col(Webhook.url_sealed).is_(None))),
            *await session.scalars(documents.where(col(KnowledgeDocument.url) != "", col(KnowledgeDocument.url_sealed).is_(None))),
        ]
    bare = [row for row in found if url_secrets.shown(row.url) != row.url]
    for row in bare:
        async with db.write() as session:
            await _seal(session, await session.get(type(row), row.id, with_for_update=True), box)
    return len(bare)


async def _seal(session: Any, row: Any, box: SecretBox) -> None:
    if row is None:
        return
    bare = row.url
    url_secrets.keep(row, bare, box)
    if isinstance(row, KnowledgeDocument):
        if row.title == bare[:255]:
            row.title = row.url[:255]
        return
    told = select(Event).where(col(Event.type).like("webhook.%"), col(Event.workspace_id) == row.workspace_id)
    for event in await session.scalars(told):
        if event.data.get("name") == bare:  # a webhook without a name was called by its address
            event.data = event.data | {"name": row.url}
