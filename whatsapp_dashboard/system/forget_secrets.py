"""For a lost encryption key: removes the secrets that nobody can read any more, so that the dashboard starts again (SEC-7)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.core.crypto import KEY_FILE, SealedColumn, SecretBox, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.models import Account, AiProvider, KnowledgeDocument, Operator, RequestKey, SessionCredential, Webhook
from whatsapp_dashboard.system.data_lock import nobody_else
from whatsapp_dashboard.system.database_lock import database_lock
from whatsapp_dashboard.system.installation import opens, sealed_columns, stored_revision, write_check
from whatsapp_dashboard.system.sqlite_file import check_file, sqlite_path


async def forget(settings: Settings) -> str:
    """Remove what the present key (a new one, when there is none) does not open, and say what that was.

    Numbers must be linked anew, operators lose their second factor, webhooks with a lost secret are switched off, providers need their key
    again. Raises :class:`ConfigError`, or DataFolderBusy while a dashboard is at work.
    """
    path = sqlite_path(settings.database)
    if not settings.data_dir.is_dir() or (path is not None and not check_file(path)) or await stored_revision(settings.database) is None:
        raise ConfigError("There is no dashboard in the database. Check DATA_DIR and DATABASE_URL.")
    with nobody_else(settings):
        async with database_lock(settings.database, shared=False):
            await upgrade(settings.database)
            configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
            box = SecretBox(*load_keys(configured, settings.data_dir / KEY_FILE))
            db = Database(settings.database)
            try:
                async with db.write() as session:
                    removed = await _remove(session, box)
                    await write_check(session, box)
            finally:
                await db.close()
    counts = ", ".join(f"{count} in {name}" for name, count in sorted(removed.items())) or "none"
    return f"Secrets that could not be read and are gone now: {counts}. Start the dashboard with ./run"


async def _remove(session: AsyncSession, box: SecretBox) -> Counter[str]:
    removed: Counter[str] = Counter()
    for spot, _, query in await session.run_sync(lambda sync: sealed_columns(sync.connection())):
        for row, sealed in (await session.execute(query)).all():
            if not opens(box, (sealed, spot.place(row))):
                await _forget_one(session, spot, row)
                removed[f"{spot.table}.{spot.column}"] += 1
    return removed


async def _forget_one(session: AsyncSession, spot: SealedColumn, row: str) -> None:
    match spot.table:
        case "session_credential":
            lost = {"linked": False, "wanted": False, "status": "disconnected", "status_reason": "The session was lost: link it anew"}
            await session.execute(delete(SessionCredential).where(col(SessionCredential.account_id) == row))
            await session.execute(update(Account).where(col(Account.id) == row).values(lost))
        case "operator":
            await session.execute(update(Operator).where(col(Operator.id) == row).values(totp_secret=None, totp_enabled=False))
        case "webhook":  # off: unsigned, or without its headers, it is not what its owner set up
            off = {spot.column: None} if spot.column == "previous_secret" else {spot.column: None, "enabled": False}
            await session.execute(update(Webhook).where(col(Webhook.id) == row).values(off))
        case "knowledge_document":
            await session.execute(update(KnowledgeDocument).where(col(KnowledgeDocument.id) == row).values(url_sealed=None))
        case "ai_provider":
            await session.execute(update(AiProvider).where(col(AiProvider.id) == row).values(api_key=None))
        case "request_key":  # the request had its effect; what it was answered is not known any more
            await session.execute(update(RequestKey).where(col(RequestKey.id) == row).values(answer=None))
        case _:
            raise ConfigError(f"The secret at {spot.place(row)} cannot be read, and nothing is known about doing without it.")
