"""Edits and reactions that phones seal with the secret of the message they change, from real clients (MSG-12)."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.engines.harness import Rig
from tests.engines.multidevice_harness import MultideviceHarness
from tests.peer.stage import CARLA, DEV, Stage
from tests.support.sealing import SECRET, sealed_edit, with_secret
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageReceived, ReactionReceived
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.multidevice.client import MultideviceEngine

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("harness", ["multidevice"], indirect=True)]


def of(wa_id: str, text: str):  # type: ignore[no-untyped-def]
    """Whether an edit is that of ``wa_id`` to ``text``."""
    return lambda event: event.target_wa_id == wa_id and event.text == text


@pytest.mark.parametrize("hidden", [False, True], ids=["by number", "by LID"])
async def test_a_customers_sealed_edit_is_read(linked: Rig, harness: MultideviceHarness, stage: Stage, hidden: bool) -> None:
    """MSG-12: also after the engine was restarted in between."""
    owner = await harness.owner_number()
    sent = await stage.do(stage.carla.send(owner, "5 mm please"))
    await linked.wait_for(MessageReceived)
    await stage.do(stage.carla.edit_sealed(sent.wa_id, "8 mm please", hidden=hidden))
    edited = await linked.wait_for(MessageEdited)
    assert (edited.target_wa_id, edited.text, edited.readable, edited.from_me) == (sent.wa_id, "8 mm please", True, False)
    assert edited.chat == edited.sender == await harness.carla()
    await linked.restart()
    await stage.do(stage.carla.edit_sealed(sent.wa_id, "10 mm please", hidden=hidden))
    await linked.wait_for(MessageEdited, of(sent.wa_id, "10 mm please"))


async def test_sealed_changes_in_a_group(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """MSG-12: an edit says who made it; a reaction of another member counts; an edit by another member does not."""
    group = await stage.do(stage.peer.group("Football", [await harness.owner_number(), DEV, CARLA]))
    sent = await stage.do(stage.dev.send(group, "Sunday"))
    first = await linked.wait_for(MessageReceived)
    got = await stage.do(stage.carla.wait_received("Sunday", where=lambda message: message.wa_id == sent.wa_id))
    await stage.do(stage.carla.react_sealed(sent.wa_id, "👍", got.sender))
    reaction = await linked.wait_for(ReactionReceived)
    assert (reaction.target_wa_id, reaction.emoji, reaction.sender) == (sent.wa_id, "👍", await harness.carla())
    await stage.do(stage.carla.edit_sealed(sent.wa_id, "forged"))
    await stage.do(stage.dev.edit_sealed(sent.wa_id, "Monday", hidden=True))
    edited = await linked.wait_for(MessageEdited)
    assert (edited.target_wa_id, edited.text, edited.chat, edited.sender) == (sent.wa_id, "Monday", first.chat, first.sender)


async def test_an_edit_of_a_message_we_do_not_have_is_told_as_one(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """MSG-12: written before the account was linked, for instance."""
    owner = await harness.owner_number()
    elsewhere = await stage.do(stage.carla.send(DEV, "for somebody else"))
    await stage.do(stage.carla.edit_sealed(elsewhere.wa_id, "changed", to=owner))
    edited = await linked.wait_for(MessageEdited)
    assert (edited.target_wa_id, edited.text, edited.readable) == (elsewhere.wa_id, "", False)


async def test_the_owners_own_edits_on_the_phone_are_read(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """MSG-12, AI-8: of what was typed on the phone, and of what the dashboard sent; an edit that comes before its message too."""
    owner = await harness.owner_number()
    own = f"{owner}@s.whatsapp.net"

    async def owner_sends(message: bytes, wa_id: str | None = None) -> str:
        return await stage.do(stage.peer.owner_sends(owner, CARLA, message=message, message_id=wa_id))

    typed = await owner_sends(with_secret("Until sixx").SerializeToString())
    await owner_sends(sealed_edit("Until six", own, target=typed).SerializeToString())
    edited = await linked.wait_for(MessageEdited, of(typed, "Until six"))
    assert (edited.from_me, edited.chat) == (True, await harness.carla())

    assert isinstance(linked.engine, MultideviceEngine)
    result = await linked.engine.send("key-1", await harness.carla(), Content(MessageType.TEXT, "We are open"))
    secret = hmac.digest(linked.engine._vault.message_secret, b"key-1", hashlib.sha256)
    await owner_sends(sealed_edit("We are closed", own, target=result.wa_id, secret=secret).SerializeToString())
    assert (await linked.wait_for(MessageEdited, of(result.wa_id, "We are closed"))).from_me

    await owner_sends(sealed_edit("Better", own, target="3AEARLY", secret=SECRET).SerializeToString())
    closed = await linked.wait_for(MessageEdited, of("3AEARLY", ""))
    assert not closed.readable
    await owner_sends(with_secret("Good").SerializeToString(), "3AEARLY")
    assert (await linked.wait_for(MessageEdited, of("3AEARLY", "Better"))).readable
