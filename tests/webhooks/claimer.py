"""A process that claims deliveries and settles them at once: ``python -m tests.webhooks.claimer DATABASE_URL WEBHOOK_ID``.

It prints the id and the place of each delivery that it had, in the order it had them.
"""

from __future__ import annotations

import asyncio
import sys

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.webhooks.attempt import Outcome
from whatsapp_dashboard.webhooks.claims import Claims
from whatsapp_dashboard.webhooks.settling import Settled, settle

AT_ONCE = 7
IDLE_ROUNDS = 20


async def main(url: str, webhook_id: str) -> None:
    """Until nothing is left."""
    db, clock = Database(url), Clock()
    claims = Claims(db, clock)
    idle = 0
    while idle < IDLE_ROUNDS:
        items = (await claims.take({webhook_id: AT_ONCE})).get(webhook_id, [])
        idle = 0 if items else idle + 1
        await asyncio.sleep(0.005)  # a delivery takes its time: meanwhile others must keep their hands off its conversation
        if items:
            for item in items:
                print(item.id, item.conversation_id, item.body.decode(), flush=True)
            async with db.write() as session:
                await settle(session, [Settled(item, Outcome(clock.now(), 1, succeeded=True, status=204)) for item in items], lambda _: {})
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
