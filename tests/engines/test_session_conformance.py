"""How every engine links, stays linked, and tells that it is not (ENG-6, ACC-3, ACC-5, ACC-9, ACC-10)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from tests.engines.harness import Harness, Rig
from tests.support.waiting import until
from whatsapp_dashboard.domain.engine_events import (
    PASSKEY_NEEDED_REASON,
    DisconnectCause,
    Disconnected,
    MessageReceived,
    OfflineSyncDone,
    QrCode,
    Ready,
    Restricted,
)
from whatsapp_dashboard.domain.messages import Content, MessageKey, MessageType
from whatsapp_dashboard.engines.base import Capability
from whatsapp_dashboard.errors import AppError, Permanent, Retryable, Unavailable, Unsupported

HELLO = Content(MessageType.TEXT, "Hello")


async def test_a_new_account_shows_a_qr_and_a_scan_links_it(rig: Rig) -> None:
    """ACC-3."""
    await rig.start()
    code = await rig.wait_for(QrCode)
    assert code.text
    assert code.expires_at > datetime.now(UTC)
    assert rig.credentials is None
    phone = await rig.harness.scan(code.text)
    ready = await rig.wait_for(Ready)
    assert ready.phone == phone
    assert ready.push_name
    assert rig.credentials, "the credentials are stored before the account is reported ready"


async def test_a_pairing_code_links_it_instead(rig: Rig) -> None:
    """ACC-3."""
    if Capability.PAIRING_CODE not in rig.harness.engine.capabilities:
        pytest.skip("this engine links by QR only")
    engine = await rig.start()
    await rig.wait_for(QrCode)
    number = await rig.harness.owner_number()
    code = await engine.pair_with_phone(number)
    assert len(code.code.replace("-", "")) == 8
    await rig.harness.enter_code(code.code)
    assert (await rig.wait_for(Ready)).phone == number


@pytest.mark.parametrize("by_code", [False, True])
async def test_a_number_that_needs_a_passkey_says_so(rig: Rig, by_code: bool) -> None:
    """ACC-14: at once, in words and as a cause of its own, whichever way it is linked; nothing is stored, and a new try is a new one."""
    number = await rig.harness.owner_number()
    await rig.harness.ask_for_passkey()
    engine = await rig.start()
    shown = await rig.wait_for(QrCode)
    if by_code:
        await rig.harness.enter_code((await engine.pair_with_phone(number)).code)
    else:
        await rig.harness.scan(shown.text)
    end = await rig.wait_for(Disconnected)
    assert (end.cause, end.reason) == (DisconnectCause.PASSKEY_NEEDED, PASSKEY_NEEDED_REASON)
    assert not rig.of(Ready)
    assert rig.credentials is None
    await engine.stop()
    await rig.start()
    assert (await rig.wait_for(QrCode)).text != shown.text


async def test_stored_credentials_bring_the_session_back_without_a_qr(linked: Rig) -> None:
    """ACC-4."""
    await linked.restart()
    assert not linked.of(QrCode)
    assert (await linked.wait_for(Ready)).phone


async def test_stop_is_safe_twice_and_before_a_start(rig: Rig) -> None:
    """ENG-1."""
    await rig.link()
    await rig.engine.stop()
    await rig.engine.stop()
    assert not rig.of(Disconnected), "a stop we asked for is no loss"
    with pytest.raises(AppError):
        await rig.engine.probe()


async def test_the_probe_proves_a_live_connection(linked: Rig) -> None:
    """ACC-9."""
    await linked.engine.probe()


async def test_the_probe_fails_on_a_connection_that_hangs(linked: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-9."""
    monkeypatch.setattr(f"{linked.harness.engine.__module__}.PROBE_SECONDS", 0.3)
    await linked.harness.hang()
    with pytest.raises(Unavailable):
        await linked.engine.probe()


async def test_a_lost_connection_is_reported_once(linked: Rig) -> None:
    """ACC-5."""
    await linked.harness.drop()
    lost = await linked.wait_for(Disconnected)
    assert lost.cause is DisconnectCause.CONNECTION_LOST
    assert lost.reason
    with pytest.raises((Unavailable, Retryable)):
        await linked.engine.send("k", await linked.harness.carla(), HELLO)
    assert len(linked.of(Disconnected)) == 1
    await linked.restart()
    await linked.engine.probe()


async def test_removal_on_the_phone_is_a_log_out(linked: Rig) -> None:
    """ACC-5."""
    await linked.harness.log_out()
    assert (await linked.wait_for(Disconnected)).cause is DisconnectCause.LOGGED_OUT
    assert linked.credentials is None
    await linked.engine.stop()
    await linked.start()
    await linked.wait_for(QrCode)


async def test_removal_while_away_is_found_out_at_the_next_start(linked: Rig) -> None:
    """ACC-5."""
    await linked.engine.stop()
    await linked.harness.log_out()
    await linked.start()
    assert (await linked.wait_for(Disconnected)).cause is DisconnectCause.LOGGED_OUT
    assert not linked.of(Ready)


