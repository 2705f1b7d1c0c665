"""Deliveries a second to fast receivers, and the time from an event to its arrival at 100 events a second; SQLite and PostgreSQL.

    python -m benchmarks.webhooks [endpoints] [events]

The receivers run in a process of their own. Events are appended to the log as the message pipeline does it; the pipeline's own work is not
part of this (see ``benchmarks.inbound``).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from benchmarks.setting import databases, percentiles
from tests.support.receivers import ReceiverProcess
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.domain.ids import Address, new_id
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.message_events import incoming_data
from whatsapp_dashboard.models import Operator
from whatsapp_dashboard.runtime import Runtime
from whatsapp_dashboard.webhooks.views import GENERATE, WebhookDraft

AIM_PER_SECOND, AIM_P95_MS = 500, 100
RATE, RATED_SECONDS = 100, 20
AT_ONCE = 20
"""Events of one transaction when it goes as fast as it can."""
WAIT_SECONDS = 300


class Bench:
    """A running dashboard with one account and webhooks to fast receivers."""

    def __init__(self, runtime: Runtime, who: Principal, receivers: ReceiverProcess, account_id: str) -> None:
        self.runtime, self.who, self.receivers, self.account_id = runtime, who, receivers, account_id
        self.born: dict[str, float] = {}

    async def happen(self, count: int) -> None:
        """So many messages come in, in one transaction."""
        async with self.runtime.db.write() as session:
            for _ in range(count):
                message_id = new_id()
                data = incoming_data(
                    message_id=message_id,
                    wa_id="3EB0",
                    chat=Address(phone="34600111222"),
                    sender=None,
                    sender_name="Carla",
                    chat_name="Carla",
                    own_phone="12025550188",
                    type=MessageType.TEXT,
                    body="Do you have a table for two at nine?",
                    payload={},
                    media_id=None,
                    media=None,
                    at=Clock().now(),
                    recovered=False,
                )
                event_id = record(
                    session, "message", workspace_id=self.who.workspace_id, account_id=self.account_id, conversation_id=new_id(),
                    message_id=message_id, data=data,
                )  # fmt: skip
                self.born[event_id] = time.time()

    async def arrived(self, count: int) -> None:
        """Wait until every endpoint has so many events."""
        async with asyncio.timeout(WAIT_SECONDS):
            while min((await asyncio.to_thread(self.receivers.counts)).values(), default=0) < count:
                await asyncio.sleep(0.1)


async def measure(url: str, endpoints: int, events: int) -> None:
    """Print both figures for one database."""
    with tempfile.TemporaryDirectory() as folder, ReceiverProcess(endpoints) as receivers:
        runtime = Runtime(Settings(data_dir=Path(folder), database_url=url, dashboard_password="not used by anybody"))
        await runtime.start()
        async with runtime.db.read() as session:
            operator = (await session.scalars(select(Operator))).one()
        who = Principal(operator.id, operator.workspace_id, operator.username, Role.OWNER, "")
        await runtime.network.allow(who, "127.0.0.0/8")
        account = await runtime.accounts.create(who, name="Bench", engine="sandbox")
        for port in range(endpoints):
            await runtime.webhooks.create(who, WebhookDraft(url=receivers.url("accept", f"e{port}", port), secret=GENERATE))
        bench = Bench(runtime, who, receivers, account.id)
        await bench.happen(1)
        await bench.arrived(1)

        began = time.perf_counter()
        for _ in range(events // AT_ONCE):
            await bench.happen(AT_ONCE)
        await bench.arrived(1 + events)
        speed = events * endpoints / (time.perf_counter() - began)
        print(f"  {speed:,.0f} deliveries/s, {speed / AIM_PER_SECOND:.1f} of the aim ({events:,} events to {endpoints} endpoints)")

        await asyncio.sleep(2)
        bench.born.clear()
        began = time.perf_counter()
        for number in range(RATE * RATED_SECONDS):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            await bench.happen(1)
        await bench.arrived(1 + events + RATE * RATED_SECONDS)
        arrivals = await asyncio.to_thread(receivers.arrivals)
        delays = sorted(at - bench.born[event_id] for _, at, event_id, _ in arrivals if event_id in bench.born)
        share = delays[int(len(delays) * 0.95)] * 1_000 / AIM_P95_MS
        print(f"  {RATE} events/s for {RATED_SECONDS} s, event -> arrival: {percentiles(delays)}; p95 is {share:.2f} of what is allowed")
        await runtime.stop()


def main() -> None:
    """Measure both databases."""
    endpoints = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 4_000
    with databases() as found:
        for name, url in found:
            print(f"{name}:")
            asyncio.run(measure(url, endpoints, events))


if __name__ == "__main__":
    main()
