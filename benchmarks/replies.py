"""From a contact's message to the automatic reply accepted by WhatsApp, at a steady rate; the sandbox world's clock measures.

    python -m benchmarks.replies [seconds] [per second]

Pacing is off, no AI; the message passes the engine, the database, the reply rule, the send queue and the engine again.
"""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks.setting import Stage, percentiles, stage
from tests.support.linking import answers_each, linked_account

CONTACTS = 50


async def measure(on: Stage, seconds: float, rate: float) -> list[float]:
    """Seconds from each message to its reply. A contact's n-th reply answers its n-th message."""
    account = await linked_account(on.api, on.phone, "Bench", **answers_each("Thank you."))
    contacts = [(await on.phone.add_contact(f"Contact {n}", f"34600{n:06d}"))["id"] for n in range(CONTACTS)]
    for contact in contacts:  # the first message of a contact also makes the contact and the conversation
        await on.phone.send_text(contact, "hello", account=account)
    total = int(seconds * rate)
    began = time.perf_counter()
    for n in range(total):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        await on.phone.send_text(contacts[n % CONTACTS], f"message {n}", account=account)
    deadline = time.monotonic() + 30
    while (await on.phone.counts())["received"] < total + CONTACTS:
        assert time.monotonic() < deadline, await on.phone.counts()
        await asyncio.sleep(0.2)
    found = []
    for contact in contacts:
        items, _ = await on.phone.thread(contact, account, 1_000)
        asked = [item["at"] for item in items if not item["from_account"]]
        answered = [item["arrived_at"] for item in items if item["from_account"]]
        found += [there - here for here, there in zip(asked, answered, strict=True)][1:]
    return found


async def main() -> None:
    """Measure on SQLite."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 50
    async with stage() as on:
        found = await measure(on, seconds, rate)
    print(f"{len(found)} replies at {rate:.0f}/s for {seconds:.0f} s: {percentiles(found)}")


if __name__ == "__main__":
    asyncio.run(main())
