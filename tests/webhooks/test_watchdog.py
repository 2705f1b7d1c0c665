"""A due delivery that nobody takes is noticed, told, and taken (HOOK-4, HOOK-5)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.support.waiting import until
from tests.webhooks.conftest import House
from whatsapp_dashboard.events.log import read_after
from whatsapp_dashboard.webhooks.claims import CLAIM_SECONDS, _due
from whatsapp_dashboard.webhooks.schedule import BREAKER_FAILURES, PROBE_SECONDS_LIMIT, Probe
from whatsapp_dashboard.webhooks.views import DeliveryFilters, WebhookRow, WebhookState
from whatsapp_dashboard.webhooks.watchdog import PATIENCE, Watchdog

MINUTE = PATIENCE.total_seconds()


@pytest.fixture
async def dog(house: House) -> Watchdog:
    """It looks when a test says so."""
    return Watchdog(house.db, house.clock, house.dispatcher, house.feed.tell)


async def test_a_lane_that_counts_one_too_many_is_noticed_told_and_made_anew(house: House, dog: Watchdog) -> None:
    """HOOK-4, HOOK-5: while probes are let through one at a time, a single one counted too many stops everything."""
    hook = await house.hook(house.receivers.url("500", "a"))
    for number in range(BREAKER_FAILURES):
        await house.happens(str(number))
    await house.until_failing(hook)
    rows = await house.until(pending=BREAKER_FAILURES)
    lane = house.dispatcher._lanes[hook.id]
    stuck = house.dispatcher._claims
    lane._under_way["nobody"] = (await stuck.take({hook.id: 1}, {hook.id: Probe.RETRY}))[hook.id][0]
    house.receivers.behaviours["a"] = "accept"
    await house.pass_time(PROBE_SECONDS_LIMIT + 1)
    await dog.look()
    await house.pass_time(MINUTE - 1)
    await dog.look()
    assert (await look(house, hook)).state is WebhookState.FAILING, "not yet"
    assert len(await house.attempts()) == len(rows)
    await house.pass_time(1)
    with capture_logs() as logs:
        await dog.look()
    assert [(entry["log_level"], entry["webhook_id"]) for entry in logs if "nobody took" in entry["event"]] == [("error", hook.id)]
    await house.until(succeeded=BREAKER_FAILURES)
    shown = await look(house, hook)
    assert shown.state is WebhookState.STALLED
    assert shown.stalled_since == house.clock.now() - PATIENCE
    await house.pass_time(10)
    await dog.look()
    shown = await look(house, hook)
    assert (shown.state, shown.stalled_since) == (WebhookState.ACTIVE, None)
    assert [name for name in await events(house) if name in ("webhook.stalled", "webhook.moving")] == ["webhook.stalled", "webhook.moving"]


async def test_a_gate_that_was_never_opened_again_and_a_loop_that_ended_are_mended(house: House, dog: Watchdog) -> None:
    """HOOK-4: whatever it is that stands still; the delivery log says why it waits."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await until(lambda: hook.id in house.dispatcher._lanes)
    house.dispatcher._lanes[hook.id].gate.settling = True
    await house.dispatcher._loop.stop()
    await house.happens()
    await house.until(pending=1)
    await dog.look()
    await house.pass_time(MINUTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.dispatcher, "revive", nothing)
        await dog.look()
    (row,) = (await house.deliveries.page(house.cast.vic, DeliveryFilters())).rows
    assert row.held == "stalled"
    await house.pass_time(MINUTE)
    await dog.look()
    await house.until(succeeded=1)


async def test_a_claim_that_nobody_holds_runs_out_although_its_process_lives(house: House) -> None:
    """HOOK-4: what was lost between the claim and the lane is not kept for ever by renewing it."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    await house.happens()
    await house.until(pending=1)
    await house.dispatcher._claims.take({hook.id: 1})
    await house.webhooks.resume(house.cast.ben, hook.id)
    await house.clock.advance(CLAIM_SECONDS / 2)
    await house.dispatcher.keep()
    await house.until(delivering=1)
    await house.clock.advance(CLAIM_SECONDS / 2 + 1)
    await house.dispatcher.keep()
    await house.until(succeeded=1)


async def test_nothing_is_said_of_endpoints_that_have_a_reason_to_wait(house: House, dog: Watchdog) -> None:
    """HOOK-5: paused, switched off, asked to wait, or failing and not probed yet; nor of one that gets what it is to get."""
    paused, off = [await house.hook(house.receivers.url("accept", name)) for name in ("paused", "off")]
    quiet, failing = await house.hook(house.receivers.url("429:3000", "quiet")), await house.hook(house.receivers.url("500", "failing"))
    await house.hook(house.receivers.url("accept", "good"))
    await house.webhooks.pause(house.cast.ben, paused.id)
    for number in range(BREAKER_FAILURES):
        await house.happens(str(number))
    await house.webhooks.toggle(house.cast.ben, off.id)
    await house.until_failing(failing)
    await until(lambda: look(house, quiet), lambda row: row.quiet_until)
    await dog.look()
    for _ in range(2):
        made = len([attempt for attempt in await house.attempts() if attempt.webhook_id == failing.id])
        await house.pass_time(MINUTE)
        await until(house.attempts, lambda found, made=made: sum(one.webhook_id == failing.id for one in found) > made)  # type: ignore[misc]
        await dog.look()
    assert "webhook.stalled" not in await events(house)


async def test_what_is_due_is_found_by_an_index(house: House) -> None:
    """DUR-3: however long the delivery log is."""
    if not house.db.is_sqlite:
        pytest.skip("the plan of PostgreSQL depends on how much is there; the indexes are the same")
    async with house.db.engine.connect() as connection:
        plan = await connection.execute(text(f"EXPLAIN QUERY PLAN {_due(1).text}"), {"w0": "w", "n0": 1, "t0": "2026-01-01 00:00:00"})
        steps = [str(row[3]) for row in plan if "webhook_delivery" in str(row[3])]
    assert [step.split("INDEX ")[1].split(" ")[0] for step in steps] == ["ix_webhook_delivery_retry", "ix_webhook_delivery_fresh"]


async def nothing(_webhook_id: str) -> None:
    """In place of mending."""


async def look(house: House, hook: WebhookRow) -> WebhookRow:
    """The webhook as people see it."""
    return await house.webhooks.get(house.cast.vic, hook.id)


async def events(house: House) -> list[str]:
    """What happened, in order."""
    async with house.db.read() as session:
        return [event.type for event in await read_after(session, 0, limit=10_000)]
