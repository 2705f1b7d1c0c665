"""What operators do with webhooks, and what they cannot (HOOK-1, HOOK-7, SEC-6, SEC-7)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from tests.webhooks.conftest import House
from whatsapp_dashboard.core.safe_http import Refused
from whatsapp_dashboard.errors import Forbidden, Invalid, NotFound
from whatsapp_dashboard.models import Webhook
from whatsapp_dashboard.webhooks.views import GENERATE, KEPT, DeliveryFilters, WebhookDraft, WebhookState

TOKEN = "Bearer top-secret-token"


async def test_secrets_are_sealed_and_never_told_again(house: House) -> None:
    """SEC-7, HOOK-1: the database holds neither the secret nor the headers' values; views tell the end and the names."""
    url = house.receivers.url("accept", "a")
    saved = await house.webhooks.create(house.cast.ben, WebhookDraft(url=url, secret=GENERATE, headers={"Authorization": TOKEN}))
    assert saved.secret
    async with house.db.read() as session:
        row = (await session.scalars(select(Webhook))).one()
    told = repr(row) + repr(await house.webhooks.list(house.cast.ben)) + repr(await house.webhooks.get(house.cast.ben, row.id))
    assert saved.secret not in told
    assert TOKEN not in told
    assert (saved.webhook.secret_hint, saved.webhook.header_names) == (saved.secret[-4:], ("Authorization",))
    await house.happens()
    (arrival,) = await house.receivers.until(1)
    assert arrival.headers["authorization"] == TOKEN
    (row2,) = await house.until(succeeded=1)
    detail = await house.deliveries.get(house.cast.vic, row2.id)
    assert detail.attempts[0].request_headers["Authorization"] == KEPT


async def test_a_header_that_is_kept_keeps_its_value(house: House) -> None:
    """HOOK-1: the edit dialog does not know the values."""
    hook = await house.hook(house.receivers.url("accept", "a"), headers={"Authorization": TOKEN, "X-Other": "1"})
    await house.webhooks.update(house.cast.ben, hook.id, {"headers": {"Authorization": KEPT, "X-New": "2"}})
    await house.happens()
    (arrival,) = await house.receivers.until(1)
    assert (arrival.headers["authorization"], arrival.headers["x-new"]) == (TOKEN, "2")
    assert "x-other" not in arrival.headers


async def test_a_url_that_is_kept_is_not_looked_up_again(house: House) -> None:
    """HOOK-1: renaming a webhook whose receiver is away, or whose network is no longer allowed, is no reason to refuse."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    async with house.db.write() as session:
        await session.execute(update(Webhook).values(url="http://gone.invalid/hook"))
    renamed = await house.webhooks.update(house.cast.ben, hook.id, {"url": "http://gone.invalid/hook", "name": "New"})
    assert renamed.name == "New"
    with pytest.raises(Invalid):
        await house.webhooks.update(house.cast.ben, hook.id, {"url": "http://other.invalid/hook"})


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://example.org/x"}, "url"),
        ({"url": "https://user:password@example.org/"}, "url"),
        ({"url": "https://" + "x" * 3_000 + ".org"}, "url"),
        ({"url": "http://does-not-exist.invalid/"}, "url"),
        ({"events": ()}, "events"),
        ({"events": ("message", "message.exploded")}, "events"),
        ({"name": "x" * 256}, "name"),
        ({"headers": {"Content-Length": "5"}}, "headers"),
        ({"headers": {"webhook-id": "mine"}}, "headers"),
        ({"headers": {"bad name": "x"}}, "headers"),
        ({"headers": {"X-Break": "a\r\nX-Injected: 1"}}, "headers"),
        ({"headers": {"X-Twice": "1", "x-twice": "2"}}, "headers"),
        ({"headers": {"X-Kept": KEPT}}, "headers"),
        ({"headers": {f"X-{number}": "1" for number in range(21)}}, "headers"),
        ({"secret": "short"}, "secret"),
    ],
)
async def test_bad_input_is_refused_by_field_and_nothing_is_saved(house: House, draft: dict[str, object], field: str) -> None:
    """HOOK-1."""
    given: dict[str, object] = {"url": house.receivers.url("accept", "a"), **draft}
    with pytest.raises(Invalid) as refused:
        await house.webhooks.create(house.cast.ben, WebhookDraft(**given))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert await house.webhooks.list(house.cast.ben) == []


@pytest.mark.parametrize(
    ("url", "code"), [("http://10.1.2.3/hook", "private_network"), ("http://169.254.169.254/latest/meta-data", "forbidden_address")]
)
async def test_a_private_url_names_what_an_owner_would_have_to_allow(house: House, url: str, code: str) -> None:
    """HOOK-7: when creating, changing and testing."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    tries = (
        house.webhooks.create(house.cast.ben, WebhookDraft(url=url)),
        house.webhooks.update(house.cast.ben, hook.id, {"url": url}),
        house.webhooks.test_draft(house.cast.ben, WebhookDraft(url=url)),
    )
    for attempt in tries:
        with pytest.raises(Refused) as refused:
            await attempt
        assert (refused.value.code, refused.value.host) == (code, url.split("/")[2])


