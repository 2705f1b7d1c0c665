"""From a message being stored to being visible in a real browser that shows the inbox.

    python -m benchmarks.visible [messages] [per second]

The page itself notes the time when the text first stands in its document; the message's ``created_at`` is the start. Both clocks
are this machine's.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from benchmarks.setting import Stage, percentiles, stage
from tests.support.browser import Window, launched
from tests.support.linking import linked_account
from tests.support.server import OWNER, OWNER_PASSWORD

_WATCH = """() => {
    window.seen = {};
    const look = () => {
        for (const found of document.body.innerText.matchAll(/visible-\\d+-end/g)) window.seen[found[0]] ??= Date.now();
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


async def measure(on: Stage, count: int, rate: float) -> list[float]:
    """Seconds from stored to visible."""
    account = await linked_account(on.api, on.phone, "Bench")
    await on.phone.send_text("carla", "hello", account=account)
    async with launched() as browser:
        page = await Window(browser, on.server).log_in(OWNER, OWNER_PASSWORD)
        await page.goto("/inbox")
        await page.get_by_text("Carla").first.wait_for()
        await page.evaluate(_WATCH)
        for n in range(count):
            await on.phone.send_text("carla", f"visible-{n}-end", account=account)
            await asyncio.sleep(1 / rate)
        await asyncio.sleep(2)
        seen = await page.evaluate("window.seen")
    answer = await on.api.get(f"/api/accounts/{account}/messages", params={"limit": 200})
    stored = {item["text"]: datetime.fromisoformat(item["created_at"]).timestamp() for item in answer.json()["items"]}
    print(f"{len(seen)} of {count} were seen")
    return [seen[name] / 1_000 - stored[name] for name in seen]


async def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 3
    async with stage() as on:
        found = await measure(on, count, rate)
    print(f"stored to visible, {rate:.0f}/s: {percentiles(found)}")


if __name__ == "__main__":
    asyncio.run(main())
