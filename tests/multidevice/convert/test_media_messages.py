"""Files that come in, of every kind (MSG-1, MSG-9)."""

from __future__ import annotations

import base64
import json

import pytest

from tests.multidevice.convert.build import said
from whatsapp_dashboard.domain.messages import Content, MediaRef, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.media import WITHHELD
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

FILE = {
    "URL": "https://mmg.whatsapp.net/x",
    "directPath": "/v/t62/x?ccb=11",
    "mediaKey": b"k" * 32,
    "fileSHA256": b"p" * 32,
    "fileEncSHA256": b"e" * 32,
    "fileLength": 12_345,
    "mediaKeyTimestamp": 1_790_000_000,
}
PHOTO = e2e_pb.ImageMessage(**FILE, mimetype="image/jpeg", caption="Our shop", JPEGThumbnail=bytes(5_000))
FILM = e2e_pb.VideoMessage(**FILE, mimetype="video/mp4", seconds=9, JPEGThumbnail=bytes(5_000))
STICKER = e2e_pb.StickerMessage(**FILE, mimetype="image/webp")
PDF = e2e_pb.DocumentMessage(**FILE, mimetype="application/pdf", fileName="offer.pdf", caption="Our offer")
VOICE = e2e_pb.AudioMessage(**FILE, mimetype="audio/ogg; codecs=opus", seconds=3, PTT=True)


def file_of(content: Content) -> MediaRef:
    assert isinstance(content.media, MediaRef)
    return content.media


def message_of_token(token: dict[str, str]) -> e2e_pb.Message:
    """What the host hands to the library's download."""
    return e2e_pb.Message.FromString(base64.b64decode(token["message"], validate=True))


def wrapped(message: e2e_pb.Message) -> e2e_pb.FutureProofMessage:
    return e2e_pb.FutureProofMessage(message=message)


def test_a_photo_comes_with_its_caption_and_what_the_sender_claims() -> None:
    """MSG-1: type, size and the way to fetch it."""
    content = said(e2e_pb.Message(imageMessage=PHOTO))
    ref = file_of(content)
    assert (content.type, content.text, ref.mimetype, ref.size) == (MessageType.IMAGE, "Our shop", "image/jpeg", 12_345)


def test_the_token_survives_json_and_holds_all_a_download_needs() -> None:
    """MSG-9: and nothing more: no caption, no preview."""
    token = json.loads(json.dumps(file_of(said(e2e_pb.Message(imageMessage=PHOTO))).token))
    assert len(token["message"]) < 400
    part = message_of_token(token).imageMessage
    assert {name: getattr(part, name) for name in FILE} == FILE
    assert not part.HasField("caption")
    assert not part.HasField("JPEGThumbnail")


def test_a_film_a_moving_picture_and_a_video_note_are_videos() -> None:
    """MSG-1: the library fetches all of them as videos."""
    moving = e2e_pb.VideoMessage()
    moving.CopyFrom(FILM)
    moving.gifPlayback = True
    for message in (e2e_pb.Message(videoMessage=FILM), e2e_pb.Message(videoMessage=moving), e2e_pb.Message(ptvMessage=FILM)):
        content = said(message)
        assert (content.type, file_of(content).seconds) == (MessageType.VIDEO, 9)
        assert message_of_token(file_of(content).token).HasField("videoMessage")


def test_a_voice_message_is_told_from_a_song() -> None:
    """MSG-1."""
    song = e2e_pb.AudioMessage(**FILE, mimetype="audio/mpeg", seconds=200)
    assert said(e2e_pb.Message(audioMessage=VOICE)).type is MessageType.VOICE
    assert said(e2e_pb.Message(audioMessage=song)).type is MessageType.AUDIO
    assert file_of(said(e2e_pb.Message(audioMessage=VOICE))).seconds == 3


def test_a_document_has_a_name_and_may_have_a_caption() -> None:
    """MSG-1: in the wrapper of documents with captions or without."""
    plain = e2e_pb.Message(documentMessage=PDF)
    for message in (plain, e2e_pb.Message(documentWithCaptionMessage=wrapped(plain))):
        content = said(message)
        assert (content.type, content.text, file_of(content).filename) == (MessageType.DOCUMENT, "Our offer", "offer.pdf")
    untitled = e2e_pb.DocumentMessage(**FILE, title="offer")
    assert file_of(said(e2e_pb.Message(documentMessage=untitled))).filename == "offer"


def test_a_sticker_moving_or_not_is_a_sticker() -> None:
    """MSG-1: animated ones come in a wrapper."""
    plain = e2e_pb.Message(stickerMessage=STICKER)
    for message in (plain, e2e_pb.Message(lottieStickerMessage=wrapped(plain))):
        assert said(message).type is MessageType.STICKER


@pytest.mark.parametrize("wrapper", ["viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"])
def test_a_file_for_one_look_can_be_opened_where_whatsapp_gives_it(wrapper: str) -> None:
    """MSG-1: and is announced where it does not."""
    inside = e2e_pb.Message(audioMessage=VOICE) if wrapper.endswith("Extension") else e2e_pb.Message(imageMessage=PHOTO)
    assert said(e2e_pb.Message(**{wrapper: wrapped(inside)})).media is not None
    withheld = said(e2e_pb.Message(**{wrapper: wrapped(e2e_pb.Message())}))
    assert (withheld.type, withheld.text) == (MessageType.UNSUPPORTED, WITHHELD)


def test_a_file_for_one_look_without_its_address_is_announced() -> None:
    """MSG-1: also when the library took the wrapper off."""
    secret = e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(viewOnce=True, mimetype="image/jpeg"))
    assert said(secret).text == WITHHELD
    assert said(e2e_pb.Message(), IsViewOnce=True).text == WITHHELD


def test_a_file_that_cannot_be_fetched_keeps_its_caption() -> None:
    """MSG-1."""
    content = said(e2e_pb.Message(imageMessage=e2e_pb.ImageMessage(caption="Our shop")))
    assert content.type is MessageType.UNSUPPORTED
    assert content.text.startswith("Our shop\n")


def test_sizes_and_lengths_nobody_can_mean_are_not_repeated() -> None:
    """MSG-9: a claim of 16 exabytes would not fit the database."""
    odd = e2e_pb.VideoMessage(directPath="/v/x?a", fileLength=2**64 - 1, seconds=2**32 - 1)
    ref = file_of(said(e2e_pb.Message(videoMessage=odd)))
    assert (ref.size, ref.seconds) == (None, None)


def test_every_wrapper_is_taken_off() -> None:
    """MSG-1: disappearing, forwarded by a bot, sent by our own other device, and wrappers in wrappers."""
    inside = e2e_pb.Message(imageMessage=PHOTO)
    for wrapper in ("ephemeralMessage", "botInvokeMessage", "groupMentionedMessage", "groupStatusMessageV2", "spoilerMessage"):
        inside = e2e_pb.Message(**{wrapper: wrapped(inside)})
    sent = e2e_pb.Message(deviceSentMessage=e2e_pb.DeviceSentMessage(destinationJID="1@s.whatsapp.net", message=inside))
    assert said(sent).text == "Our shop"
