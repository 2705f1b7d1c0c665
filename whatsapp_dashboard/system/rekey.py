"""Rotation of the encryption key: every stored secret is opened with the old key and sealed with a new one (SEC-7)."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import KEY_BYTES, KEY_FILE, CryptoError, SecretBox, load_keys, stage_key, staged
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import AiProvider, KnowledgeDocument, Operator, SessionCredential, Webhook
from whatsapp_dashboard.system.data_lock import DataLock

SEALED: tuple[tuple[Any, str, str], ...] = (
    (SessionCredential, "sealed", "account_id"),
    (Operator, "totp_secret", "id"),
    (Webhook, "headers", "id"),
    (Webhook, "secret", "id"),
    (Webhook, "previous_secret", "id"),
    (Webhook, "url_sealed", "id"),
    (KnowledgeDocument, "url_sealed", "id"),
    (AiProvider, "api_key", "id"),
)
"""Every column that holds a sealed secret: table, column, primary key. Its place is ``table/column/key``."""


def place(table: Any, column: str, key: str) -> str:
    """The associated data of the secret in ``column`` of the row ``key``."""
    return f"{table.__tablename__}/{column}/{key}"


async def reseal(db: Database, old: SecretBox, new: SecretBox) -> int:
    """Seal every stored secret anew, all in one transaction, and return how many there were."""
    count = 0
    async with db.write() as session:
        for table, column, key in SEALED:
            rows = await session.scalars(select(table).where(col(getattr(table, column)).is_not(None)))
            for row in rows:
                where = place(table, column, getattr(row, key))
                setattr(row, column, new.seal(old.open(getattr(row, column), where), where))
                session.add(row)
                count += 1
    return count


async def rotate(settings: Settings, new_key: bytes | None) -> int:
    """Change to ``new_key``, or for a key file to a fresh random key; returns how many secrets were sealed anew.

    The new key is on disk before the first secret needs it, so a crash at any point leaves everything readable: run it again.
    Raises :class:`CryptoError`, or DataFolderBusy while the dashboard runs on the folder.
    """
    path = settings.data_dir / KEY_FILE
    configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    if configured and new_key is None:
        raise CryptoError("ENCRYPTION_KEY is set, so give the new key: make one with: openssl rand -base64 32")
    lock = DataLock(settings.data_dir)
    lock.take()
    db = Database(settings.database)
    try:
        old = SecretBox(*load_keys(configured, path))
        wanted = new_key or os.urandom(KEY_BYTES)
        fresh = wanted if configured else stage_key(path, wanted)
        count = await reseal(db, old, SecretBox(fresh))
        if not configured:
            staged(path).rename(path)
        return count
    finally:
        await db.close()
        lock.free()
