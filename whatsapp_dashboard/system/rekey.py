"""Rotation of the encryption key: every stored secret is opened with the old key and sealed with a new one (SEC-7)."""

from __future__ import annotations

import base64
import os

from pydantic import SecretStr
from sqlalchemy import update

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_BYTES, KEY_FILE, CryptoError, SecretBox, find_keys, promote, stage_key, staged
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.system.data_lock import nobody_else
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.installation import check, sealed_columns, write_check


async def reseal(db: Database, old: SecretBox, new: SecretBox) -> int:
    """Seal every stored secret and the check value anew, all in one transaction, and return how many secrets there were."""
    count = 0
    async with db.write() as session:
        for spot, columns, query in await session.run_sync(lambda sync: sealed_columns(sync.connection())):
            for row, sealed in (await session.execute(query)).all():
                place = spot.place(row)
                fresh = new.seal(old.open(sealed, place), place)
                await session.execute(update(columns).where(columns.c[spot.key] == row).values({spot.column: fresh}))
                count += 1
        await write_check(session, new)
    return count


async def rotate(settings: Settings, new_key: bytes | None) -> int:
    """Change to ``new_key``, or for a key file to a fresh random key; returns how many secrets were sealed anew.

    The new key is on disk before the first secret needs it, and all secrets change in one transaction: killed at any point, everything is
    readable with the old key or with the new one. Raises :class:`CryptoError`, ConfigError when database and key do not belong together,
    and DataFolderBusy while a dashboard or a backup is at work on the folder or, with PostgreSQL, anywhere on the database.
    """
    path = settings.data_dir / KEY_FILE
    configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    if configured and new_key is None:
        raise CryptoError("ENCRYPTION_KEY is set, so give the new key: make one with: openssl rand -base64 32 > new.key")
    if not settings.data_dir.is_dir():
        raise CryptoError(f"There is no data folder at {settings.data_dir.resolve()}. Set DATA_DIR to the dashboard's.")
    with nobody_else(settings):
        async with database_lock(settings.database, shared=False):
            await _check(settings, new_key)
            if not configured and staged(path).exists():
                count = await _finish(settings)
                if new_key is None:
                    return count
            old = find_keys(configured, path)
            wanted = new_key or os.urandom(KEY_BYTES)
            return await _change(settings, old, wanted if configured else stage_key(path, wanted))


async def finish_rotation(settings: Settings) -> None:
    """Bring a rotation of the key file to its end that was killed after it had begun. The data folder is ours already.

    Raises DataFolderBusy while a dashboard elsewhere works on the database.
    """
    if settings.encryption_key or not staged(settings.data_dir / KEY_FILE).exists():
        return
    async with database_lock(settings.database, shared=False):
        await _finish(settings)


async def _finish(settings: Settings) -> int:
    keys = find_keys(None, settings.data_dir / KEY_FILE)
    return await _change(settings, keys, keys[-1])


async def _check(settings: Settings, new_key: bytes | None) -> None:
    try:
        if not await check(settings):
            raise CryptoError("There is no dashboard in the database yet, so there is nothing to encrypt anew.")
    except ConfigError:
        if not settings.encryption_key or new_key is None:
            raise
        changed = settings.model_copy(update={"encryption_key": SecretStr(base64.b64encode(new_key).decode())})
        if not await _is_right(changed):
            raise
        raise CryptoError("The secrets are encrypted with the new key already. Start with ENCRYPTION_KEY set to it.") from None


async def _is_right(settings: Settings) -> bool:
    try:
        return await check(settings)
    except ConfigError:
        return False


async def _change(settings: Settings, old: list[bytes], fresh: bytes) -> int:
    db = Database(settings.database)
    try:
        count = await reseal(db, SecretBox(*old, fresh), SecretBox(fresh))
    finally:
        await db.close()
    if not settings.encryption_key:
        promote(settings.data_dir / KEY_FILE)
    return count
