"""Texts, places, cards, polls, and what they refer to (MSG-1)."""

from __future__ import annotations

import hashlib

import pytest

from tests.multidevice.convert.build import (
    AT,
    CARLA,
    CARLA_ADDRESS,
    CARLA_HIDDEN,
    DEV,
    GROUP,
    OWN,
    OWN_LID,
    OWN_PHONE,
    Notes,
    event,
    info,
    received,
    said,
    source,
)
from whatsapp_dashboard.domain.engine_events import MessageReceived, PollVoted
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MessageType, Poll
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of, vote_event
from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb

VCARD = """BEGIN:VCARD
VERSION:3.0
N:Shop;Carla;;;
item1.TEL;waid=34600111222:600 11 12
  22
TEL;waid=919812345678:+91 98123 45678
TEL;type=CELL:+44 7700 900123
TEL;type=HOME:+44 7700 900123
NOTE:a\\, b
END:VCARD"""


def text(said_text: str = "Yes", **context: object) -> e2e_pb.Message:
    part = e2e_pb.ExtendedTextMessage(text=said_text, contextInfo=e2e_pb.ContextInfo(**context))
    return e2e_pb.Message(extendedTextMessage=part)


def test_a_text_comes_in_either_of_its_two_shapes() -> None:
    """MSG-1."""
    assert said(e2e_pb.Message(conversation="Hello")) == Content(MessageType.TEXT, "Hello")
    assert said(text("Hello")) == Content(MessageType.TEXT, "Hello")


def test_a_reply_names_the_message_it_quotes() -> None:
    """MSG-7: and whether it was ours, by number or LID, on any device."""
    theirs = said(text(stanzaID="Q1", participant=CARLA))
    assert (theirs.quoted_id, theirs.quoted_from_me) == ("Q1", False)
    for own in (OWN, f"{OWN_LID}@lid", f"{OWN_LID}:7@lid"):
        assert said(text(stanzaID="Q1", participant=own)).quoted_from_me is True
    assert said(text(stanzaID="x" * 500)).quoted_id is None


def test_a_reply_carries_what_it_quotes() -> None:
    """MSG-12: words, a caption, a place or a contact, and who wrote it; a quote of a quote is not followed."""
    inner = text("The blue one is 300 €", stanzaID="Q0", participant=CARLA)
    quote = said(text("I take this one", stanzaID="Q1", participant=OWN, quotedMessage=inner))
    assert (quote.quoted_text, quote.quoted_type) == ("The blue one is 300 €", MessageType.TEXT)
    assert quote.quoted_sender is not None
    assert quote.quoted_sender.phone == OWN_PHONE
    for part, kind, words in (
        (e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(caption="Blue", directPath="/x?y")), MessageType.IMAGE, "Blue"),
        (e2e_pb.Message(locationMessage=e2e_pb.LocationMessage(name="Shop", address="Main 1")), MessageType.LOCATION, "Shop, Main 1"),
        (e2e_pb.Message(contactMessage=e2e_pb.ContactMessage(displayName="Dev")), MessageType.CONTACT, "Dev"),
        (e2e_pb.Message(stickerMessage=e2e_pb.StickerMessage(directPath="/x?y")), MessageType.STICKER, ""),
    ):
        quote = said(text(stanzaID="Q1", participant=CARLA, quotedMessage=part))
        assert (quote.quoted_type, quote.quoted_text) == (kind, words)
    assert said(text(stanzaID="Q1", quotedMessage=e2e_pb.Message())).quoted_type is None
    assert len(said(text(stanzaID="Q1", quotedMessage=e2e_pb.Message(conversation="x" * 5_000))).quoted_text) == 1_000


def test_a_file_can_be_a_reply_too() -> None:
    """MSG-7."""
    part = e2e_pb.ImageMessage(directPath="/x?y", contextInfo=e2e_pb.ContextInfo(stanzaID="Q1", participant=CARLA))
    assert said(e2e_pb.Message(imageMessage=part)).quoted_id == "Q1"


def test_who_is_mentioned_is_told_by_the_number_where_it_is_known() -> None:
    """MSG-1: once each."""
    content = said(text("@5 @34600111222", mentionedJID=[CARLA_HIDDEN, CARLA, "5@lid", "nonsense"]))
    assert content.mentions == (CARLA, "5@lid")


def test_a_place_has_a_name_and_a_live_one_says_so() -> None:
    """MSG-1."""
    part = e2e_pb.LocationMessage(degreesLatitude=40.4, degreesLongitude=-3.7, name="Sol", address="Madrid")
    assert said(e2e_pb.Message(locationMessage=part)).location == Location(40.4, -3.7, "Sol", "Madrid")
    live = said(e2e_pb.Message(liveLocationMessage=e2e_pb.LiveLocationMessage(degreesLatitude=40.4, degreesLongitude=-3.7)))
    assert (live.type, live.text, live.location) == (MessageType.LOCATION, "Live location", Location(40.4, -3.7))


def test_a_contact_card_is_read() -> None:
    """MSG-1: numbers as they are written, in full where WhatsApp knows them, folded lines put together, each number once."""
    content = said(e2e_pb.Message(contactMessage=e2e_pb.ContactMessage(displayName="Carla", vcard=VCARD)))
    assert content.contacts == (ContactCard("Carla", ("+34600111222", "+91 98123 45678", "+44 7700 900123"), VCARD),)


