"""The multi-device engine when the server delivers late, twice, or out of order (MSG-3, MSG-5, DUR-1)."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.engines.harness import Rig
from tests.peer.stage import Stage
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.errors import Unavailable

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("harness", ["multidevice"], indirect=True)]

COUNT = 60


async def faults(**switches: float) -> None:
    """Break the server."""
    stage = Stage.get()
    await stage.do(stage.peer.faults(**switches))


async def is_back(rig: Rig) -> bool:
    """Whether WhatsApp answers on the connection."""
    try:
        await rig.engine.probe()
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize(
    "switches", [{"delay_ms": 40}, {"duplicate": 0.5}, {"reorder": 0.3}, {"delay_ms": 10, "duplicate": 0.3, "reorder": 0.3}], ids=str
)
async def test_every_message_comes_once(linked: Rig, switches: dict[str, float]) -> None:
    """MSG-3, DUR-1: whatever the server does to the order, each is told once and none is missing."""
    await faults(**switches)
    sent = [await linked.harness.carla_sends(Content(MessageType.TEXT, str(number))) for number in range(COUNT)]
    events = await linked.wait_for_many(MessageReceived, COUNT)
    await asyncio.sleep(0.3)  # a second copy would come now
    assert Counter(event.wa_id for event in linked.of(MessageReceived)) == Counter(sent)
    if "reorder" not in switches:
        assert [event.wa_id for event in events] == sent


async def test_a_send_whose_acknowledgement_is_lost_goes_out_once(linked: Rig) -> None:
    """MSG-4, DUR-1: the connection breaks before WhatsApp's answer; the contact has one message, and asking again makes no second."""
    carla = await linked.harness.carla()
    await faults(drop_acks=1.0)
    sending = asyncio.create_task(linked.engine.send("key-1", carla, Content(MessageType.TEXT, "once")))
    await asyncio.sleep(0.5)
    await faults()
    stage = Stage.get()
    await stage.do(stage.peer.drop(await linked.harness.owner_number(), 0))
    first = await asyncio.wait_for(sending, PATIENCE)
    await until(lambda: is_back(linked))
    again = await linked.engine.send("key-1", carla, Content(MessageType.TEXT, "once"))
    assert first.wa_id == again.wa_id
    assert [one.text for one in await linked.harness.arrived()] == ["once"]
