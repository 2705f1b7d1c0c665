"""Webhooks with everything real but the time: database, receivers on loopback, requests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from tests.support.cast import Cast, make_cast
from tests.support.clock import MovableClock
from tests.support.receivers import Receivers
from tests.support.waiting import until
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.domain.ids import Address, new_id
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.messages.message_events import incoming_data
from whatsapp_dashboard.models import Account, WebhookAttempt, WebhookDelivery
from whatsapp_dashboard.webhooks.bodies import BodyBuilder
from whatsapp_dashboard.webhooks.delivery_log import DeliveryLog
from whatsapp_dashboard.webhooks.dispatcher import Dispatcher
from whatsapp_dashboard.webhooks.fanout import FanOut
from whatsapp_dashboard.webhooks.feed import DeliveryFeed
from whatsapp_dashboard.webhooks.housekeeping import Housekeeping
from whatsapp_dashboard.webhooks.service import WebhookService
from whatsapp_dashboard.webhooks.testing import Tester
from whatsapp_dashboard.webhooks.views import DeliveryState, WebhookDraft, WebhookRow, WebhookState

HOLD_HOURS = 72
LOG_DAYS = 30


@dataclass
class House:
    """One dashboard's webhooks."""

    db: Database
    clock: MovableClock
    cast: Cast
    receivers: Receivers
    http: Outgoing
    box: SecretBox
    feed: DeliveryFeed
    dispatcher: Dispatcher
    fan_out: FanOut
    webhooks: WebhookService
    deliveries: DeliveryLog
    housekeeping: Housekeeping
    account_id: str

    async def hook(self, url: str, **draft: Any) -> WebhookRow:
        """A webhook of Ben's."""
        return (await self.webhooks.create(self.cast.ben, WebhookDraft(url=url, **draft))).webhook

    async def happens(self, text: str = "Hello", *, conversation_id: str | None = None, **fields: Any) -> str:
        """A contact writes; the event's id."""
        async with self.db.write() as session:
            message_id = new_id()
            said: dict[str, Any] = {
                "message_id": message_id, "wa_id": "3EB0", "chat": Address(phone="34600111222"), "sender": None, "sender_name": "Carla",
                "chat_name": "Carla", "own_phone": "12025550188", "type": MessageType.TEXT, "body": text, "payload": {}, "media_id": None,
                "media": None, "at": self.clock.now(), "recovered": False,
            }  # fmt: skip
            return record(
                session,
                "message",
                workspace_id=self.cast.ana.workspace_id,
                account_id=self.account_id,
                conversation_id=conversation_id or new_id(),
                message_id=message_id,
                data=incoming_data(**(said | fields)),
            )

    async def delivery_rows(self) -> list[WebhookDelivery]:
        """All deliveries, oldest first."""
        async with self.db.read() as session:
            return list(await session.scalars(select(WebhookDelivery).order_by(col(WebhookDelivery.seq), col(WebhookDelivery.id))))

    async def attempts(self, delivery_id: str = "") -> list[WebhookAttempt]:
        """Attempts in the order they were made."""
        statement = select(WebhookAttempt).order_by(col(WebhookAttempt.started_at), col(WebhookAttempt.id))
        if delivery_id:
            statement = statement.where(col(WebhookAttempt.delivery_id) == delivery_id)
        async with self.db.read() as session:
            return list(await session.scalars(statement))

    async def until(self, **states: int) -> list[WebhookDelivery]:
        """Wait until so many deliveries are in each of these states, and return all deliveries."""

        def fits(rows: list[WebhookDelivery]) -> bool:
            return all(sum(row.state == state for row in rows) == count for state, count in states.items())

        return await until(self.delivery_rows, fits)

    async def until_attempts(self, count: int) -> list[WebhookAttempt]:
        """Wait until so many attempts are written down."""
        return await until(self.attempts, lambda found: len(found) >= count)

    async def until_failing(self, hook: WebhookRow) -> None:
        """Wait until it is known that the endpoint fails."""
        await until(lambda: self.webhooks.get(self.cast.vic, hook.id), lambda row: row.state is WebhookState.FAILING)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, and let what is due happen."""
        await self.clock.advance(seconds)
        await self.dispatcher.tick()


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    """Receivers on two ports."""
    async with Receivers(2) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[Outgoing]:
    """Requests that may reach loopback."""
    client = Outgoing(lambda _: Allowed.parse(["127.0.0.0/8"]), user_agent="test")
    yield client
    await client.close()


@pytest.fixture
async def house(db: Database, clock: MovableClock, receivers: Receivers, http: Outgoing) -> AsyncIterator[House]:
    """Everything running, on SQLite and on PostgreSQL."""
    made = await build(db, clock, receivers, http)
    await made.fan_out.start()
    await made.dispatcher.start()
    yield made
    await made.fan_out.stop()
    await made.dispatcher.stop(0.2)


@pytest.fixture
async def house_on_postgres(postgres_url: str, clock: MovableClock, receivers: Receivers, http: Outgoing) -> AsyncIterator[House]:
    """Everything, not running, on PostgreSQL: other processes do the work."""
    db = Database(postgres_url)
    yield await build(db, clock, receivers, http)
    await db.close()


async def build(db: Database, clock: MovableClock, receivers: Receivers, http: Outgoing, *, parallel: int = 4) -> House:
    """Everything, not yet running."""
    cast = await make_cast(db)
    box, feed, bodies = SecretBox(os.urandom(32)), DeliveryFeed(), BodyBuilder("https://chat.example.org")
    dispatcher = Dispatcher(db, clock, box, http, parallel=parallel, recent=bodies.recent, on_settled=feed.tell)
    fan_out = FanOut(db, clock, bodies, dispatcher.wake)
    db.on_commit.append(fan_out.wake)
    webhooks = WebhookService(db, clock, box, http, bodies=bodies, dispatcher=dispatcher, tester=Tester(db, clock, http, feed))
    account = Account(id=new_id(), workspace_id=cast.ana.workspace_id, name="Bakery", engine="sandbox", phone="12025550188")
    async with db.write() as session:
        session.add(account)
    return House(
        db, clock, cast, receivers, http, box, feed, dispatcher, fan_out, webhooks, DeliveryLog(db, clock, dispatcher, feed),
        Housekeeping(db, clock, hold_hours=HOLD_HOURS, log_days=LOG_DAYS), account.id,
    )  # fmt: skip


def states(rows: list[WebhookDelivery]) -> list[DeliveryState]:
    """Of each delivery."""
    return [DeliveryState(row.state) for row in rows]
