"""What receivers get of quotes, places, contacts, polls, mentions, edits and ids, beside the documented keys (HOOK-2, MSG-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tests.webhooks.conftest import House
from whatsapp_dashboard.domain.engine_events import MessageEdited, MessageReceived
from whatsapp_dashboard.domain.ids import Address, parse_jid
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MessageType, Poll
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.models import Message

CARLA = Address(phone="34600111222", lid="111222")
DEV = Address(phone="919876543210")
GROUP = parse_jid("120363000000000001@g.us")


class Line:
    """Messages come in through the real intake, and out through the real dispatcher."""

    def __init__(self, house: House) -> None:
        self.house, self.inbound = house, Inbound(house.db, house.clock)
        self.count = 0

    async def comes(self, content: Content, chat: Address = CARLA, **more: Any) -> dict[str, Any]:
        """The data of the body that the receiver gets of a message that says ``content``."""
        wa_id = more.pop("wa_id", f"WA{self.count}")
        event = MessageReceived(wa_id, chat, content, self.house.clock.now(), sender_name="Carla", **more)
        return await self._told(event)

    async def edited(self, wa_id: str, text: str, **more: Any) -> dict[str, Any]:
        """The same of an edit."""
        return await self._told(MessageEdited(wa_id, CARLA, text, self.house.clock.now() + timedelta(seconds=self.count), **more))

    async def _told(self, event: Any) -> dict[str, Any]:
        self.count += 1
        await self.inbound.submit(self.house.account_id, event)
        found: dict[str, Any] = (await self.house.receivers.until(self.count))[-1].json["data"]
        return found


async def line_of(house: House) -> Line:
    """A line with a webhook for messages, sent ones and edits."""
    await house.hook(house.receivers.url("accept", "a"), events=("message", "message.sent", "message.edited"))
    return Line(house)


def text(words: str, **more: Any) -> Content:
    return Content(MessageType.TEXT, words, **more)


async def test_a_reply_comes_with_what_it_quotes(house: House) -> None:
    """HOOK-2: the stored message, with our id of it; of one that is not stored, what the reply says, without an id."""
    line = await line_of(house)
    first = await line.comes(text("The blue one is 300 €"), wa_id="Q1")
    assert (first["quoted"], first["wa_id"], bool(first["conversation_id"])) == (None, "Q1", True)
    reply = await line.comes(text("I take this one", quoted_id="Q1", quoted_text="forged"))
    assert reply["quoted"] == {
        "message_id": first["message_id"], "wa_id": "Q1", "from_me": False, "author": None, "type": "chat", "body": "The blue one is 300 €",
    }  # fmt: skip
    assert reply["conversation_id"] == first["conversation_id"]
    claim = text("and that", quoted_id="Q9", quoted_from_me=True, quoted_text="Shoes", quoted_type=MessageType.IMAGE, quoted_sender=DEV)
    assert (await line.comes(claim))["quoted"] == {
        "message_id": None, "wa_id": "Q9", "from_me": True, "author": "919876543210@c.us", "type": "image", "body": "Shoes",
    }  # fmt: skip
    assert (await line.comes(text("?", quoted_id="Q8")))["quoted"]["body"] == ""
    sent = await line.comes(text("Yes", quoted_id="Q1"), from_me=True)
    assert (sent["origin"], sent["quoted"]["message_id"]) == ("phone", first["message_id"])


async def test_places_cards_polls_and_mentions_have_keys_of_their_own(house: House) -> None:
    """HOOK-2."""
    line = await line_of(house)
    told = await line.comes(Content(MessageType.LOCATION, location=Location(41.4, 2.2, "Plaza", "Barcelona")))
    assert told["place"] == {"latitude": 41.4, "longitude": 2.2, "name": "Plaza", "address": "Barcelona"}
    told = await line.comes(Content(MessageType.CONTACT, contacts=(ContactCard("Dev", ("+91 98765 43210",), "BEGIN:VCARD"),)))
    assert told["cards"] == [{"name": "Dev", "phones": ["+91 98765 43210"]}]
    told = await line.comes(Content(MessageType.POLL, poll=Poll("Lunch?", ("Yes", "No"), 0)))
    assert (told["poll"], told["body"]) == ({"question": "Lunch?", "options": ["Yes", "No"], "selectable": 0}, "Lunch?")
    told = await line.comes(text("@1 @2", mentions=("34600111222@s.whatsapp.net", "5@lid", "34600111333")))
    assert told["mentions"] == ["34600111222@c.us", "5@lid", "34600111333@c.us"]
    assert (told["place"], told["cards"], told["poll"], told["author"]) == (None, [], None, None)


async def test_a_group_message_says_who_wrote_it(house: House) -> None:
    """HOOK-2: ``from`` is the group."""
    told = await (await line_of(house)).comes(text("hi"), GROUP, sender=DEV, chat_name="Family")
    assert (told["from"], told["author"], told["is_group"]) == (str(GROUP), "919876543210@c.us", True)


async def test_an_edit_says_whether_it_could_be_read(house: House) -> None:
    """HOOK-2, MSG-12."""
    line = await line_of(house)
    first = await line.comes(text("5 mm"), wa_id="M1")
    told = await line.edited("M1", "", readable=False)
    assert (told["body"], told["readable"], told["options"]) == ("5 mm", False, None)
    told = await line.edited("M1", "8 mm")
    assert (told["body"], told["readable"], told["wa_id"], told["message_id"]) == ("8 mm", True, "M1", first["message_id"])
    assert told["conversation_id"] == first["conversation_id"]
    async with house.db.read() as session:
        assert await session.scalar(select(Message.body)) == "8 mm"
