"""From an event to the endpoint: once per webhook, signed, retried on schedule, in order, bounded (HOOK-2 to HOOK-5)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook as StockWebhook

from tests.support.clock import MovableClock
from tests.support.receivers import Receivers
from tests.webhooks.conftest import House, build, states
from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.credits.service import CreditService
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.events.log import read_after
from whatsapp_dashboard.webhooks.schedule import BREAKER_FAILURES, PROBE_SECONDS, RETRY_SECONDS
from whatsapp_dashboard.webhooks.views import GENERATE, DeliveryFilters, DeliveryState, WebhookDraft, WebhookState


async def test_an_incoming_message_reaches_the_endpoint_with_the_documented_keys(house: House) -> None:
    """HOOK-2."""
    await house.hook(house.receivers.url("accept", "a"))
    event_id = await house.happens("What is on the menu?")
    (arrival,) = await house.receivers.until(1)
    assert arrival.event_id == event_id
    body = arrival.json
    assert list(body) == ["event", "account_id", "account_name", "account_phone", "timestamp", "data"]
    assert list(body["data"]) == [
        "message_id", "from", "from_name", "to", "body", "type", "is_group", "group_name", "has_media", "media",
        "wa_id", "conversation_id", "author", "quoted", "place", "cards", "poll", "mentions",
    ]  # fmt: skip
    assert (body["event"], body["account_name"], body["account_phone"]) == ("message", "Bakery", "12025550188")
    assert body["timestamp"] == int(house.clock.now().timestamp() * 1_000)
    assert (body["data"]["from"], body["data"]["to"], body["data"]["type"]) == ("34600111222@c.us", "12025550188@c.us", "chat")
    (row,) = await house.until(succeeded=1)
    assert (row.attempts, row.last_status, row.claim_id) == (1, 204, None)


async def test_a_message_from_an_offline_gap_says_so(house: House) -> None:
    """ACC-10: recovered is added, and only then."""
    await house.hook(house.receivers.url("accept", "a"))
    await house.happens(recovered=True)
    (arrival,) = await house.receivers.until(1)
    assert arrival.json["data"]["recovered"] is True


async def test_both_signatures_verify_and_a_rotation_overlaps(house: House) -> None:
    """HOOK-3: the plain HMAC, and the stock library of Standard Webhooks; during the overlap with the old and the new secret."""
    saved = await house.webhooks.create(house.cast.ben, WebhookDraft(url=house.receivers.url("accept", "a"), secret=GENERATE))
    assert saved.secret
    await house.happens("one")
    (first,) = await house.receivers.until(1)
    StockWebhook(saved.secret).verify(first.body, _fresh(first.headers))
    assert first.headers["x-webhook-signature"] == _plain(saved.secret, first.body)
    rotated = await house.webhooks.rotate_secret(house.cast.ben, saved.webhook.id, overlap_hours=1)
    assert rotated.secret
    assert rotated.secret != saved.secret
    await house.happens("two")
    second = (await house.receivers.until(2))[1]
    for secret in (saved.secret, rotated.secret):
        StockWebhook(secret).verify(second.body, _fresh(second.headers))
    assert second.headers["x-webhook-signature"] == _plain(rotated.secret, second.body)
    assert second.headers["x-webhook-signature-previous"] == _plain(saved.secret, second.body)
    await house.clock.advance(3_601)
    await house.happens("three")
    third = (await house.receivers.until(3))[2]
    assert "x-webhook-signature-previous" not in third.headers
    assert len(third.headers["webhook-signature"].split()) == 1


async def test_each_webhook_gets_exactly_the_events_it_asked_for(house: House) -> None:
    """HOOK-1, HOOK-4: one delivery per matching webhook, and what is set when an event happens decides."""
    both = await house.hook(house.receivers.url("accept", "both"), account_id=house.account_id)
    await house.hook(house.receivers.url("accept", "status"), events=("session.status",))
    off = await house.hook(house.receivers.url("accept", "off"), enabled=False)
    await house.happens("one")
    await house.receivers.until(1)
    # Not waited for: what happened before a change is delivered as it was set then.
    await house.happens("two")
    await house.webhooks.update(house.cast.ben, both.id, {"events": ["session.status"]})
    await house.happens("three")
    await house.webhooks.toggle(house.cast.ben, off.id)
    await house.happens("four")
    await house.until(succeeded=3)
    assert [item.json["data"]["body"] for item in house.receivers.of("both")] == ["one", "two"]
    assert [item.json["data"]["body"] for item in house.receivers.of("off")] == ["four"]
    assert house.receivers.of("status") == []


async def test_used_up_credits_are_told_to_webhooks_of_all_accounts(house: House) -> None:
    """HOOK-2, CRED-1: once, however many messages come; it belongs to no account."""
    await house.hook(house.receivers.url("accept", "all"), events=("credits.exhausted",))
    await house.hook(house.receivers.url("accept", "one"), events=("credits.exhausted",), account_id=house.account_id)
    credits = CreditService(house.db, house.clock)
    await credits.set_price(house.cast.ana, 2)
    await credits.top_up(house.cast.ana, 1)
    for _ in range(3):
        assert not await credits.reserve(house.cast.ana.workspace_id, new_id())
    (arrival,) = await house.receivers.until(1)
    assert (arrival.json["event"], arrival.json["account_id"], arrival.json["account_name"]) == ("credits.exhausted", None, None)
    assert arrival.json["data"] == {"balance": 1, "held": 0, "price": 2}
    assert len(await house.until(succeeded=1)) == 1


async def test_a_failed_delivery_is_tried_on_schedule_and_is_then_a_dead_letter(house: House) -> None:
    """HOOK-4: after 30, 60, 120, 240, 480 s with up to 10 % jitter, then no more; a 404 is retried like any failure."""
    await house.hook(house.receivers.url("404", "a"))
    await house.happens()
    for number, seconds in enumerate(RETRY_SECONDS, 1):
        await house.until_attempts(number)
        (row,) = await house.until(pending=1)
        wait = (row.next_try_at - house.clock.now()).total_seconds()  # type: ignore[operator]
        assert seconds <= wait <= seconds * 1.1
        await house.pass_time(seconds - 1)
        await asyncio.sleep(0.05)
        assert len(await house.attempts()) == number
        await house.pass_time(seconds * 0.1 + 1)
    (row,) = await house.until(dead=1)
    health = (await house.webhooks.get(house.cast.vic, row.webhook_id)).health
    assert (health.delivered, health.given_up, health.success_rate, health.failed) == (0, 1, 0.0, 6)
    assert (row.attempts, row.last_status, row.last_error) == (6, 404, "The endpoint answered 404 Not Found.")
    attempts = await house.attempts()
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4, 5, 6]
    assert {arrival.event_id for arrival in house.receivers.arrivals} == {row.event_id}
    assert [arrival.headers["x-webhook-attempt"] for arrival in house.receivers.arrivals] == list("123456")
    await house.pass_time(10_000)
    await asyncio.sleep(0.1)
    assert len(house.receivers.arrivals) == 6


@pytest.mark.parametrize(("asked", "waits"), [("100", 100), ("5", 30), ("999999", 3_600)])
async def test_retry_after_is_obeyed_up_to_an_hour(house: House, asked: str, waits: int) -> None:
    """HOOK-4: and the whole endpoint is left alone meanwhile."""
    hook = await house.hook(house.receivers.url(f"429:{asked}", "a"))
    await house.happens("one")
    (row,) = await house.until(pending=1)
    await house.until_attempts(1)
    (row,) = await house.delivery_rows()
    wait = (row.next_try_at - house.clock.now()).total_seconds()  # type: ignore[operator]
    assert waits <= wait <= waits * 1.1
    if int(asked) > 5:
        await house.happens("two")
        await house.until(pending=2)
        await asyncio.sleep(0.1)
        assert len(house.receivers.arrivals) == 1
        shown = await house.webhooks.get(house.cast.vic, hook.id)
        assert shown.quiet_until == house.clock.now() + timedelta(seconds=waits)


async def test_retries_and_rests_are_over_when_the_clock_was_set_back(house: House) -> None:
    """HOOK-4, DUR-1: the times they wait for would come late."""
    await house.hook(house.receivers.url("429:3600", "a"))
    await house.happens("one")
    await house.until_attempts(1)
    await house.until(pending=1)
    house.receivers.behaviours["a"] = "accept"
    await house.dispatcher.clock_was_set_back()
    await house.until(succeeded=1)


async def test_an_answer_must_be_complete_and_successful(house: House) -> None:
    """HOOK-4, HOOK-6: what each bad endpoint is noted for; no redirect is followed."""
    said = {
        "500": "The endpoint answered 500 Internal Server Error.",
        "301": "The endpoint answered 301 Moved Permanently.",
        "410": "The endpoint answered 410 Gone.",
        "401": "The endpoint answered 401 Unauthorized.",
        "drop": "The connection ended before the answer was complete.",
        "garbage": "The answer is not HTTP",
        "bighead": "The answer is not HTTP",
    }
    for behaviour in said:
        await house.hook(house.receivers.url(behaviour))
    await house.happens()
    attempts = await house.until_attempts(len(said))
    by_url = {row.id: row.url.rsplit("/", 1)[1] for row in await house.webhooks.list(house.cast.vic)}
    for attempt in attempts:
        assert not attempt.succeeded
        assert attempt.error.startswith(said[by_url[attempt.webhook_id]]), attempt.error
    assert set(states(await house.delivery_rows())) == {DeliveryState.PENDING}


async def test_a_long_answer_is_success_and_only_its_beginning_is_read(house: House) -> None:
    """HOOK-6: 1 GB of body costs 4 KB; markup is kept as text."""
    await house.hook(house.receivers.url("huge"))
    await house.hook(house.receivers.url("say"))
    await house.happens()
    attempts = await house.until_attempts(2)
    huge, said = sorted(attempts, key=lambda attempt: attempt.response_body, reverse=True)
    assert (huge.succeeded, huge.response_truncated, len(huge.response_body)) == (True, True, 4_096)
    assert (said.response_body, said.response_truncated) == ("<b>thanks</b>", False)
    assert said.response_headers["X-Served-By"] == "test"


@pytest.mark.slow
async def test_an_answer_after_nine_seconds_is_in_time(house: House) -> None:
    """HOOK-4: the limit is 10 s."""
    await house.hook(house.receivers.url("slow:9"))
    await house.happens()
    await house.until(succeeded=1)


async def test_order_is_kept_within_a_conversation_and_a_failure_is_overtaken(house: House) -> None:
    """HOOK-4: one at a time per conversation as long as they succeed; a failed one comes later and holds nobody up."""
    await house.hook(house.receivers.url("accept", "a"))
    conversations = [new_id() for _ in range(6)]
    for number in range(60):
        await house.happens(str(number), conversation_id=conversations[number % 6])
    await house.receivers.until(60)
    for first in range(6):
        numbers = [int(item.json["data"]["body"]) for item in house.receivers.of("a") if int(item.json["data"]["body"]) % 6 == first]
        assert all(a < b for a, b in pairwise(numbers)), numbers
    await house.until(succeeded=60)
    house.receivers.behaviours["a"] = "500"
    await house.happens("fails", conversation_id=conversations[0])
    await house.until_attempts(61)
    house.receivers.behaviours["a"] = "accept"
    await house.happens("overtakes", conversation_id=conversations[0])
    await house.receivers.until(62)
    assert house.receivers.arrivals[-1].json["data"]["body"] == "overtakes"
    await house.until(succeeded=61)
    await house.pass_time(34)
    await house.until(succeeded=62)


async def test_an_endpoint_that_hangs_delays_no_other_and_is_bounded(house: House) -> None:
    """HOOK-5."""
    await house.hook(house.receivers.url("hang"))
    await house.hook(house.receivers.url("accept", "good", port=1))
    for number in range(50):
        await house.happens(str(number))
    await house.receivers.until(50, "good")
    assert len(house.receivers.of("hang")) == 4


async def test_an_endpoint_that_keeps_failing_is_left_alone_probed_and_taken_back(house: House) -> None:
    """HOOK-5: nothing that waits burns its tries; when a probe succeeds everything goes out."""
    hook = await house.hook(house.receivers.url("500", "a"))
    for number in range(30):
        await house.happens(str(number))
    await house.until_attempts(BREAKER_FAILURES)
    await house.until_failing(hook)
    await house.until(pending=30)
    made = len(await house.attempts())
    assert made < BREAKER_FAILURES + 4  # what was under way
    assert (await house.webhooks.get(house.cast.vic, hook.id)).health.waiting == 30
    assert await _events(house, "webhook.failing") == 1
    await house.pass_time(PROBE_SECONDS + 1)
    await house.until_attempts(made + 1)
    await asyncio.sleep(0.1)
    assert len(await house.attempts()) == made + 1, "one probe"
    house.receivers.behaviours["a"] = "accept"
    await house.pass_time(PROBE_SECONDS + 1)  # what failed goes out as well, although its own time has not come
    await house.until(succeeded=30)
    assert (await house.webhooks.get(house.cast.vic, hook.id)).state is WebhookState.ACTIVE
    assert await _events(house, "webhook.recovered") == 1


async def test_what_waits_too_long_for_an_endpoint_is_a_dead_letter_and_can_be_replayed(house: House) -> None:
    """HOOK-5, HOOK-8."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    await house.happens()
    (row,) = await house.until(pending=1)
    await house.clock.advance(71 * 3_600)
    await house.housekeeping.sweep()
    assert states(await house.delivery_rows()) == [DeliveryState.PENDING]
    await house.clock.advance(2 * 3_600)
    await house.housekeeping.sweep()
    (row,) = await house.delivery_rows()
    assert (row.state, row.last_error) == ("dead", "The endpoint did not come back within 72 h.")
    assert house.receivers.arrivals == []
    await house.webhooks.resume(house.cast.ben, hook.id)
    assert await house.deliveries.replay_matching(house.cast.ben, DeliveryFilters(state="dead")) == 1
    await house.until(succeeded=1)


