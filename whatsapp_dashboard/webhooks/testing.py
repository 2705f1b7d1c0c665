"""Test events: sent once, at once, so that an operator sees what an endpoint answers (HOOK-1)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.events.log import EventRecord, last_seq
from whatsapp_dashboard.models import Account, Webhook
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.webhooks.attempt import Letter, Outcome, attempt
from whatsapp_dashboard.webhooks.claims import CLAIM_SECONDS
from whatsapp_dashboard.webhooks.endpoints import Endpoint
from whatsapp_dashboard.webhooks.fanout import delivery_row
from whatsapp_dashboard.webhooks.feed import DeliveryFeed
from whatsapp_dashboard.webhooks.lanes import Claimed
from whatsapp_dashboard.webhooks.payload_base import milliseconds
from whatsapp_dashboard.webhooks.payloads import TEST, Envelope, Test
from whatsapp_dashboard.webhooks.settling import Settled, settle
from whatsapp_dashboard.webhooks.views import DeliveryState, TestResult

_EVENT = metadata.tables["webhook_event"]
_DELIVERY = metadata.tables["webhook_delivery"]


class Tester:
    """Sends test events."""

    def __init__(self, db: Database, clock: Clock, http: Outgoing, feed: DeliveryFeed) -> None:
        self._db = db
        self._clock = clock
        self._http = http
        self._feed = feed

    async def send(self, who: Principal, webhook: Webhook, endpoint: Endpoint) -> TestResult:
        """To a saved webhook, as a delivery of one try."""
        now = self._clock.now()
        async with self._db.write() as session:
            account = await session.get(Account, webhook.account_id) if webhook.account_id else None
            body = self._body(who, account)
            event = EventRecord(
                seq=await last_seq(session),
                id=new_id(),
                type=TEST,
                at=now,
                workspace_id=who.workspace_id,
                account_id=webhook.account_id,
                conversation_id=None,
                message_id=None,
                data={},
            )
            row = delivery_row(webhook.id, event, now)
            item = Claimed(
                id=str(row["id"]),
                webhook_id=webhook.id,
                event_id=event.id,
                event_type=TEST,
                conversation_id=None,
                attempts=0,
                tries=0,
                replays=0,
                claim_id=f"test:{new_id()}",  # runs out by itself: a test that is cut off is sent later like any delivery
            )
            held = {
                "state": DeliveryState.DELIVERING.value,
                "claim_id": item.claim_id,
                "claimed_until": now + timedelta(seconds=CLAIM_SECONDS),
            }
            built = {"id": event.id, "type": TEST, "account_id": webhook.account_id, "body": body, "created_at": now}
            await session.execute(insert(_EVENT), [built])
            await session.execute(insert(_DELIVERY), [row | held])
        outcome = await attempt(self._http, self._clock, endpoint, Letter(event.id, TEST, item.id, 1, body.encode()))
        async with self._db.write() as session:
            await settle(session, [Settled(item, outcome)], lambda _: {})
        self._feed.tell()
        return _result(outcome, body)

    async def try_out(self, who: Principal, endpoint: Endpoint) -> TestResult:
        """To an endpoint that is not saved; nothing is stored."""
        body = self._body(who, None)
        return _result(await attempt(self._http, self._clock, endpoint, Letter(new_id(), TEST, new_id(), 1, body.encode())), body)

    def _body(self, who: Principal, account: Account | None) -> str:
        return Envelope(
            event=TEST,
            account_id=account.id if account else None,
            account_name=account.name if account else None,
            account_phone=account.phone if account else None,
            timestamp=milliseconds(self._clock.now()),
            data=Test(message="This is a test of your webhook.", sent_by=who.username).model_dump(),
        ).model_dump_json()


def _result(outcome: Outcome, body: str) -> TestResult:
    return TestResult(
        succeeded=outcome.succeeded,
        status=outcome.status,
        ms=outcome.ms,
        error=outcome.error,
        address=outcome.address,
        request_headers=outcome.request_headers,
        request_body=body,
        response_headers=outcome.response_headers,
        response_body=outcome.response_body,
        response_truncated=outcome.response_truncated,
    )
