"""Events reach the dashboard in order and stay until it has stored them (DUR-1, DUR-2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until
from whatsapp_dashboard.engines.multidevice.host.feed import WINDOW, Feed, Read
from whatsapp_dashboard.engines.multidevice.host.journal import Entry, Journal


class Desk:
    """A feed over a real journal, and what it pushed."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self.pushed: list[dict[str, Any]] = []
        self.threads = ThreadPoolExecutor(4)
        self.feed = Feed(self.journal, self.read, self.pushed.append, self.threads)

    @staticmethod
    def read(entry: Entry) -> Read:
        """``nothing`` says nothing, ``two`` says two things, anything else one."""
        text = entry.body.decode()
        count = {"nothing": 0, "two": 2}.get(text, 1)
        return Read([{"t": "event", "e": text} for _ in range(count)], [f"id of {text}"])

    def append(self, *texts: str) -> None:
        """Events come from the library."""
        for text in texts:
            self.journal.append(17, text.encode(), offline=False)
        self.feed.wake()

    async def until(self, count: int) -> list[str]:
        """Wait until so many frames were pushed; what they say."""
        await until(lambda: len(self.pushed) >= count, pause=0.005)
        return [frame["e"] for frame in self.pushed]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A running feed."""
    desk = Desk(tmp_path)
    desk.feed.start()
    yield desk
    await desk.feed.stop()
    desk.threads.shutdown()


async def test_frames_are_numbered_and_forgotten_when_stored(desk: Desk) -> None:
    """DUR-1."""
    desk.append("a", "nothing", "two", "b")
    assert await desk.until(4) == ["a", "two", "two", "b"]
    assert [frame["n"] for frame in desk.pushed] == [1, 2, 3, 4]
    assert [entry.body for entry in desk.journal.after(0, 10)] == [b"a", b"two", b"b"]
    desk.feed.stored([2, 1])
    assert [entry.body for entry in desk.journal.after(0, 10)] == [b"two", b"b"], "an event of two frames is done with the second"
    desk.feed.stored([3, 4, 4, 99])
    assert desk.journal.after(0, 10) == []
    assert desk.journal.has_arrived("id of two")


async def test_what_was_not_stored_is_told_again_by_the_next_process(desk: Desk, tmp_path: Path) -> None:
    """DUR-1."""
    desk.append("a", "b", "c")
    await desk.until(3)
    desk.feed.stored([2])
    await desk.feed.stop()
    again = Desk(tmp_path)
    again.feed.start()
    assert await again.until(2) == ["a", "c"]
    await again.feed.stop()
    again.threads.shutdown()


async def test_a_slow_dashboard_is_not_flooded(desk: Desk) -> None:
    """Memory stays bounded on both sides."""
    desk.append(*(str(number) for number in range(WINDOW * 2)))
    await desk.until(WINDOW)
    await asyncio.sleep(0.1)
    first = len(desk.pushed)
    assert WINDOW <= first < WINDOW + 100
    for frame in list(desk.pushed):
        desk.feed.stored([frame["n"]])
    await desk.until(WINDOW * 2 - 50)
    assert [frame["e"] for frame in desk.pushed] == [str(number) for number in range(len(desk.pushed))]


async def test_a_full_disk_ends_no_feed_and_leaves_no_transaction_open(desk: Desk, tmp_path: Path) -> None:
    """DUR-1, ACC-6: what the dashboard has stored is forgotten when there is room again; what comes meanwhile goes on, and is kept."""
    desk.append(*(f"{number:03}" + "x" * 2_000 for number in range(60)))
    await desk.until(60)
    limit = desk.journal._db.execute("PRAGMA page_count").fetchone()[0]
    desk.journal._db.execute(f"PRAGMA max_page_count = {limit}")
    desk.feed.stored(range(1, 61))  # deleting makes room, so it is the ids that find none
    desk.feed._stored.append((0, [f"{'y' * 500} {number}" for number in range(2_000)]))
    desk.feed.stored([])
    assert desk.feed._stored, "there was no room"
    assert not desk.journal._db.in_transaction
    desk.append("meanwhile")
    assert (await desk.until(61))[-1] == "meanwhile"
    desk.journal._db.execute(f"PRAGMA max_page_count = {limit * 100}")
    desk.feed.stored([61])
    await until(lambda: not desk.feed._stored)
    assert desk.journal.after(0, 100) == []
    assert desk.journal.has_arrived("id of meanwhile")
