"""Checks before the start, each failing with one sentence that says what to do (SEC-8)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import make_url

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLock

DATABASE_SECONDS = 30.0
"""A database server that starts together with us may take this long."""


def prepare_data_folder(settings: Settings) -> DataLock | None:
    """Make the data folder; with SQLite also lock it against a second dashboard, until this process ends.

    Raises :class:`ConfigError`.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not settings.database.startswith("sqlite"):
            return None
        lock = DataLock(settings.data_dir)
        lock.take()
    except OSError as error:
        raise ConfigError(f"DATA_DIR: {settings.data_dir} cannot be used: {error.strerror}.") from None
    except DataFolderBusy as error:
        raise ConfigError(str(error)) from None
    return lock


def wait_for_database(settings: Settings, say: Callable[[str], None], seconds: float = DATABASE_SECONDS) -> None:
    """Return when the database answers. Raises :class:`ConfigError` when it does not within ``seconds``."""
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
