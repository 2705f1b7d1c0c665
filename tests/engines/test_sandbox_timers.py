"""The sandbox's phones let messages disappear as real ones do (MSG-12, ENG-5)."""

from __future__ import annotations

import pytest

from tests.engines.harness import Rig, SandboxHarness
from whatsapp_dashboard.domain.engine_events import MessageReceived, TimerChanged
from whatsapp_dashboard.domain.messages import Content, MessageType, Timer
from whatsapp_dashboard.errors import Invalid

DAY = 86_400

pytestmark = pytest.mark.parametrize("harness", ["sandbox"], indirect=True)


async def test_a_contact_sets_the_timer_and_sees_it_on_our_answer(linked: Rig, harness: SandboxHarness) -> None:
    """MSG-12: told, on the contact's messages, on ours, and switched off; only what WhatsApp offers can be set."""
    await harness.phone.set_timer("carla", DAY)
    told = await linked.wait_for(TimerChanged)
    assert (told.seconds, told.chat) == (DAY, await harness.carla())
    await harness.phone.send_text("carla", "soon gone")
    assert (await linked.wait_for(MessageReceived)).timer == Timer(DAY, told.at)
    await linked.engine.send("key", await harness.carla(), Content(MessageType.TEXT, "gone too", timer=Timer(DAY, told.at)))
    (arrived,) = await harness.phone.received("carla")
    assert arrived.content["timer"]["seconds"] == DAY
    chats = {chat["id"]: chat["timer"] for chat in await harness.phone.chats()}
    assert (chats["carla"], chats["dev"]) == (DAY, 0)
    await harness.phone.set_timer("football", DAY)
    assert (await linked.wait_for(TimerChanged, lambda event: not event.chat.is_person)).seconds == DAY
    await harness.phone.set_timer("carla", 0)
    await linked.wait_for(TimerChanged, lambda event: event.seconds == 0)
    with pytest.raises(Invalid, match="24 hours"):
        await harness.phone.set_timer("carla", 5)
