"""Ten minutes of steady load on a program started as users start it, with replies and a webhook: does it hold on to memory or descriptors?

    python -m benchmarks.steady [minutes] [per second] [--objects]

A line at the start, each minute and at the end. RSS is what the program alone has in memory: its own (anon), and pages of files that the
system can take back (file). PSS also counts its children, what is shared by several once. Of what is its own, ``malloc`` is handed out by
the C library's allocator, with SQLite's (``sqlite``), and ``free`` is what that keeps for later; most of the rest are Python's objects.
With ``--objects`` the program is traced (slower, larger), and at the end it is printed what there is more
of than after a fifth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from benchmarks.setting import Stage, stage
from tests.support.linking import answers_each, linked_account
from tests.support.receivers import ReceiverProcess
from tests.support.waiting import until

HERE = Path(__file__).parent
MINUTES, RATE = 10.0, 4.0
CONTACTS = 50
SETTLE_SECONDS = 10
WARM_SHARE = 0.2
"""Caches and pools fill at the beginning: growth is told from this share of the time on."""
SHOWN = 25


class Witness:
    """What tells from inside the program (witness/sitecustomize.py)."""

    def __init__(self, file: Path, objects: bool) -> None:
        self._file = file
        self.objects = objects
        self.settings = {"WITNESS_FILE": str(file), "WITNESS_OBJECTS": "1" if objects else "", "PYTHONPATH": str(HERE / "witness")}

    async def ask(self, pid: int, number: signal.Signals) -> dict[str, Any]:
        """Send the signal; the answer."""
        before = len(self._lines())
        os.kill(pid, number)
        lines = await until(self._lines, lambda found: len(found) > before and found[-1].endswith("\n"))
        return dict(json.loads(lines[-1]))

    def _lines(self) -> list[str]:
        return self._file.read_text(encoding="utf-8").splitlines(keepends=True) if self._file.exists() else []


class Meter:
    """What the program uses, over time."""

    def __init__(self, pid: int, witness: Witness) -> None:
        self._process = psutil.Process(pid)
        self._witness = witness
        self._began = time.monotonic()
        self.rows: list[tuple[float, float, float, int]] = []
        """Minutes, RSS and PSS in MB, descriptors."""
        print(f"{'minute':>7} {'messages':>9} {'descriptors':>12} {'threads':>8} {'children':>9}", end="")
        print("".join(f"{name:>8}" for name in ("PSS MB", "RSS", "file", "anon", "malloc", "sqlite", "free")), flush=True)

    async def read(self, messages: int) -> None:
        """Print a line."""
        native = await self._witness.ask(self._process.pid, signal.SIGUSR1)
        children = self._process.children(recursive=True)
        memory = self._process.memory_info()
        pss = sum(each.memory_full_info().pss for each in (self._process, *children)) / 1e6
        files = sum(each.num_fds() for each in (self._process, *children))
        minutes = (time.monotonic() - self._began) / 60
        self.rows.append((minutes, memory.rss / 1e6, pss, files))
        parts = [memory.rss, memory.shared, memory.rss - memory.shared, native["used"], native["sqlite"], native["free"]]
        print(f"{minutes:7.1f} {messages:9,} {files:12} {self._process.num_threads():8} {len(children):9} {pss:7.1f}", end="")
        print("".join("       -" if part is None else f"{part / 1e6:8.1f}" for part in parts), flush=True)

    def growth(self) -> str:
        """From the warm state to the end."""
        end = self.rows[-1]
        warm = next(row for row in self.rows if row[0] >= end[0] * WARM_SHARE)
        minutes = max(0.1, end[0] - warm[0])
        return (
            f"from minute {warm[0]:.1f} on: RSS {end[1] - warm[1]:+.1f} MB ({(end[1] - warm[1]) / minutes:+.2f} a minute), "
            f"PSS {end[2] - warm[2]:+.1f} MB, descriptors {end[3] - warm[3]:+d}"
        )


async def measure(on: Stage, receiver: ReceiverProcess, minutes: float, rate: float, witness: Witness) -> None:
    """The load, and the lines."""
    account = await linked_account(on.api, on.phone, "Shop", **answers_each("Thank you, we will look at it."))
    contacts = [(await on.phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(CONTACTS)]
    (await on.api.post("/api/network/allowed", json={"value": "127.0.0.0/8"})).raise_for_status()
    hook = {"url": receiver.url("accept", "shop"), "events": ["message", "message.sent", "message.status"], "secret": "generate"}
    (await on.api.post("/api/webhooks", json=hook)).raise_for_status()
    meter = Meter(on.server.pid, witness)
    await meter.read(0)
    total, sent, began = int(minutes * 60 * rate), 0, time.monotonic()
    before: dict[str, Any] = {}
    next_line, warm = 60.0, int(total * WARM_SHARE)
    while sent < total:
        await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
        await on.phone.send_text(contacts[sent % CONTACTS], f"message {sent}", account=account)
        sent += 1
        if time.monotonic() - began >= next_line:
            await meter.read(sent)
            next_line += 60.0
        if witness.objects and sent == warm:
            before = await witness.ask(on.server.pid, signal.SIGUSR2)
    counts = await until(on.phone.counts, lambda found: found["received"] >= total, pause=0.5)
    rows = await until(lambda: webhooks(on), lambda found: found[0]["health"]["waiting"] == 0, pause=0.5)
    await asyncio.sleep(SETTLE_SECONDS)
    await meter.read(sent)
    print(meter.growth())
    health = rows[0]["health"]
    print(f"{sent:,} messages, {counts['received']:,} replies, {health['succeeded']:,} deliveries, {health['failed']} failed")
    print(f"lines in the log at level warning or above: {len(on.server.log.splitlines()):,}")
    if witness.objects:
        compare(before, await witness.ask(on.server.pid, signal.SIGUSR2))


async def webhooks(on: Stage) -> list[dict[str, Any]]:
    """All of them, with their health."""
    return list((await on.api.get("/api/webhooks")).json())


def compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print what there is more of."""
    print(f"traced memory: {before['traced'] / 1e6:.1f} MB, then {after['traced'] / 1e6:.1f} MB")
    more = Counter(after["kinds"])
    more.subtract(before["kinds"])
    print("objects, more than before:")
    for kind, count in more.most_common(SHOWN):
        print(f"  {count:+8,} {kind}")
    grown = {place: size - before["places"].get(place, 0) for place, size in after["places"].items()}
    print("memory by the line that asked for it, more than before:")
    for place, size in sorted(grown.items(), key=lambda entry: -entry[1])[:SHOWN]:
        print(f"  {size / 1e3:+10.0f} kB {place}")


async def main() -> None:
    """Read the arguments, and measure on SQLite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=MINUTES)
    parser.add_argument("rate", type=float, nargs="?", default=RATE)
    parser.add_argument("--objects", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ReceiverProcess() as receiver:
        witness = Witness(Path(folder) / "witness", given.objects)
        async with stage(**witness.settings) as on:
            await measure(on, receiver, given.minutes, given.rate, witness)


if __name__ == "__main__":
    asyncio.run(main())