async def test_a_viewer_may_not_and_a_stranger_finds_nothing(house: House) -> None:
    """SEC-6."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.happens()
    (row,) = await house.until(succeeded=1)
    draft = WebhookDraft(url=hook.url)

    def changes(who):  # type: ignore[no-untyped-def]
        return (
            house.webhooks.update(who, hook.id, {"name": "x"}),
            house.webhooks.toggle(who, hook.id),
            house.webhooks.pause(who, hook.id),
            house.webhooks.resume(who, hook.id),
            house.webhooks.rotate_secret(who, hook.id),
            house.webhooks.remove_secret(who, hook.id),
            house.webhooks.test(who, hook.id),
            house.webhooks.test_draft(who, draft, webhook_id=hook.id),
            house.webhooks.delete(who, hook.id),
            house.deliveries.replay(who, row.id),
            house.deliveries.replay_since(who, hook.id, hook.created_at),
        )

    for change in changes(house.cast.vic):
        with pytest.raises(Forbidden):
            await change
    for change in (*changes(house.cast.mallory), house.webhooks.get(house.cast.mallory, hook.id)):
        with pytest.raises(NotFound):
            await change
    with pytest.raises(NotFound):
        await house.deliveries.get(house.cast.mallory, row.id)
    assert await house.webhooks.list(house.cast.mallory) == []
    assert (await house.deliveries.page(house.cast.mallory, DeliveryFilters(webhook_id=hook.id))).rows == ()
    assert await house.deliveries.replay_matching(house.cast.mallory, DeliveryFilters(state="succeeded")) == 0
    with pytest.raises(NotFound):
        await house.webhooks.create(house.cast.mallory, WebhookDraft(url=hook.url, account_id=house.account_id))


async def test_a_paused_webhook_queues_and_one_that_is_off_does_not(house: House) -> None:
    """HOOK-1, HOOK-8."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    paused = await house.webhooks.pause(house.cast.ben, hook.id)
    assert paused.state is WebhookState.PAUSED
    for text in ("one", "two", "three"):
        await house.happens(text)
    (row, *_) = await house.until(pending=3)
    assert (await house.deliveries.get(house.cast.vic, row.id)).row.held == "paused"
    await asyncio.sleep(0.1)
    assert house.receivers.arrivals == []
    await house.webhooks.resume(house.cast.ben, hook.id)
    await house.receivers.until(3)
    assert [item.json["data"]["body"] for item in house.receivers.arrivals] == ["one", "two", "three"]
    await house.webhooks.toggle(house.cast.ben, hook.id)
    await house.happens("four")
    await house.webhooks.toggle(house.cast.ben, hook.id)
    await house.happens("five")
    await house.receivers.until(4)
    assert house.receivers.arrivals[-1].json["data"]["body"] == "five"


async def test_resuming_opens_the_breaker(house: House) -> None:
    """HOOK-5: the operator has repaired the endpoint and need not wait for a probe."""
    hook = await house.hook(house.receivers.url("500", "a"))
    for number in range(15):
        await house.happens(str(number))
    await house.until_failing(hook)
    await house.until(pending=15)
    house.receivers.behaviours["a"] = "accept"
    await house.webhooks.resume(house.cast.ben, hook.id)
    await house.pass_time(34)
    await house.until(succeeded=15)


async def test_a_test_event_is_sent_once_and_is_in_the_log(house: House) -> None:
    """HOOK-1: whatever the webhook subscribes to, also while it is off; a draft leaves nothing behind."""
    hook = await house.hook(house.receivers.url("say", "a"), enabled=False)
    result = await house.webhooks.test(house.cast.ben, hook.id)
    assert (result.succeeded, result.status, result.response_body) == (True, 200, "<b>thanks</b>")
    (row,) = await house.delivery_rows()
    assert (row.event_type, row.state, row.attempts) == ("webhook.test", "succeeded", 1)
    house.receivers.behaviours["a"] = "500"
    failed = await house.webhooks.test(house.cast.ben, hook.id)
    assert (failed.succeeded, failed.error) == (False, "The endpoint answered 500 Internal Server Error.")
    assert [each.state for each in await house.delivery_rows()] == ["succeeded", "dead"]
    draft = WebhookDraft(url=house.receivers.url("accept", "b"), headers={"Authorization": TOKEN}, secret="a secret of mine")
    tried = await house.webhooks.test_draft(house.cast.ben, draft)
    assert (tried.status, tried.request_headers["Authorization"]) == (204, KEPT)
    assert house.receivers.of("b")[0].headers["authorization"] == TOKEN
    assert "x-webhook-signature" in house.receivers.of("b")[0].headers
    assert len(await house.delivery_rows()) == 2


async def test_accounts_count_their_webhooks(house: House) -> None:
    """ACC-7: active and total."""
    await house.hook(house.receivers.url("accept", "a"))
    await house.hook(house.receivers.url("accept", "b"), account_id=house.account_id, enabled=False)
    assert (await house.webhooks.counts(house.cast.vic))[house.account_id] == (1, 2)
    assert len(await house.webhooks.list(house.cast.vic, account_id=house.account_id)) == 2


async def test_deleting_a_webhook_in_full_flight_leaves_nothing(house: House) -> None:
    """HOOK-1: results that come in later change nothing and trouble nobody."""
    doomed = await house.hook(house.receivers.url("slow:0.3", "slow"))
    await house.hook(house.receivers.url("accept", "good", port=1))
    for number in range(10):
        await house.happens(str(number))
    await house.receivers.until(4, "slow")
    await house.webhooks.delete(house.cast.ben, doomed.id)
    await asyncio.sleep(0.5)
    await house.happens("after")
    await house.receivers.until(11, "good")
    rows = await house.until(succeeded=11)
    assert len(rows) == 11