async def test_our_own_log_out_forgets_the_credentials(linked: Rig) -> None:
    """ACC-7."""
    await linked.engine.logout()
    assert linked.credentials is None
    await linked.engine.stop()
    await linked.start()
    await linked.wait_for(QrCode)


async def test_replaced_restarted_and_outdated_are_told_apart(linked: Rig) -> None:
    """ACC-5."""
    await linked.harness.replace()
    assert (await linked.wait_for(Disconnected)).cause is DisconnectCause.REPLACED
    await linked.restart()
    await linked.harness.require_restart()
    await until(lambda: told_or_back(linked))
    assert {end.cause for end in linked.of(Disconnected)} <= {DisconnectCause.RESTART_REQUIRED}
    await linked.restart()
    await linked.harness.refuse_version()
    assert (await linked.wait_for(Disconnected)).cause is DisconnectCause.OUTDATED
    assert linked.credentials, "none of these costs the link"


async def told_or_back(linked: Rig) -> bool:
    """Whether the engine asked for a restart, or has a connection that WhatsApp answers on."""
    if linked.of(Disconnected):
        return True
    try:
        await linked.engine.probe()
    except Unavailable:
        return False
    return True


async def test_a_ban_carries_its_end(linked: Rig) -> None:
    """ACC-5."""
    until_when = time.time() + 3600
    await linked.harness.ban(until_when)
    banned = await linked.wait_for(Disconnected)
    assert banned.cause is DisconnectCause.BANNED
    assert banned.until is not None
    assert abs(banned.until.timestamp() - until_when) < 1


async def test_a_restriction_on_sending_is_announced(linked: Rig) -> None:
    """ACC-11."""
    await linked.harness.restrict_sends()
    with pytest.raises((Retryable, Permanent)):
        await linked.engine.send("k", await linked.harness.carla(), HELLO)
    assert (await linked.wait_for(Restricted)).code == "463"
    assert await linked.harness.arrived() == []


async def test_what_waited_while_away_is_marked_and_its_end_announced(linked: Rig) -> None:
    """ACC-10."""
    await linked.wait_for(OfflineSyncDone)
    await linked.engine.stop()
    missed = [await linked.harness.carla_sends(Content(MessageType.TEXT, f"missed {n}")) for n in range(3)]
    await linked.start()
    done = await linked.wait_for(OfflineSyncDone)
    assert done.count == 3
    assert [event.wa_id for event in linked.of(MessageReceived)] == missed
    assert all(event.offline for event in linked.of(MessageReceived))
    fresh = await linked.harness.carla_sends(HELLO)
    assert not (await linked.wait_for(MessageReceived, lambda event: event.wa_id == fresh)).offline


async def test_history_is_marked(linked: Rig) -> None:
    """ACC-8."""
    known = await linked.harness.carla_sends(HELLO)
    assert not (await linked.wait_for(MessageReceived)).history
    await linked.harness.replay_history(5)
    old = await linked.wait_for_many(MessageReceived, 5, lambda event: event.history)
    assert known in [event.wa_id for event in old], "a message from before comes again, as history"
    assert len({event.wa_id for event in old}) == 5


async def test_an_event_that_was_not_stored_comes_again(linked: Rig) -> None:
    """DUR-1: acknowledged only after emit returned."""
    linked.refuse = lambda event: isinstance(event, MessageReceived)
    wa_id = await linked.harness.carla_sends(HELLO)
    await asyncio.sleep(0.2)
    assert not linked.of(MessageReceived)
    linked.refuse = lambda _event: False
    await linked.restart()
    assert (await linked.wait_for(MessageReceived)).wa_id == wa_id


async def test_an_event_that_was_stored_does_not_come_again(linked: Rig) -> None:
    """DUR-1."""
    await linked.harness.carla_sends(HELLO)
    await linked.wait_for(MessageReceived)
    await asyncio.sleep(0.1)
    await linked.restart()
    await linked.wait_for(OfflineSyncDone)
    assert not linked.of(MessageReceived)


async def test_missing_capabilities_are_refused_clearly(linked: Rig, harness: Harness) -> None:
    """ENG-1."""
    if Capability.BUTTONS not in harness.engine.capabilities:
        with pytest.raises(Unsupported, match="buttons"):
            await linked.engine.send("k", await harness.carla(), Content(MessageType.BUTTONS, "Choose"))
    assert await harness.arrived() == []


async def test_ticks_reach_the_contact_when_events_are_stored_and_read(linked: Rig) -> None:
    """MSG-4 from the contact's side."""
    if Capability.MARK_READ not in linked.harness.engine.capabilities:
        pytest.skip("this engine cannot mark as read")
    wa_id = await linked.harness.carla_sends(HELLO)
    event = await linked.wait_for(MessageReceived)
    assert not await linked.harness.was_read_by_us(wa_id)
    await linked.engine.mark_read([MessageKey(wa_id, event.chat, from_me=False, sender=event.sender)])
    await until(lambda: linked.harness.was_read_by_us(wa_id))
