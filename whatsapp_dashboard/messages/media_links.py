"""Files to send that lie at a URL: fetched once, before anything is stored, and from no private network by accident (API-3, HOOK-7)."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlmodel import col

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import Refused
from whatsapp_dashboard.domain.messages import MEDIA_TYPES, MediaFile, MessageType
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Invalid, TooLarge, Unavailable
from whatsapp_dashboard.messages.media_types import MIB
from whatsapp_dashboard.models import Account, Message

SECONDS = 20.0
"""What a fetch may take, from the look-up of the name to the last byte."""
_AT_ONCE = 8
"""Files that are fetched at the same time: each is in memory while it comes."""
FIELD = "media.url"


class MediaLinks:
    """Gets the bytes of a file at a URL that a client named."""

    def __init__(self, db: Database, http: Outgoing, *, max_mb: int) -> None:
        self._db = db
        self._http = http
        self._limit = max_mb * MIB
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, who: Principal, url: str, *, mimetype: str = "", filename: str = "") -> MediaFile:
        """The file at ``url``; ``mimetype`` and ``filename`` are stronger than what its server says.

        Raises :class:`Refused` for an address that must not be reached, :class:`Invalid` for a bad URL, :class:`TooLarge` over the limit
        of files, :class:`Unavailable` when the file does not come.
        """
        who.require(Role.OPERATOR)
        try:
            async with self._slots:
                found = await self._http.of(who.workspace_id).fetch(url, seconds=SECONDS, limit=self._limit)
        except (Invalid, TooLarge, Unavailable) as reason:
            reason.field = FIELD
            if isinstance(reason, Refused) and reason.code == "private_network":
                reason.message += f" How: POST /api/network/allowed with the value {reason.host}."
            raise
        return MediaFile(found.data, mimetype or found.mimetype, filename or found.filename)

    async def sent_before(self, who: Principal, account_id: str, idempotency_key: str | None, caption: str, voice: bool) -> Message | None:
        """The message a first request with this key has made (API-5): its repetition must not depend on whether the file is still there.

        ``None`` also when that message says something else; sending then raises what is to be said about it.
        """
        who.require(Role.OPERATOR)
        if idempotency_key is None:
            return None
        statement = select(Message).join(Account, col(Account.id) == col(Message.account_id))
        statement = statement.where(col(Message.account_id) == account_id, col(Account.workspace_id) == who.workspace_id)
        async with self._db.read() as session:
            message = await session.scalar(statement.where(col(Message.idempotency_key) == idempotency_key))
        if message is None or message.type not in MEDIA_TYPES or (message.type == MessageType.VOICE) != voice:
            return None
        return message if message.body == caption else None
