"""Gathers what an answer is made from: the conversation so far, and the files of the messages to be answered (AI-4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlmodel import col

from whatsapp_dashboard.ai.failover import Target, takes
from whatsapp_dashboard.ai.notes import notes_of, own_label, words_for_search
from whatsapp_dashboard.ai.prompting import Line
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.domain.messages import Direction, MediaFile, MessageStatus, MessageType
from whatsapp_dashboard.errors import Permanent
from whatsapp_dashboard.messages.content import short_word
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.quotes import Quoted, read_quoted
from whatsapp_dashboard.models import Account, Media, Message
from whatsapp_dashboard.replies.repliers import Question

FILE_SECONDS = 20.0
"""How long a file that is still being fetched is waited for."""
MAX_FILE = 10 * 2**20
"""Bytes of a file that a model is given; larger ones are only named."""
_IMAGES = frozenset({MessageType.IMAGE, MessageType.STICKER})
_SOUNDS = frozenset({MessageType.VOICE, MessageType.AUDIO})
_FILES = _IMAGES | _SOUNDS
_PLAIN = frozenset({MessageType.TEXT, MessageType.BUTTONS})


@dataclass(frozen=True, slots=True)
class Gathered:
    """The conversation, the messages to be answered last. ``unreadable``: they are nothing but files that no provider takes."""

    lines: tuple[Line, ...]
    question: str
    """What was asked, in words: what the knowledge base is searched for."""
    unreadable: bool


class Gatherer:
    """Reads conversations."""

    def __init__(self, db: Database, clock: Clock, media: MediaStore) -> None:
        self._db = db
        self._clock = clock
        self._media = media

    async def gather(self, question: Question, settings: AiSettings, targets: Sequence[Target]) -> Gathered:
        """What the model sees of the conversation."""
        asked = [*question.earlier, question.message]
        group = question.contact.kind == "group"
        before = await self._before(asked, settings.history_limit)
        async with self._db.read() as session:
            quoted = await read_quoted(session, question.account.id, [*before, *asked])

        def line(message: Message, files: tuple[MediaFile, ...] = ()) -> Line:
            return _line(message, group, question.account, quoted.get(message.id), files)

        lines = [line(message) for message in before]
        words, understood = [], False
        for message in asked:
            files = await self._files(message, settings, targets)
            lines.append(line(message, files))
            words.append(words_for_search(message, quoted.get(message.id)))
            understood = understood or bool(message.body.strip()) or bool(files) or message.type not in _FILES
        return Gathered(tuple(lines), " ".join(words).strip(), not understood)

    async def _before(self, asked: Sequence[Message], limit: int) -> list[Message]:
        """The messages before the ones to be answered, oldest first. What was not sent and what was deleted is not part of it."""
        if not limit:
            return []
        first, ids = asked[0], [message.id for message in asked]
        statement = (
            select(Message)
            .where(col(Message.conversation_id) == first.conversation_id, col(Message.id).not_in(ids))
            .where(col(Message.status) != MessageStatus.FAILED.value, col(Message.revoked_at).is_(None))
            .where(col(Message.type) != MessageType.UNSUPPORTED.value)
            .where(or_(col(Message.direction) == Direction.OUTGOING.value, col(Message.id) < asked[-1].id))
            .order_by(col(Message.at).desc(), col(Message.id).desc())
            .limit(limit)
        )
        async with self._db.read() as session:
            return list(reversed((await session.scalars(statement)).all()))

    async def _files(self, message: Message, settings: AiSettings, targets: Sequence[Target]) -> tuple[MediaFile, ...]:
        """The file of a message, if any provider may be given it."""
        kind = MessageType(message.type)
        wanted = (kind in _IMAGES and settings.use_images and any(target.images for target in targets)) or (
            kind in _SOUNDS and settings.use_audio and any(target.audio for target in targets)
        )
        if not wanted or not message.media_id:
            return ()
        media = await self._stored(message.media_id)
        if media is None or (media.size or 0) > MAX_FILE or not any(takes(target, media.mimetype) for target in targets):
            return ()
        try:
            return (await self._media.read(media),)
        except Permanent:
            return ()

    async def _stored(self, media_id: str) -> Media | None:
        """The file's row once it is here; None when it does not come in time."""
        until = self._clock.monotonic() + FILE_SECONDS
        while True:
            async with self._db.read() as session:
                media = await session.get(Media, media_id)
            if media is None or media.state == "stored":
                return media
            if media.state == "failed" or self._clock.monotonic() >= until:
                return None
            await asyncio.sleep(0.2)


def _line(message: Message, group: bool, account: Account, quoted: Quoted | None, files: tuple[MediaFile, ...]) -> Line:
    """One message. What others wrote beside its words goes into notes, which are marked as data."""
    ours = message.direction == Direction.OUTGOING
    text = message.body
    if message.type not in _PLAIN and not files:
        label = own_label(message) if ours else ""
        text = f"[{label or short_word(message.type) or message.type.capitalize()}] {message.body}".strip()
    if group and not ours and message.sender_name:
        text = f"{message.sender_name}: {text}"
    return Line(ours, text, files, () if ours else notes_of(message, quoted, account))
