"""Hands the journal's events to the dashboard, in order, and forgets what it has stored (DUR-1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from whatsapp_dashboard.engines.multidevice.host.journal import Entry, Journal

WINDOW = 400
"""Frames that may wait for their acknowledgement."""
BATCH = 50

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """What an entry says: frames without their addresses, and the ids of the messages in it."""

    frames: list[Raw]
    wa_ids: list[str]


@dataclass(slots=True)
class _Open:
    seq: int
    wa_ids: list[str]
    left: int


class Feed:
    """One session's events on their way. All methods are called on the event loop."""

    def __init__(self, journal: Journal, read: Callable[[Entry], Read], push: Callable[[Raw], None], threads: ThreadPoolExecutor) -> None:
        self._journal = journal
        self._read = read
        self._push = push
        self._threads = threads
        self._cursor = 0
        self._count = 0
        self._open: dict[int, _Open] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what an earlier process left."""
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name="feed")

    async def stop(self) -> None:
        """Hand over nothing more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """There is something new in the journal."""
        self._wake.set()

    def stored(self, numbers: Iterable[int]) -> None:
        """The dashboard has stored these frames."""
        seqs: list[int] = []
        wa_ids: list[str] = []
        for number in numbers:
            entry = self._open.pop(number, None)
            if entry is None:
                continue
            entry.left -= 1
            if entry.left == 0:
                seqs.append(entry.seq)
                wa_ids += entry.wa_ids
        if seqs:
            self._journal.done(seqs, wa_ids)
        self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while len(self._open) < WINDOW and (entries := self._journal.after(self._cursor, BATCH)):
                for entry, read in zip(entries, await loop.run_in_executor(self._threads, self._read_all, entries), strict=True):
                    self._cursor = entry.seq
                    self._hand_over(entry, read)

    def _read_all(self, entries: list[Entry]) -> list[Read]:
        return [self._read(entry) for entry in entries]

    def _hand_over(self, entry: Entry, read: Read) -> None:
        if not read.frames:
            self._journal.done([entry.seq], read.wa_ids)
            return
        entry_open = _Open(entry.seq, read.wa_ids, len(read.frames))
        for frame in read.frames:
            self._count += 1
            self._open[self._count] = entry_open
            self._push({**frame, "n": self._count})
