"""Checks before the start, each failing with one sentence that says what to do (SEC-8)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, CryptoError, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.errors import DatabaseAway
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLocks
from whatsapp_dashboard.system.installation import check
from whatsapp_dashboard.system.private_files import tighten
from whatsapp_dashboard.system.rekey import finish_rotation

DATABASE_SECONDS = 30.0
"""A database server that starts together with us may take this long."""


def prepare_data_folder(settings: Settings) -> DataLocks:
    """Make the data folder, lock it against a second dashboard until this process ends, and close it to other users of the machine.

    Raises :class:`ConfigError`.
    """
    locks = DataLocks(settings)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        locks.take()
    except OSError as error:
        raise ConfigError(f"DATA_DIR: {settings.data_dir} cannot be used: {error.strerror}.") from None
    except DataFolderBusy as error:
        raise ConfigError(str(error)) from None
    tighten(settings)
    return locks


def prepare_installation(settings: Settings, say: Callable[[str], None]) -> None:
    """Look whether database, data folder and key belong together, and make what a new installation needs: first the tables, then the key,
    so that a start that was killed in between is still a new one.

    Raises :class:`ConfigError`; nothing was changed then.
    """
    try:
        asyncio.run(_prepare(settings, say))
    except (CryptoError, DataFolderBusy, DatabaseAway) as error:
        raise ConfigError(str(error)) from None
    except DBAPIError as error:
        raise ConfigError(f"The database cannot be used: {str(error.orig).strip()}.") from None


async def _prepare(settings: Settings, say: Callable[[str], None]) -> None:
    await check(settings)
    try:
        await finish_rotation(settings)
    except CryptoError as error:
        say(f"A change of the encryption key was interrupted and cannot be finished; both keys stay in use. {error}")
    await upgrade(settings.database)
    configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    load_keys(configured, settings.data_dir / KEY_FILE)


def wait_for_database(settings: Settings, say: Callable[[str], None], seconds: float = DATABASE_SECONDS) -> None:
    """Return when the database server answers. Raises :class:`ConfigError` when it does not within ``seconds``."""
    if settings.database.startswith("sqlite"):
        return
    asyncio.run(_wait(settings.database, say, seconds))


async def _wait(url: str, say: Callable[[str], None], seconds: float) -> None:
    database = Database(url)
    deadline = time.monotonic() + seconds
    said = False
    try:
        while True:
            try:
                async with asyncio.timeout(5):
                    await database.ping()
                return
            except Exception as error:
                where = make_url(url).render_as_string(hide_password=True)
                reason = str(getattr(error, "orig", error)).strip().splitlines()[:1] or [type(error).__name__]
                if time.monotonic() >= deadline:
                    raise ConfigError(f"DATABASE_URL: {where} does not answer: {reason[0]}.") from None
                if not said:
                    say(f"Waiting for the database at {where}")
                    said = True
            await asyncio.sleep(0.5)
    finally:
        await database.close()
