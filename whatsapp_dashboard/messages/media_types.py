"""What a file really is, and how large each kind may be (MSG-9). The bytes decide, never the name or the sender's claim."""

from __future__ import annotations

import mimetypes
from pathlib import PurePath

import filetype

from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.errors import Invalid, TooLarge

MIB = 1024 * 1024
LIMITS_MIB: dict[MessageType, int] = {
    MessageType.IMAGE: 16,
    MessageType.VIDEO: 64,
    MessageType.AUDIO: 16,
    MessageType.VOICE: 16,
    MessageType.STICKER: 1,
    MessageType.DOCUMENT: 2_000,
}
"""Largest file of each kind on WhatsApp, in MiB; the setting MEDIA_MAX_MB lowers all of them."""

_FAMILY = {
    MessageType.IMAGE: ("image/",),
    MessageType.VIDEO: ("video/",),
    MessageType.AUDIO: ("audio/", "video/mp4", "video/webm"),
    MessageType.VOICE: ("audio/", "video/webm"),
    MessageType.STICKER: ("image/webp",),
}
_SENT_AS_IMAGE = frozenset({"image/jpeg", "image/png", "image/webp"})
_SENT_AS_VIDEO = frozenset({"video/mp4", "video/3gpp"})
UNKNOWN = "application/octet-stream"
_HEAD = 8_192


def sniff(data: bytes, filename: str = "") -> str:
    """The MIME type of ``data`` by its bytes. Text has no mark of its own: there the name's ending may choose among harmless text
    types; what a browser would run (HTML, SVG, scripts) is ``text/plain``."""
    kind = filetype.guess(data[:_HEAD])
    if kind is not None:
        return "video/3gpp" if kind.mime == "video/3gpp" else str(kind.mime)
    if not _looks_like_text(data[:_HEAD]):
        return UNKNOWN
    guess, _ = mimetypes.guess_type(PurePath(filename).name)
    return guess if guess in ("text/csv", "text/markdown", "text/calendar", "text/vcard", "application/json") else "text/plain"


def limit_bytes(type: MessageType, max_mb: int) -> int:
    """How many bytes a file of ``type`` may have."""
    return min(LIMITS_MIB[type], max_mb) * MIB


def choose_type(mimetype: str) -> MessageType:
    """As what a file is sent when nobody said."""
    if mimetype in _SENT_AS_IMAGE:
        return MessageType.IMAGE
    if mimetype in _SENT_AS_VIDEO:
        return MessageType.VIDEO
    return MessageType.AUDIO if mimetype.startswith("audio/") else MessageType.DOCUMENT


def check_size(type: MessageType, size: int, max_mb: int) -> None:
    """Raise :class:`TooLarge`, naming the limit, or :class:`Invalid` for an empty file."""
    if size == 0:
        raise Invalid("The file is empty.", code="empty", field="media")
    limit = limit_bytes(type, max_mb)
    if size > limit:
        raise TooLarge(f"The file has {size / MIB:.1f} MiB; {type.value}s may have {limit // MIB} MiB.", field="media")


def check_kind(type: MessageType, mimetype: str) -> None:
    """Raise :class:`Invalid` when the bytes are not what the message says they are."""
    family = _FAMILY.get(type)
    if family and not mimetype.startswith(family):
        raise Invalid(f"This file is {mimetype}, which cannot be sent as {type.value}.", code="wrong_type", field="media")


def _looks_like_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4 and len(head) == _HEAD  # a character cut at the end of the head
    return True
