"""Chats whose messages disappear, with real clients on the other side (MSG-12); and chats nobody answers in (ACC-8)."""

from __future__ import annotations

import pytest

from tests.engines.harness import Rig
from tests.engines.multidevice_harness import MultideviceHarness
from tests.peer.stage import CARLA, DEV, Stage
from whatsapp_dashboard.domain.engine_events import MessageReceived, TimerChanged
from whatsapp_dashboard.domain.ids import ContactKind, parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType, Poll, Timer

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("harness", ["multidevice"], indirect=True)]

DAY, WEEK = 86_400, 604_800


async def test_a_customer_sets_the_timer_and_our_answers_carry_it(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """MSG-12: told by the setting and by messages, and switched off; what arrives at the customer's phone carries it."""
    owner, carla = await harness.owner_number(), await harness.carla()
    await stage.do(stage.carla.set_timer(owner, DAY))
    told = await linked.wait_for(TimerChanged)
    assert (told.seconds, told.chat) == (DAY, carla)
    await stage.do(stage.carla.send(owner, Content(MessageType.TEXT, "soon gone", timer=Timer(DAY))))
    message = await linked.wait_for(MessageReceived)
    assert message.timer is not None
    assert message.timer.seconds == DAY
    timer = Timer(DAY, told.at)
    contents = (
        Content(MessageType.TEXT, f"gone too {owner}", timer=timer),
        Content(MessageType.POLL, poll=Poll(f"Gone? {owner}", ("Yes", "No")), timer=timer),
    )
    for number, content in enumerate(contents):
        sent = await linked.engine.send(f"key-{number}", carla, content)
        got = await stage.do(stage.carla.wait_received(type=content.type, where=lambda one, wa_id=sent.wa_id: one.wa_id == wa_id))
        assert got.content.timer == timer
    await stage.do(stage.carla.set_timer(owner, 0))
    assert (await linked.wait_for(TimerChanged, lambda event: event.seconds == 0)).chat == carla


async def test_the_timer_of_a_group(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """MSG-12: a member sets it and switches it off; its messages tell it; ours carry it."""
    group = await stage.do(stage.peer.group("Secrets", [await harness.owner_number(), DEV, CARLA]))
    await stage.do(stage.peer.group_timer(group, DEV, WEEK))
    told = await linked.wait_for(TimerChanged)
    assert (told.seconds, told.chat) == (WEEK, parse_jid(group))
    await stage.do(stage.dev.send(group, Content(MessageType.TEXT, "psst", timer=Timer(WEEK))))
    message = await linked.wait_for(MessageReceived)
    assert message.timer is not None
    assert message.timer.seconds == WEEK
    sent = await linked.engine.send("key", parse_jid(group), Content(MessageType.TEXT, "yes?", timer=Timer(WEEK, told.at)))
    got = await stage.do(stage.dev.wait_received(where=lambda one: one.wa_id == sent.wa_id))
    assert got.content.timer == Timer(WEEK, told.at)
    await stage.do(stage.peer.group_timer(group, DEV, 0))
    await linked.wait_for(TimerChanged, lambda event: event.seconds == 0)


async def test_status_updates_and_channels_are_told_as_what_they_are(linked: Rig, harness: MultideviceHarness, stage: Stage) -> None:
    """ACC-8: so that no bot takes them for a chat with a person: see tests/ai/test_where_nobody_answers.py."""
    owner = await harness.owner_number()
    status = await stage.do(stage.peer.do("owner_posts_status", number=CARLA, viewer=owner, text="On holiday"))
    told = await linked.wait_for(MessageReceived, lambda event: event.wa_id == status)
    assert (told.chat.kind, told.content.text) == (ContactKind.STATUS, "On holiday")
    assert told.sender == await harness.carla()
    await stage.do(stage.peer.do("owner_posts_in_channel", number=CARLA, channel="120363777", follower=owner, text="News"))
    news = await linked.wait_for(MessageReceived, lambda event: event.content.text == "News")
    assert (news.chat.kind, str(news.chat)) == (ContactKind.CHANNEL, "120363777@newsletter")
