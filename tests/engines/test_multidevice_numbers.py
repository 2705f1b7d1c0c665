"""A number that WhatsApp writes in another way than it was typed, with the real library (MSG-2, MSG-10)."""

from __future__ import annotations

import pytest

from tests.engines.harness import Rig
from tests.peer.stage import Stage
from tests.support.waiting import until
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MessageKey, MessageType
from whatsapp_dashboard.engines.base import Lookup
from whatsapp_dashboard.errors import Permanent

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("harness", ["multidevice"], indirect=True)]

AS_WHATSAPP_HAS_IT, AS_IT_IS_TYPED = "5215512345678", "525512345678"


async def test_what_is_sent_to_the_number_as_typed_arrives_where_whatsapp_has_it(linked: Rig) -> None:
    """MSG-2, MSG-10: the look-up tells; later the person's own messages do, and changes go
    the same way. Nobody is there under a number that looks alike."""
    stage, owner = Stage.get(), await linked.harness.owner_number()
    await stage.do(stage.peer.phone(AS_WHATSAPP_HAS_IT, "Ana"))
    found = await linked.engine.lookup(AS_IT_IS_TYPED)
    assert isinstance(found, Lookup)
    assert (found.exists, found.address.phone) == (True, AS_WHATSAPP_HAS_IT)
    first = await linked.engine.send("first", Address(phone=AS_IT_IS_TYPED), Content(MessageType.TEXT, "Hello"))
    await stage.do(stage.peer.owner_sends(AS_WHATSAPP_HAS_IT, owner, "Hola"))
    heard = await linked.wait_for(MessageReceived, lambda event: not event.from_me)
    assert heard.chat.phone == AS_WHATSAPP_HAS_IT
    await linked.engine.send("second", Address(phone=AS_IT_IS_TYPED), Content(MessageType.TEXT, "Thanks"))

    async def both() -> bool:
        there = await stage.do(stage.peer.owner_sees(AS_WHATSAPP_HAS_IT))
        return [told["text"] for told in there if not told["from_me"]] == ["Hello", "Thanks"]

    await until(both)
    await linked.engine.edit("edited", MessageKey(first.wa_id, Address(phone=AS_IT_IS_TYPED), from_me=True), "Hello, Ana")
    went = [sent["to"] for sent in await stage.do(stage.peer.received(owner)) if sent["tag"] == "message"]
    assert len(went) == 3
    assert not [to for to in went if to.startswith(AS_IT_IS_TYPED)], went
    with pytest.raises(Permanent, match="is not on WhatsApp"):
        await linked.engine.send("third", Address(phone="525512345679"), Content(MessageType.TEXT, "Hello?"))
