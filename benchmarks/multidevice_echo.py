"""An echo by the dashboard beside an echo by a plain Baileys bot: the same peer, the same customers, in turns.

    python -m benchmarks.multidevice_echo

The dashboard stores every message, decides, logs, queues and sends (pacing off); the bot answers from memory.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from tests.peer.customer_records import StreamReport
from tests.peer.customers import Customers
from tests.support.linking import answers_each
from tests.support.real_numbers import RealNumbers, real_numbers
from tests.support.server import ROOT, Server
from whatsapp_dashboard.ui.build import ensure_built

DASHBOARD, BOT = "12025570001", "12025570002"
CUSTOMERS = 10
RATE, RATED_EACH = 3.0, 60
"""Messages of one customer in a second, and how many, when latency is measured."""
FULL_EACH = 60
SINGLE_RATE, SINGLE_EACH = 4.0, 40
TURNS = 3


async def main() -> None:
    """Measure and print."""
    ensure_built(ROOT, say=print)
    folder = Path(tempfile.mkdtemp(prefix="wa-bench-"))
    server = Server(folder / "data", env={"LOG_LEVEL": "warning"})
    async with real_numbers(server, folder / "peer") as on:
        await on.link(DASHBOARD, **answers_each("{{message}}"))
        async with Customers(on.descriptor, on.peer.scan) as bots:
            await (await bots.add("bot", BOT)).echo()
            await compare(on)
    shutil.rmtree(folder, ignore_errors=True)


async def compare(on: RealNumbers) -> None:
    """Each in its turn, after one round to warm up."""
    names = {f"c{number}": f"346002{number:05d}" for number in range(CUSTOMERS)}
    await on.customers.add_many(names)
    rivals = {"dashboard": DASHBOARD, "Baileys bot": BOT}
    for number in rivals.values():
        await run(on, list(names), number, 3, 0, "warm")
    settings = (
        ("one message at a time", 1, SINGLE_EACH, SINGLE_RATE),
        ("at a fixed rate", CUSTOMERS, RATED_EACH, RATE),
        ("as fast as it goes", CUSTOMERS, FULL_EACH, 0.0),
    )
    for what, many, each, rate in settings:
        reports: dict[str, list[StreamReport]] = {name: [] for name in rivals}
        for turn in range(TURNS):
            # Who begins changes with each turn.
            for name, number in list(rivals.items())[:: 1 if turn % 2 == 0 else -1]:
                reports[name].append(await run(on, list(names)[:many], number, each, rate, f"{turn}{name[0]}{many}x{each}"))
        print(f"\n{what}: {many} customers, {each} messages each" + (f", {rate * many:.0f}/s together" if rate else ""))
        for name, found in reports.items():
            print(f"  {name:12} {line(found)}")
        speeds, tails = ([middle(reports[name], figure) for name in rivals] for figure in (speed, p95))
        print(f"  dashboard / bot: messages/s {speeds[0] / speeds[1]:.2f}, p95 {tails[0] / tails[1]:.2f}")


async def run(on: RealNumbers, names: list[str], to: str, each: int, rate: float, prefix: str) -> StreamReport:
    """One round; raises when an answer is missing or came twice."""
    stream = await on.customers.stream(names, to=to, count=each, per_second=rate, prefix=prefix)
    report = await stream.report(120)
    wrong = {name: (load.missing, load.repeated) for name, load in report.customers.items() if load.missing or load.repeated}
    assert not wrong, wrong
    return report


def speed(report: StreamReport) -> float:
    """Answers in a second."""
    return report.per_second


def p95(report: StreamReport) -> float:
    """Seconds that 19 of 20 answers did not exceed."""
    return report.latency(0.95)


def middle(reports: list[StreamReport], figure: object) -> float:
    """The median of a figure over the turns."""
    assert callable(figure)
    return sorted(figure(report) for report in reports)[len(reports) // 2]


def line(reports: list[StreamReport]) -> str:
    """The medians over the turns, for people."""
    half = sorted(report.latency(0.5) for report in reports)[len(reports) // 2]
    return f"{middle(reports, speed):6.1f} messages/s, p50 {half * 1e3:.0f} ms, p95 {middle(reports, p95) * 1e3:.0f} ms"


if __name__ == "__main__":
    asyncio.run(main())
