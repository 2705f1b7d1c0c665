"""Files that no message names any more are put aside, and deleted some days later (ACC-1, MSG-9).

A database that was restored from an older backup, or that is another one, names few of the files that lie here. So a sweep that would
take most of them away takes none, and what is put aside comes back when it is needed. What a deleted account had is no business of this:
its files are erased by name (system/erasing.py).
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlmodel import col

from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.models import Media

SWEEP_AFTER_SECONDS = 600
"""So old a file must be that the write that names it is certainly over."""
KEEP_SECONDS = 7 * 86_400
"""How long a file that no message names is kept aside."""
FEW = 20
"""So many files may go at any time; more than half of all never by themselves."""
ASIDE = ".removed"
_CHUNK = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A sweep that was not done: ``unnamed`` of ``files`` belong to no message."""

    unnamed: int
    files: int


class MediaSweep:
    """Tidies the folder of files."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self.held: Held | None = None
        """Why nothing is tidied, while that is so."""

    async def run(self, *, in_any_case: bool = False) -> int:
        """Put the files aside that no message names, and delete what was put aside long ago. Returns how many were put aside.

        When most files have no message, that is a sign of a wrong database: nothing is done then, and :attr:`held` says so, unless an
        operator wants it ``in_any_case``.
        """
        limit = time.time() - SWEEP_AFTER_SECONDS
        files = await asyncio.to_thread(_older, self._folder, "??/*", limit)
        unnamed = await self._unnamed(files)
        if not in_any_case and len(unnamed) > max(FEW, len(files) // 2):
            if self.held is None:
                log.error(
                    "most files belong to no message of this database: none is removed. Is DATA_DIR the one of this database?"
                    " ./run sweep-media removes them in any case",
                    unnamed=len(unnamed),
                    files=len(files),
                    folder=str(self._folder),
                )
            self.held = Held(len(unnamed), len(files))
            return 0
        self.held = None
        for file in unnamed:
            await asyncio.to_thread(_put_aside, file, self._folder / ASIDE, limit)
        await self._delete_old()
        return len(unnamed)

    async def _delete_old(self) -> None:
        old = await asyncio.to_thread(_older, self._folder / ASIDE, "*", time.time() - KEEP_SECONDS)
        gone = set(await self._unnamed(old))
        for file in old:
            if file in gone:
                await asyncio.to_thread(file.unlink, missing_ok=True)
            else:
                await asyncio.to_thread(bring_back, self._folder, file.name)

    async def _unnamed(self, files: list[Path]) -> list[Path]:
        found: list[Path] = []
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            async with self._db.read() as session:
                statement = select(col(Media.sha256)).where(col(Media.sha256).in_([file.name for file in chunk]))
                named = set(await session.scalars(statement))
            found += [file for file in chunk if file.name not in named]
        return found


def bring_back(folder: Path, sha256: str) -> Path | None:
    """Where the file lies, which may have been put aside; None when it is nowhere. Blocks."""
    target = folder / sha256[:2] / sha256
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / ASIDE / sha256).rename(target)
    except OSError:
        return target if target.is_file() else None
    return target


def _older(folder: Path, pattern: str, limit: float) -> list[Path]:
    found = []
    for file in folder.glob(pattern):
        try:
            if file.stat().st_mtime < limit:
                found.append(file)
        except FileNotFoundError:
            continue
    return found


def _put_aside(file: Path, aside: Path, limit: float) -> None:
    """Move the file, unless it was sent again meanwhile; its time is now that of the move."""
    try:
        if file.stat().st_mtime >= limit:
            return
        aside.mkdir(mode=0o700, exist_ok=True)
        os.utime(file)
        file.rename(aside / file.name)
    except FileNotFoundError:
        return
