"""Small real files for simulated contacts to send: a picture, a sticker, a voice note, a song, a document."""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache

from PIL import Image, ImageDraw

from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MessageType, Poll
from whatsapp_dashboard.errors import Invalid

_SKY, _SUN, _SEA, _SAND = (148, 197, 233), (250, 204, 94), (52, 130, 168), (233, 214, 170)
_OPUS_SILENCE = b"\xf8\xff\xfe"
"""20 ms without sound in the Opus format."""


@cache
def image() -> MediaFile:
    """A beach, 480 x 320."""
    picture = Image.new("RGB", (480, 320), _SKY)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((330, 40, 410, 120), fill=_SUN)
    pen.rectangle((0, 170, 480, 250), fill=_SEA)
    pen.polygon([(0, 235), (480, 260), (480, 320), (0, 320)], fill=_SAND)
    return MediaFile(_saved(picture, "PNG"), "image/png", "beach.png")


@cache
def sticker() -> MediaFile:
    """A smile, 512 x 512 with a transparent ground."""
    picture = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((56, 56, 456, 456), fill=(250, 204, 94, 255))
    for x in (180, 332):
        pen.ellipse((x - 26, 180, x + 26, 250), fill=(60, 60, 60, 255))
    pen.arc((150, 200, 362, 380), 20, 160, fill=(60, 60, 60, 255), width=18)
    return MediaFile(_saved(picture, "WEBP"), "image/webp", "")


@cache
def voice() -> MediaFile:
    """Two seconds of an Opus voice note (of nobody saying anything)."""
    return MediaFile(_ogg_opus([_OPUS_SILENCE] * 100), "audio/ogg; codecs=opus", "")


@cache
def audio() -> MediaFile:
    """Three rising tones as a WAV file."""
    rate, tones = 8_000, (440.0, 554.4, 659.3)
    samples = [
        int(9_000 * math.sin(2 * math.pi * tone * n / rate) * min(1.0, (rate / 2 - n) / 800)) for tone in tones for n in range(rate // 2)
    ]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as song:
        song.setnchannels(1)
        song.setsampwidth(2)
        song.setframerate(rate)
        song.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return MediaFile(buffer.getvalue(), "audio/wav", "tones.wav")


@cache
def document() -> MediaFile:
    """A PDF of one page."""
    text = b"BT /F1 24 Tf 72 720 Td (Sample document from the sandbox) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return MediaFile(bytes(out), "application/pdf", "sample.pdf")


def _saved(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()


def _ogg_opus(packets: list[bytes]) -> bytes:
    """An Ogg file of Opus packets of 20 ms each (RFC 7845)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 7) + b"sandbox" + struct.pack("<I", 0)
    pages = [_ogg_page(0, 0, 2, [head]), _ogg_page(1, 0, 0, [tags])]
    pages.append(_ogg_page(2, 960 * len(packets), 4, packets))
    return b"".join(pages)


def _ogg_page(number: int, position: int, flags: int, packets: list[bytes]) -> bytes:
    """One page; every packet must be shorter than 255 bytes, and there are at most 255."""
    header = b"OggS" + struct.pack("<BBqIIIB", 0, flags, position, 1, number, 0, len(packets))
    page = bytearray(header + bytes(len(packet) for packet in packets) + b"".join(packets))
    struct.pack_into("<I", page, 22, _ogg_checksum(page))
    return bytes(page)


def _ogg_checksum(data: bytes | bytearray) -> int:
    checksum = 0
    for byte in data:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = ((checksum << 1) ^ 0x04C11DB7 if checksum & 0x80000000 else checksum << 1) & 0xFFFFFFFF
    return checksum


def content(kind: str, text: str, quote: str | None) -> Content:
    """A message of one kind; everything but a text is a sample."""
    match kind:
        case "text":
            return Content(MessageType.TEXT, text, quoted_id=quote)
        case "image":
            return Content(MessageType.IMAGE, text, media=image(), quoted_id=quote)
        case "sticker":
            return Content(MessageType.STICKER, media=sticker(), quoted_id=quote)
        case "voice":
            return Content(MessageType.VOICE, media=voice(), quoted_id=quote)
        case "audio":
            return Content(MessageType.AUDIO, media=audio(), quoted_id=quote)
        case "document":
            return Content(MessageType.DOCUMENT, text, media=document(), quoted_id=quote)
        case "location":
            place = Location(41.38879, 2.15899, "Plaça de Catalunya", "Barcelona")
            return Content(MessageType.LOCATION, location=place, quoted_id=quote)
        case "contact":
            card = ContactCard("Dev Patel", ("919812345678",), "BEGIN:VCARD\nVERSION:3.0\nFN:Dev Patel\nTEL:+919812345678\nEND:VCARD")
            return Content(MessageType.CONTACT, contacts=(card,), quoted_id=quote)
        case "poll":
            poll = Poll(text or "When shall we meet?", ("Friday", "Saturday", "Sunday"))
            return Content(MessageType.POLL, poll.question, poll=poll, quoted_id=quote)
    raise Invalid(f"A contact cannot send “{kind[:40]}”.", code="bad_type")
