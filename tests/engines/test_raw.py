"""What crosses the line between the dashboard and an engine's process arrives as it was sent."""

from __future__ import annotations

import json

import pytest

from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MediaRef, MessageType, Poll
from whatsapp_dashboard.engines.raw import content_from_raw, content_to_raw

CARLA = Address(phone="34600111001", lid="100000000000001")


@pytest.mark.parametrize(
    "content",
    [
        Content(MessageType.TEXT, "Until six.", quoted_id="3EB0", quoted_from_me=True, quoted_text="Open?", quoted_sender=CARLA),
        Content(MessageType.TEXT, "hi @34600111001", mentions=("34600111001",)),
        Content(MessageType.LOCATION, location=Location(40.4, -3.7, "Shop", "Main street 1")),
        Content(MessageType.CONTACT, contacts=(ContactCard("Ana", ("+34600111222",), "BEGIN:VCARD"),)),
        Content(MessageType.POLL, "Which day?", poll=Poll("Which day?", ("Monday", "Tuesday"), 0)),
        Content(MessageType.DOCUMENT, "prices", media=MediaFile(b"%PDF-1.4", "application/pdf", "prices.pdf")),
        Content(MessageType.IMAGE, media=MediaFile(b"", "image/jpeg")),
        Content(MessageType.VOICE, media=MediaRef({"wa_id": "3EB0"}, "audio/ogg", 900, "", 4)),
    ],
    ids=["quote", "mention", "location", "contact", "poll", "file", "empty file", "received file"],
)
def test_content_arrives_as_it_was_sent(content: Content) -> None:
    """ENG-1: a file to send keeps its bytes, a received one its token."""
    raw, data = content_to_raw(content)
    assert content_from_raw(json.loads(json.dumps(raw)), data) == content
