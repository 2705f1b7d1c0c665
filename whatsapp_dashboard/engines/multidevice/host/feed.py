"""Hands the journal's events to the dashboard, in order, and forgets what it has stored (DUR-1)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.engines.multidevice.host.journal import Entry, Journal

log = structlog.get_logger(__name__)

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
        self._stored: list[tuple[int, list[str]]] = []
        """What the dashboard has stored and the journal could not forget yet: entries with the ids of their messages."""
        self._loop = SteadyTask("feed", self._run)

    def start(self) -> None:
        """Begin with what an earlier process left."""
        self._wake.set()
        self._loop.start()

    async def stop(self) -> None:
        """Hand over nothing more."""
        await self._loop.stop()

    def wake(self) -> None:
        """There is something new in the journal."""
        self._wake.set()

    def stored(self, numbers: Iterable[int]) -> None:
        """The dashboard has stored these frames."""
        for number in numbers:
            entry = self._open.pop(number, None)
            if entry is None:
                continue
            entry.left -= 1
            if entry.left == 0:
                self._stored.append((entry.seq, entry.wa_ids))
        self._wake.set()
        self._forget_stored()

    def _forget_stored(self) -> None:
        """On a full disk they stay where they are, and are forgotten with the next ones. Those that come twice are known by their ids."""
        if not self._stored:
            return
        try:
            self._journal.done([seq for seq, _ in self._stored], [wa_id for _, wa_ids in self._stored for wa_id in wa_ids])
        except sqlite3.Error:
            log.exception("the journal could not forget what is stored; it is tried again")
        else:
            self._stored.clear()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            self._forget_stored()
            while len(self._open) < WINDOW and (entries := self._journal.after(self._cursor, BATCH)):
                for entry, read in zip(entries, await loop.run_in_executor(self._threads, self._read_all, entries), strict=True):
                    self._hand_over(entry, read)
                    self._cursor = entry.seq
            await self._wake.wait()

    def _read_all(self, entries: list[Entry]) -> list[Read]:
        return [self._read(entry) for entry in entries]

    def _hand_over(self, entry: Entry, read: Read) -> None:
        if not read.frames:
            self._stored.append((entry.seq, read.wa_ids))
            self._forget_stored()
            return
        entry_open = _Open(entry.seq, read.wa_ids, len(read.frames))
        for frame in read.frames:
            self._count += 1
            self._open[self._count] = entry_open
            self._push({**frame, "n": self._count})
