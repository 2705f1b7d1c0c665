"""What linked real numbers cost: memory per session, CPU while nothing happens, and the time to restore all after a restart.

python -m benchmarks.multidevice_sessions [SESSIONS [SESSIONS-PER-HOST ...]]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.support.linking import wait_ready
from tests.support.real_numbers import RealNumbers, real_numbers
from tests.support.server import ROOT, Server
from whatsapp_dashboard.ui.build import ensure_built

SESSIONS = 50
PER_HOST = (8, 16)
IDLE_SECONDS = 20.0
FIRST_NUMBER = 12025560000


async def main(sessions: int, per_host: tuple[int, ...]) -> None:
    """Measure and print."""
    ensure_built(ROOT, say=print)
    for size in per_host:
        folder = Path(tempfile.mkdtemp(prefix="wa-bench-"))
        server = Server(folder / "data", env={"LOG_LEVEL": "warning", "MULTIDEVICE_SESSIONS_PER_HOST": str(size)})
        async with real_numbers(server, folder / "peer") as on:
            await measure(on, sessions, size)
        shutil.rmtree(folder, ignore_errors=True)


async def measure(on: RealNumbers, sessions: int, size: int) -> None:
    """One size of hosts."""
    alone = unshared([psutil.Process(on.server.pid)])
    accounts = [await on.link(str(FIRST_NUMBER + number), f"Account {number}") for number in range(sessions)]
    await asyncio.sleep(5)
    hosts = on.hosts()
    in_hosts, with_all = unshared(hosts), unshared([psutil.Process(on.server.pid)])
    print(f"\n{sessions} sessions, {size} a host, {len(hosts)} hosts")
    each = (in_hosts + with_all - alone) / sessions
    print(f"  hosts {in_hosts:.0f} MB, dashboard {alone:.0f} -> {with_all:.0f} MB: {each:.1f} MB a session")
    everything = [psutil.Process(on.server.pid), *hosts]
    before = [sum(process.cpu_times()[:2]) for process in everything]
    await asyncio.sleep(IDLE_SECONDS)
    spent = [sum(process.cpu_times()[:2]) - began for process, began in zip(everything, before, strict=True)]
    print(f"  idle: dashboard {spent[0] / IDLE_SECONDS:.1%} of a core, all hosts {sum(spent[1:]) / IDLE_SECONDS:.1%}")
    await asyncio.to_thread(on.server.terminate)
    began = time.monotonic()
    await asyncio.to_thread(on.server.start)
    up = time.monotonic() - began
    await on.log_in()
    for account in accounts:
        await wait_ready(on.api, account, 60)
    print(f"  restart: dashboard ready after {up:.1f} s, all {sessions} sessions after {time.monotonic() - began:.1f} s")


def unshared(processes: list[psutil.Process]) -> float:
    """Memory in MB: of pages that several processes share each counts its part."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(given[0] if given else SESSIONS, tuple(given[1:]) or PER_HOST))
