"""Secrets of a webhook go to the server they were given for, and are seen by nobody (SEC-7, HOOK-1, HOOK-6)."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col
from structlog.testing import capture_logs

from tests.webhooks.conftest import House
from whatsapp_dashboard.core.masking import MASK
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.models import Event, Webhook
from whatsapp_dashboard.models.base import metadata
from whatsapp_dashboard.system.sealing import seal_addresses
from whatsapp_dashboard.webhooks.views import GENERATE, KEPT, WebhookDraft

VALUE = "Zk7pQ2wE9rT4yU6iO8a"
SIGNING = "only-we-two-know-this"
TOKEN = "qW3eR5tY7uI9oP1aS2dF"


async def everything_stored(house: House) -> str:
    """Every column of every table, as text."""
    found = []
    async with house.db.read() as session:
        for table in metadata.sorted_tables:
            found += [repr(tuple(row)) for row in await session.execute(select(table))]
    return "\n".join(found)


async def test_another_server_gets_no_header_that_was_given_for_this_one(house: House) -> None:
    """SEC-7: whoever may change the URL cannot read write-only headers that way, neither by saving nor by trying; the same server on
    another path may keep them."""
    hook = await house.hook(house.receivers.url("accept", "mine"), headers={"Authorization": f"Bearer {VALUE}", "X-Team": "blue"})
    theirs = house.receivers.url("accept", "theirs", port=1)
    kept = {"Authorization": KEPT, "X-Team": "red"}
    for change in ({"url": theirs}, {"url": theirs, "headers": kept}, {"url": theirs.replace("127.0.0.1", "127.0.0.2"), "headers": kept}):
        with pytest.raises(Invalid, match=r"another server: enter .*Authorization.* again") as caught:
            await house.webhooks.update(house.cast.ben, hook.id, change)
        assert (caught.value.code, caught.value.field) == ("secret_needed", "headers")
    with pytest.raises(Invalid, match="another server"):
        await house.webhooks.test_draft(house.cast.ben, WebhookDraft(url=theirs, headers=kept), webhook_id=hook.id)
    assert (await house.webhooks.get(house.cast.ben, hook.id)).url == hook.url
    assert house.receivers.arrivals == []

    moved = await house.webhooks.update(house.cast.ben, hook.id, {"url": house.receivers.url("accept", "elsewhere")})
    assert (await house.webhooks.test(house.cast.ben, moved.id)).succeeded
    await house.webhooks.update(house.cast.ben, hook.id, {"url": theirs, "headers": {"X-Team": "red"}})
    assert (await house.webhooks.test(house.cast.ben, hook.id)).succeeded
    assert house.receivers.of("elsewhere")[0].headers["authorization"] == f"Bearer {VALUE}"
    assert "authorization" not in house.receivers.of("theirs")[0].headers


async def test_another_server_gets_no_signature_under_the_secret_of_this_one(house: House) -> None:
    """SEC-7, HOOK-3: its signatures would let another server pass our events on as ours; the secret is entered again, made anew or
    removed, and an overlap ends."""
    hook = await house.hook(house.receivers.url("accept", "mine"), secret=SIGNING)
    await house.webhooks.rotate_secret(house.cast.ben, hook.id, secret="another-one-of-ours")
    theirs = house.receivers.url("accept", "theirs", port=1)
    with pytest.raises(Invalid, match="signing secret again") as caught:
        await house.webhooks.update(house.cast.ben, hook.id, {"url": theirs})
    assert (caught.value.code, caught.value.field) == ("secret_needed", "secret")
    assert (await house.webhooks.test_draft(house.cast.ben, WebhookDraft(url=theirs, secret=KEPT), webhook_id=hook.id)).succeeded
    assert "webhook-signature" not in house.receivers.of("theirs")[0].headers

    saved = await house.webhooks.change(house.cast.ben, hook.id, {"url": theirs, "secret": GENERATE})
    assert str(saved.secret).startswith("whsec_")
    assert saved.webhook.previous_secret_until is None
    assert (await house.webhooks.test(house.cast.ben, hook.id)).succeeded
    assert len(house.receivers.of("theirs")[1].headers["webhook-signature"].split()) == 1
    bare = await house.webhooks.change(house.cast.ben, hook.id, {"url": house.receivers.url("accept", "mine"), "secret": None})
    assert (bare.webhook.has_secret, bare.secret) == (False, None)


async def test_an_endpoint_that_echoes_what_it_got_shows_nobody_a_secret(house: House) -> None:
    """HOOK-6, SEC-7: header values, the signing secret and tokens of the URL are masked in attempts, errors, tests and log lines: plain,
    base64, JSON-escaped, URL-encoded, in headers and in a body that is cut in the middle of one."""
    awkward = 'say "no"/now'
    hook = await house.hook(
        house.receivers.url("echo", "mirror") + f"?token={TOKEN}",
        headers={"Authorization": f"Bearer {VALUE}", "X-Odd": awkward}, secret=SIGNING,
    )  # fmt: skip
    with capture_logs() as lines:
        result = await house.webhooks.test(house.cast.ben, hook.id)
        assert result.status == 500
        assert MASK in result.response_body
        house.receivers.behaviours["mirror"] = "answer"
        forms = [SIGNING, TOKEN, VALUE, quote(awkward, safe=""), json.dumps(awkward), base64.b64encode(f"x:{VALUE}".encode()).decode()]
        house.receivers.words["mirror"] = " ".join(forms).encode()
        spoken = await house.webhooks.test(house.cast.ben, hook.id)
        house.receivers.words["mirror"] = b"." * 4_085 + VALUE.encode() + b"." * 500
        cut = await house.webhooks.test(house.cast.ben, hook.id)
    assert (cut.response_truncated, cut.response_body[-len(MASK) :]) == (True, MASK)
    seen = f"{result}{spoken}{cut}{lines}" + await everything_stored(house)
    detail = [await house.deliveries.get(house.cast.vic, row.id) for row in await house.delivery_rows()]
    seen += f"{detail}{await house.webhooks.list(house.cast.vic)}"
    secrets = (VALUE, VALUE[:11], SIGNING, TOKEN, quote(awkward, safe=""), json.dumps(awkward)[1:-1])
    assert [secret for secret in secrets if secret in seen] == []
    assert base64.b64encode(VALUE.encode()).decode()[2:-4] not in seen
    assert all(arrival.headers["authorization"] == f"Bearer {VALUE}" for arrival in house.receivers.of("mirror"))


async def test_a_token_in_the_url_is_sealed_shown_to_nobody_and_used(house: House) -> None:
    """SEC-7: in rows, events and deliveries there is a mask, which stands for the token when the URL is saved again; another server needs
    it again."""
    hook = await house.hook(house.receivers.url("accept", "hush") + f"?token={TOKEN}")
    assert hook.url.endswith(f"?token={MASK}")
    await house.webhooks.update(house.cast.ben, hook.id, {"url": hook.url, "name": ""})
    longer = await house.webhooks.update(house.cast.ben, hook.id, {"url": hook.url + "&page=2"})
    await house.happens()
    await house.until(succeeded=1)
    with pytest.raises(Invalid) as caught:
        await house.webhooks.update(house.cast.ben, hook.id, {"url": longer.url.replace("//127.0.0.1", "//localhost")})
    assert (caught.value.code, caught.value.field) == ("secret_needed", "url")
    await house.webhooks.pause(house.cast.ben, hook.id)
    assert TOKEN not in await everything_stored(house)


async def test_addresses_of_an_older_version_are_sealed_at_the_start(house: House) -> None:
    """SEC-7: nothing needs to be saved again, and events do not tell them either."""
    bare = house.receivers.url("accept", "old") + f"?token={TOKEN}"
    hook = await house.hook(house.receivers.url("accept", "old"))
    async with house.db.write() as session:
        await session.execute(update(Webhook).values(url=bare))
        for event in await session.scalars(select(Event).where(col(Event.type) == "webhook.created")):
            event.data = event.data | {"name": bare}
    assert await seal_addresses(house.db, house.box) == 1
    assert await seal_addresses(house.db, house.box) == 0
    assert TOKEN not in await everything_stored(house)
    async with house.db.write() as session:
        await session.execute(text("UPDATE webhook SET name = name"))
    assert (await house.webhooks.test(house.cast.ben, hook.id)).succeeded
