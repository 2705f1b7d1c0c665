"""Memory with 0, 10 and 50 connected sandbox sessions, and the time from start to ready of a built checkout.

    python -m benchmarks.footprint
"""

from __future__ import annotations

import asyncio

import psutil

from benchmarks.setting import stage
from tests.support.linking import linked_account, wait_ready

STARTS = 5


def megabytes(pid: int) -> float:
    """Resident memory of the process and its children, in MB."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 1e6


async def main() -> None:
    """Measure and print."""
    async with stage() as on:
        accounts: list[str] = []
        for wanted in (0, 10, 50):
            while len(accounts) < wanted:
                accounts.append(await linked_account(on.api, on.phone, f"Account {len(accounts)}"))
            await asyncio.sleep(3)
            print(f"{wanted} sessions: {megabytes(on.server.pid):.0f} MB")
        starts = []
        for _ in range(STARTS):
            await asyncio.to_thread(on.server.terminate)
            starts.append(await asyncio.to_thread(on.server.start))
        print(f"start to ready with 50 linked accounts: {sorted(starts)[STARTS // 2]:.1f} s (median of {STARTS})")
        for account in accounts:
            await wait_ready(on.api, account)


if __name__ == "__main__":
    asyncio.run(main())
