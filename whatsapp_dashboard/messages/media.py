"""The media store: files of messages on disk under their SHA-256, each once, however often it was sent (MSG-9)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.db import Database, after_commit
from whatsapp_dashboard.domain.file_names import full_name
from whatsapp_dashboard.domain.messages import MediaFile, MessageType
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import NotFound, Permanent
from whatsapp_dashboard.messages.media_sweep import ASIDE, SWEEP_AFTER_SECONDS, MediaSweep, bring_back
from whatsapp_dashboard.messages.media_types import check_kind, check_size, choose_type, type_to_send
from whatsapp_dashboard.models import Account, Media

_SWEEP_CHUNK = 500
_NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Staged:
    """A checked file that is on disk and belongs to no message yet."""

    type: MessageType
    sha256: str
    mimetype: str
    size: int
    filename: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to show, under a name that opens. Serve it with ``nosniff`` and never as HTML."""

    path: Path
    mimetype: str
    filename: str
    size: int


class MediaStore:
    """Keeps and finds files. Writing a file comes before the database write that names it, so no row points to nothing."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._put_at: dict[str, float] = {}
        """When a file was last put: the write that names it may still be on its way."""
        self._loose: dict[str, int] = {}
        """How many writes of this process are to name a file that was put."""
        self.sweeper = MediaSweep(db, settings.media_dir)

    async def stage(self, data: bytes, filename: str, wanted_type: MessageType | None = None, *, given: str = "") -> Staged:
        """Check a file to send and put it on disk, before the write that keeps it. ``given`` is the MIME type that was said of it. A
        document without a name gets one, a name without an ending that of its type.

        Raises :class:`TooLarge` over the limit of its type, :class:`Invalid` for an empty file or one that is not of ``wanted_type``.
        """
        mimetype = type_to_send(data, filename, given)
        kind = wanted_type or choose_type(mimetype)
        check_size(kind, len(data), self._settings.media_max_mb)
        check_kind(kind, mimetype)
        sha256 = await self.put(data)
        name = safe_name(filename)
        if name or kind is MessageType.DOCUMENT:
            name = safe_name(full_name(name, mimetype))
        return Staged(kind, sha256, mimetype, len(data), name)

    async def keep(self, session: AsyncSession, account_id: str, staged: Staged) -> Media:
        """Make the row of a staged file in this write."""
        row = Media(
            account_id=account_id,
            state="stored",
            sha256=staged.sha256,
            mimetype=staged.mimetype,
            size=staged.size,
            filename=staged.filename,
        )
        session.add(row)
        await session.flush()
        after_commit(session, f"kept {row.id}", lambda: self.named(staged.sha256))
        return row

    def named(self, sha256: str) -> None:
        """A write has named the file, or will not: it is no longer on its way."""
        count = self._loose.pop(sha256, 0) - 1
        if count > 0:
            self._loose[sha256] = count

    async def open(self, who: Principal, media_id: str) -> StoredFile:
        """The file ``media_id``, for whoever may read its workspace. Raises :class:`NotFound` also while it is not here yet."""
        who.require(Role.VIEWER)
        async with self._db.read() as session:
            statement = select(Media).join(Account, col(Account.id) == col(Media.account_id))
            media = await session.scalar(statement.where(col(Media.id) == media_id, col(Account.workspace_id) == who.workspace_id))
        if media is None or media.state != "stored" or not media.sha256:
            raise NotFound("There is no such file.")
        path = await asyncio.to_thread(bring_back, self._settings.media_dir, media.sha256)
        if path is None:
            raise NotFound("The file is no longer on disk.")
        return StoredFile(path, media.mimetype, safe_name(full_name(media.filename, media.mimetype)), media.size or 0)

    async def read(self, media: Media) -> MediaFile:
        """The bytes of a stored file, to send. Raises :class:`Permanent` when they are gone."""
        data = await asyncio.to_thread(self._read, media.sha256 or "missing")
        if data is None:
            raise Permanent("The file of this message is no longer on disk.", code="file_missing")
        return MediaFile(data, media.mimetype, media.filename)

    async def put(self, data: bytes) -> str:
        """Write ``data`` under its SHA-256, which is returned. On disk, with its folder entry, when this returns."""
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        self._put_at[sha256] = time.monotonic()
        self._loose[sha256] = self._loose.get(sha256, 0) + 1
        await asyncio.to_thread(self._put, sha256, data)
        return sha256

    async def discard(self, hashes: Sequence[str]) -> list[str]:
        """Remove the files that no message has; returns those that a write of this moment may name, to be asked for again."""
        left: list[str] = []
        for start in range(0, len(hashes), _SWEEP_CHUNK):
            chunk, began = hashes[start : start + _SWEEP_CHUNK], time.monotonic()
            async with self._db.read() as session:
                wanted = set(await session.scalars(select(col(Media.sha256)).where(col(Media.sha256).in_(chunk))))
            for sha256 in (each for each in chunk if each not in wanted):
                put_at = self._put_at.get(sha256, 0.0)
                if put_at >= began or (self._loose.get(sha256) and began - put_at < SWEEP_AFTER_SECONDS):
                    left.append(sha256)
                else:
                    (self._settings.media_dir / ASIDE / sha256).unlink(missing_ok=True)
                    self.path(sha256).unlink(missing_ok=True)  # here, between two turns of the loop: nobody can put it meanwhile
        return left

    async def sweep(self) -> int:
        """Put the files aside that no message has any more (ACC-1). Returns how many. For the scheduler."""
        limit = time.monotonic() - SWEEP_AFTER_SECONDS
        self._put_at = {sha256: at for sha256, at in self._put_at.items() if at > limit}
        self._loose = {sha256: count for sha256, count in self._loose.items() if sha256 in self._put_at}
        return await self.sweeper.run()

    def path(self, sha256: str) -> Path:
        """Where a file with this hash lies."""
        return self._settings.media_dir / sha256[:2] / sha256

    def _read(self, sha256: str) -> bytes | None:
        path = bring_back(self._settings.media_dir, sha256)
        try:
            return path.read_bytes() if path else None
        except FileNotFoundError:
            return None

    def _put(self, sha256: str, data: bytes) -> None:
        target = self.path(sha256)
        if target.exists() and target.stat().st_size == len(data):
            os.utime(target)  # young again: a sweep leaves it alone until its row is written
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def safe_name(filename: str) -> str:
    """The last part of a file name, without control characters, short enough to keep; its ending stays."""
    name = PurePath(filename.replace("\\", "/")).name
    name = "".join(sign for sign in name if sign.isprintable()).strip()
    if len(name) <= _NAME_LENGTH:
        return name
    ending = PurePath(name).suffix[:20]
    return name[: _NAME_LENGTH - len(ending)] + ending