def test_a_card_without_a_display_name_is_named_by_what_is_in_it() -> None:
    """MSG-1."""
    cards = [VCARD, "BEGIN:VCARD\nFN:Dev\\, Ltd\nEND:VCARD", "TEL:+1 555", "nonsense"]
    parts = [e2e_pb.ContactMessage(vcard=card) for card in cards]
    content = said(e2e_pb.Message(contactsArrayMessage=e2e_pb.ContactsArrayMessage(displayName="4", contacts=parts)))
    assert [card.name for card in content.contacts] == ["Carla Shop", "Dev, Ltd", "+1 555", "Contact"]


@pytest.mark.parametrize("version", ["", "V2", "V3", "V5", "V6"])
def test_a_poll_of_any_version_has_its_options(version: str) -> None:
    """MSG-1."""
    options = [e2e_pb.PollCreationMessage.Option(optionName=name) for name in ("Today", "Tomorrow")]
    part = e2e_pb.PollCreationMessage(name="When?", options=options, selectableOptionsCount=1)
    content = said(e2e_pb.Message(**{f"pollCreationMessage{version}": part}))
    assert content == Content(MessageType.POLL, "When?", poll=Poll("When?", ("Today", "Tomorrow"), 1))
    wrapped = e2e_pb.FutureProofMessage(message=e2e_pb.Message(pollCreationMessageV3=part))
    assert said(e2e_pb.Message(pollCreationMessageV4=wrapped)) == content


def vote(target: str = "P1") -> e2e_pb.Message:
    return e2e_pb.Message(pollUpdateMessage=e2e_pb.PollUpdateMessage(pollCreationMessageKey=common_pb.MessageKey(ID=target)))


def test_a_vote_is_told_by_the_texts_of_its_options() -> None:
    """MSG-1: in the poll's order; no option takes the vote back."""
    book = Notes(polls={"P1": ("Today", "Tomorrow", "Never")})
    hashes = [hashlib.sha256(name.encode()).digest() for name in ("Never", "Today")]
    found = vote_event(event(vote()), [*hashes, b"unknown"], book)
    assert found == PollVoted("P1", CARLA_ADDRESS, CARLA_ADDRESS, ("Today", "Never"), time_of(AT))
    empty = vote_event(event(vote()), [], book)
    assert empty is not None
    assert empty.options == ()


def test_our_own_vote_on_the_phone_is_ours() -> None:
    """MSG-1: not the contact's, in whose chat it is."""
    found = vote_event(event(vote(), info(source(CARLA, OWN, from_me=True))), [], Notes(polls={"P1": ("Today",)}))
    assert found is not None
    assert (found.voter, found.chat) == (Address(phone=OWN_PHONE, lid=OWN_LID), CARLA_ADDRESS)


def test_a_vote_in_a_poll_nobody_knows_is_left_out() -> None:
    """MSG-1: and an encrypted one is no message."""
    assert vote_event(event(vote()), [b"x"], Notes()) is None
    assert vote_event(event(vote("")), [b"x"], Notes()) is None
    assert events_of(event(vote()), Notes()) == []


def test_a_text_in_a_group_comes_with_its_keys_for_the_group() -> None:
    """MSG-1: the keys travel beside the message; alone they are none."""
    keys = e2e_pb.SenderKeyDistributionMessage(groupID=GROUP, axolotlSenderKeyDistributionMessage=b"x")
    both = e2e_pb.Message(conversation="Hello", senderKeyDistributionMessage=keys)
    found = received(both, info(source(GROUP, DEV)))
    assert isinstance(found, MessageReceived)
    assert found.content.text == "Hello"
    alone = e2e_pb.Message(senderKeyDistributionMessage=keys, messageContextInfo=e2e_pb.MessageContextInfo(messageSecret=b"s" * 32))
    assert events_of(event(alone, info(source(GROUP, DEV))), Notes()) == []


@pytest.mark.parametrize("kind", ["HD_IMAGE_DUAL_UPLOAD", "HD_VIDEO_DUAL_UPLOAD", "MOTION_PHOTO"])
def test_the_second_version_of_a_picture_is_not_told_again(kind: str) -> None:
    """MSG-3: phones send a small and a large one."""
    large = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(directPath="/x?y"))
    message = e2e_pb.Message(associatedChildMessage=e2e_pb.FutureProofMessage(message=large))
    message.messageContextInfo.messageAssociation.associationType = e2e_pb.MessageAssociation.AssociationType.Value(kind)
    assert events_of(event(message), Notes()) == []


def test_the_pictures_of_an_album_are_told_and_its_announcement_is_not() -> None:
    """MSG-1."""
    picture = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(directPath="/x?y"))
    picture.messageContextInfo.messageAssociation.associationType = e2e_pb.MessageAssociation.MEDIA_ALBUM
    assert said(picture).type is MessageType.IMAGE
    assert events_of(event(e2e_pb.Message(albumMessage=e2e_pb.AlbumMessage(expectedImageCount=3))), Notes()) == []
