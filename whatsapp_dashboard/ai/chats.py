"""Remembers under which name a provider keeps a conversation, where it keeps it itself (Retell, AI-2)."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.models import AiChat
from whatsapp_dashboard.text import clean


class StoredChat:
    """The chat of one conversation at one provider."""

    def __init__(self, db: Database, clock: Clock, conversation_id: str, provider_id: str) -> None:
        self._db = db
        self._clock = clock
        self._key = (conversation_id, provider_id)

    async def get(self) -> str | None:
        """The provider's name for it; None before the first answer."""
        async with self._db.read() as session:
            row = await session.get(AiChat, self._key)
        return row.chat_id if row else None

    async def set(self, chat_id: str) -> None:
        """Remember the name. Forgotten when the conversation or the provider is gone meanwhile."""
        conversation_id, provider_id = self._key
        mine = (col(AiChat.conversation_id) == conversation_id, col(AiChat.provider_id) == provider_id)
        row = {"conversation_id": conversation_id, "provider_id": provider_id, "chat_id": clean(chat_id), "updated_at": self._clock.now()}
        async with self._db.write() as session:
            await session.execute(delete(AiChat).where(*mine))
            await session.execute(insert_ignore(session, AiChat).values(row))


class PassingChat:
    """A chat that ends with the "try it" window: remembered by nobody."""

    def __init__(self) -> None:
        self._chat_id: str | None = None

    async def get(self) -> str | None:
        """The provider's name for it."""
        return self._chat_id

    async def set(self, chat_id: str) -> None:
        """Remember it for a moment."""
        self._chat_id = chat_id
