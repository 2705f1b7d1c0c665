"""What we send, as phones expect it (MSG-1)."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from tests.multidevice.convert.build import CARLA, CARLA_ADDRESS, DEV, DEV_ADDRESS, GROUP_ADDRESS, OWN, Notes, said
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MessageKey, MessageType, Poll
from whatsapp_dashboard.engines.multidevice.host.convert.outgoing import edit_of, message_of, reaction_of, revoke_of
from whatsapp_dashboard.engines.multidevice.host.convert.outgoing_media import opus_seconds, preview_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb
from whatsapp_dashboard.errors import Permanent

SECRET = bytes(range(32))
UPLOAD = neonize_pb.UploadResponse(
    url="https://mmg.whatsapp.net/v/x",
    DirectPath="/v/x?ccb=1",
    Handle="",
    MediaKey=b"k" * 32,
    FileEncSHA256=b"e" * 32,
    FileSHA256=b"p" * 32,
    FileLength=300,
)


def made(content: Content, chat: Address = CARLA_ADDRESS) -> e2e_pb.Message:
    upload = UPLOAD if isinstance(content.media, MediaFile) else None
    message = message_of(content, secret=SECRET, upload=upload, book=Notes(), chat=chat)
    assert message.messageContextInfo.messageSecret == SECRET
    return e2e_pb.Message.FromString(message.SerializeToString())


def picture(width: int = 400, height: int = 200, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def opus(seconds: float, skip: int = 312) -> bytes:
    """An OGG/Opus file of the right length with nothing in it."""

    def page(granule: int, body: bytes) -> bytes:
        return b"OggS\0\0" + struct.pack("<q", granule) + bytes(12) + bytes([1, len(body)]) + body

    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", skip, 48_000, 0, 0)
    return page(0, head) + page(0, b"OpusTags" + bytes(8)) + page(int(seconds * 48_000) + skip, bytes(50))


def test_a_text_is_sent_as_it_is() -> None:
    """MSG-1: with the secret that seals reactions and votes to it."""
    assert made(Content(MessageType.TEXT, "Hello")).conversation == "Hello"


def test_a_reply_shows_what_it_replies_to() -> None:
    """MSG-1: the quoted text and who wrote it."""
    message = made(Content(MessageType.TEXT, "Yes", quoted_id="Q1", quoted_text="Open today?"))
    context = message.extendedTextMessage.contextInfo
    assert (context.stanzaID, context.participant, context.quotedMessage.conversation) == ("Q1", CARLA, "Open today?")


def test_a_reply_to_ourselves_names_us_and_one_in_a_group_its_writer() -> None:
    """MSG-1."""
    own = made(Content(MessageType.TEXT, "Also", quoted_id="Q1", quoted_from_me=True))
    assert own.extendedTextMessage.contextInfo.participant == OWN
    group = made(Content(MessageType.TEXT, "Yes", quoted_id="Q1", quoted_sender=DEV_ADDRESS), GROUP_ADDRESS)
    assert group.extendedTextMessage.contextInfo.participant == DEV
    unknown = made(Content(MessageType.TEXT, "Yes", quoted_id="Q1"), GROUP_ADDRESS)
    assert not unknown.extendedTextMessage.contextInfo.HasField("participant")


def test_mentions_are_sent_as_addresses() -> None:
    """MSG-1: given as numbers or as addresses."""
    message = made(Content(MessageType.TEXT, "Hi @34600111222", mentions=("+34600111222", "5@lid")), GROUP_ADDRESS)
    assert list(message.extendedTextMessage.contextInfo.mentionedJID) == [CARLA, "5@lid"]


def test_a_picture_carries_its_size_and_a_small_preview() -> None:
    """MSG-9: phones show it before they fetch the file."""
    part = made(Content(MessageType.IMAGE, "Our shop", media=MediaFile(picture(), "image/jpeg"))).imageMessage
    assert (part.caption, part.mimetype, part.width, part.height) == ("Our shop", "image/jpeg", 400, 200)
    assert (part.directPath, part.mediaKey, part.fileLength) == (UPLOAD.DirectPath, UPLOAD.MediaKey, 300)
    with Image.open(io.BytesIO(part.JPEGThumbnail)) as small:
        assert small.size == (72, 36)


def test_a_picture_nobody_can_read_is_sent_without_preview() -> None:
    """MSG-9: a failure to make one never fails the send."""
    part = made(Content(MessageType.IMAGE, media=MediaFile(b"\x89PNG\r\n\x1a\n" + bytes(300), "image/png"))).imageMessage
    assert (part.HasField("JPEGThumbnail"), part.HasField("caption"), part.mimetype) == (False, False, "image/png")
    assert preview_of(picture()[:200]) is None
    assert preview_of(bytes(17 << 20)) is None


def test_a_transparent_picture_has_a_preview_too() -> None:
    """MSG-9."""
    out = io.BytesIO()
    Image.new("RGBA", (10, 20)).save(out, "PNG")
    found = preview_of(out.getvalue())
    assert found is not None
    assert found[:2] == (10, 20)


def test_a_voice_message_tells_how_long_it_is() -> None:
    """MSG-1: phones show the seconds, and play only audio whose type names the codec."""
    part = made(Content(MessageType.VOICE, media=MediaFile(opus(7.2), "audio/ogg"))).audioMessage
    assert (part.PTT, part.seconds, part.mimetype) == (True, 7, "audio/ogg; codecs=opus")


def test_a_song_is_sent_as_audio() -> None:
    """MSG-1."""
    part = made(Content(MessageType.AUDIO, media=MediaFile(b"ID3" + bytes(300), "audio/mpeg", "song.mp3"))).audioMessage
    assert (part.PTT, part.HasField("seconds"), part.mimetype) == (False, False, "audio/mpeg")


@pytest.mark.parametrize("data", [b"", b"OggS", b"OggS" + bytes(300), opus(3)[:40], b"ID3" + bytes(50)])
def test_the_length_of_something_else_is_not_known(data: bytes) -> None:
    """MSG-1."""
    assert opus_seconds(data) is None


def test_the_length_of_a_sound_is_read_from_its_last_page() -> None:
    """MSG-1: a very short one lasts a second."""
    assert [opus_seconds(opus(seconds)) for seconds in (0.2, 1, 61.4)] == [1, 1, 61]


def test_a_film_has_its_caption() -> None:
    """MSG-1."""
    part = made(Content(MessageType.VIDEO, "Look", media=MediaFile(b"\0\0\0\x18ftypmp42", "video/mp4"))).videoMessage
    assert (part.caption, part.mimetype, part.URL) == ("Look", "video/mp4", UPLOAD.url)


def test_a_document_is_sent_with_its_name_and_its_caption_in_the_wrapper_phones_expect() -> None:
    """MSG-1."""
    file = MediaFile(b"%PDF", "application/pdf", "offer.pdf")
    assert made(Content(MessageType.DOCUMENT, media=file)).documentMessage.fileName == "offer.pdf"
    wrapped = made(Content(MessageType.DOCUMENT, "Our offer", media=file, quoted_id="Q1"))
    part = wrapped.documentWithCaptionMessage.message.documentMessage
    assert (part.caption, part.fileName, part.contextInfo.stanzaID) == ("Our offer", "offer.pdf", "Q1")
    assert made(Content(MessageType.DOCUMENT, media=MediaFile(b"x", ""))).documentMessage.mimetype == "application/octet-stream"


def test_a_location_names_the_place() -> None:
    """MSG-1."""
    place = Location(40.4168, -3.7038, "Sol", "Madrid")
    part = made(Content(MessageType.LOCATION, location=place)).locationMessage
    assert (part.degreesLatitude, part.degreesLongitude, part.name, part.address) == (40.4168, -3.7038, "Sol", "Madrid")


def test_a_contact_without_a_card_gets_one_whatsapp_can_open() -> None:
    """MSG-1: with the WhatsApp number in it; signs that mean something in a card are written as text."""
    part = made(Content(MessageType.CONTACT, contacts=(ContactCard("Dev; Ltd", ("+44 7700 900123",)),))).contactMessage
    assert part.displayName == "Dev; Ltd"
    assert "FN:Dev\\; Ltd" in part.vcard
    assert "waid=447700900123:+447700900123" in part.vcard
    given = ContactCard("Dev", (), "BEGIN:VCARD\nFN:Dev\nEND:VCARD")
    assert made(Content(MessageType.CONTACT, contacts=(given,))).contactMessage.vcard == given.vcard


def test_several_contacts_go_in_one_message() -> None:
    """MSG-1."""
    cards = (ContactCard("Carla", ("34600111222",)), ContactCard("Dev", ("447700900123",)))
    part = made(Content(MessageType.CONTACT, contacts=cards)).contactsArrayMessage
    assert (part.displayName, [one.displayName for one in part.contacts]) == ("Carla and 1 other contact", ["Carla", "Dev"])


@pytest.mark.parametrize("selectable", [0, 1, 2])
def test_a_poll_keeps_its_question_options_and_how_many_may_be_chosen(selectable: int) -> None:
    """MSG-1: in the shape that the library marks as a poll for the server."""
    poll = Poll("When?", ("Today", "Tomorrow"), selectable)
    message = made(Content(MessageType.POLL, poll=poll))
    assert message.HasField("pollCreationMessage")
    assert said(message).poll == poll


def test_what_is_only_received_cannot_be_sent() -> None:
    """MSG-1: an honest error."""
    with pytest.raises(Permanent):
        made(Content(MessageType.UNSUPPORTED, "?"))
    with pytest.raises(Permanent):
        made(Content(MessageType.LOCATION))


def test_a_reaction_points_at_the_message_of_the_contact_or_ours() -> None:
    """MSG-1: an empty one takes it back."""
    part = reaction_of(MessageKey("M1", CARLA_ADDRESS, from_me=False), "👍", Notes(), now=5).reactionMessage
    assert (part.key.remoteJID, part.key.fromMe, part.key.ID, part.text, part.senderTimestampMS) == (CARLA, False, "M1", "👍", 5_000)
    assert not part.key.HasField("participant")
    own = reaction_of(MessageKey("M2", CARLA_ADDRESS, from_me=True), "", Notes()).reactionMessage
    assert (own.key.fromMe, own.text, own.HasField("text")) == (True, "", True)


def test_in_a_group_a_key_names_who_wrote_the_message() -> None:
    """MSG-1: also for an administrator's deletion; ours need no name."""
    theirs = MessageKey("M1", GROUP_ADDRESS, from_me=False, sender=DEV_ADDRESS)
    assert reaction_of(theirs, "👍", Notes()).reactionMessage.key.participant == DEV
    assert revoke_of(theirs, Notes()).protocolMessage.key.participant == DEV
    own = MessageKey("M2", GROUP_ADDRESS, from_me=True, sender=DEV_ADDRESS)
    assert not revoke_of(own, Notes()).protocolMessage.key.HasField("participant")


def test_an_edit_and_a_deletion_have_the_shape_phones_understand() -> None:
    """MSG-1."""
    target = MessageKey("M1", CARLA_ADDRESS, from_me=True)
    change = edit_of(target, "Hello again", Notes(), now=5).editedMessage.message.protocolMessage
    assert (change.type, change.key.ID, change.key.remoteJID) == (e2e_pb.ProtocolMessage.MESSAGE_EDIT, "M1", CARLA)
    assert (change.editedMessage.conversation, change.timestampMS) == ("Hello again", 5_000)
    gone = revoke_of(target, Notes()).protocolMessage
    assert (gone.type, gone.HasField("type"), gone.key.fromMe) == (e2e_pb.ProtocolMessage.REVOKE, True, True)