async def test_finished_deliveries_are_forgotten_after_a_while_and_waiting_ones_are_not(house: House) -> None:
    """HOOK-6: the log has an end."""
    await house.hook(house.receivers.url("accept", "a"))
    slow = await house.hook(house.receivers.url("accept", "b"))
    await house.webhooks.pause(house.cast.ben, slow.id)
    await house.happens("old")
    await house.until(succeeded=1, pending=1)
    await house.clock.advance(31 * 86_400)
    await house.housekeeping.sweep()
    assert sorted(states(await house.delivery_rows())) == [DeliveryState.DEAD, DeliveryState.SUCCEEDED], "given up just now"
    await house.clock.advance(31 * 86_400)
    await house.housekeeping.sweep()
    assert await house.delivery_rows() == []
    assert await house.attempts() == []


async def test_a_name_that_leads_elsewhere_after_saving_opens_no_socket(db: Database, clock: MovableClock, receivers: Receivers) -> None:
    """HOOK-7: judged again at each delivery; the attempt says why it was not made."""
    answers = {"shop.test": ["93.184.216.34"]}

    async def resolve(host: str, port: int) -> list[str]:
        return answers[host]

    http = Outgoing(lambda _: Allowed(), user_agent="test", resolve=resolve)
    house = await build(db, clock, receivers, http)
    await house.fan_out.start()
    hook = await house.hook(f"http://shop.test:{receivers.numbers[0]}/accept/a")
    answers["shop.test"] = ["127.0.0.1"]
    await house.dispatcher.start()
    await house.happens()
    (attempt,) = await house.until_attempts(1)
    assert attempt.error == "shop.test (127.0.0.1) is on a private network. An owner can allow it."
    assert (await house.webhooks.test(house.cast.ben, hook.id)).error == attempt.error
    assert receivers.connections == 0
    await house.fan_out.stop()
    await house.dispatcher.stop(0.2)
    await http.close()


def _plain(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _fresh(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("webhook-")}


async def _events(house: House, type: str) -> int:
    async with house.db.read() as session:
        return sum(event.type == type for event in await read_after(session, 0, limit=10_000))
