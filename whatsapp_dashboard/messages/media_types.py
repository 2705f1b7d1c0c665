"""What a file really is, and how large each kind may be (MSG-9). The bytes decide; a name or a claim only where they leave it open."""

from __future__ import annotations

from whatsapp_dashboard.domain.file_names import UNKNOWN, bare_type, type_of_name
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.errors import Invalid, TooLarge
from whatsapp_dashboard.messages import file_bytes
from whatsapp_dashboard.messages.file_bytes import HEAD, IN_OLE, IN_ZIP, MP4, OLE, ZIP, is_text, is_textual, may_be_text

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
_HARMLESS = frozenset(
    {"text/plain", "text/csv", "text/tab-separated-values", "text/markdown", "text/calendar", "text/vcard", "application/json"}
)
"""Text that no browser runs."""
_OFFICE = "application/vnd.openxmlformats-officedocument."
_FITTING: dict[str, frozenset[str]] = {
    ZIP: IN_ZIP,
    OLE: IN_OLE,
    **dict.fromkeys(IN_OLE, IN_OLE),
    MP4: frozenset({"audio/mp4"}),
    "video/x-ms-wmv": frozenset({"audio/x-ms-wma"}),
    **{
        f"{_OFFICE}{kind}": frozenset({f"{_OFFICE}{template}", f"application/vnd.ms-{macros}.macroEnabled.12"})
        for kind, template, macros in (
            ("wordprocessingml.document", "wordprocessingml.template", "word.document"),
            ("spreadsheetml.sheet", "spreadsheetml.template", "excel.sheet"),
            ("presentationml.presentation", "presentationml.slideshow", "powerpoint.presentation"),
        )
    },
}
"""Containers, and what may be in them: there the bytes tell less than a name."""
_PROVEN = ("image/", "video/", "audio/")
"""What is shown or played is that by its bytes or not at all."""
_SAYS_NOTHING = frozenset({"", UNKNOWN, "binary/octet-stream", "application/x-download", "application/force-download", "text/plain"})


def sniff(data: bytes, filename: str = "", claimed: str = "") -> str:
    """The MIME type of a received file. The bytes decide; where they do not (text, archives), the sender's claim or the name's ending may
    choose among harmless types: what a browser would run (HTML, SVG, scripts) is ``text/plain``."""
    found = type_to_send(data, filename, claimed)
    return found if found in _HARMLESS or not is_textual(found) or file_bytes.recognised(data) == found else "text/plain"


def type_to_send(data: bytes, filename: str = "", given: str = "") -> str:
    """The MIME type to tell the receiver of a file. The bytes decide where they say it; else the ``given`` type or the one of the name's
    ending, as far as the bytes do not contradict it. Text without either is ``text/plain``, anything else :data:`UNKNOWN`."""
    wishes = [kind for kind in (bare_type(given), type_of_name(filename)) if kind not in _SAYS_NOTHING]
    found = file_bytes.recognised(data)
    if found in _FITTING:
        return next((wish for wish in wishes if wish in _FITTING[found]), found)
    if found:
        return found
    head = data[:HEAD]
    if is_text(head):
        return next((wish for wish in wishes if is_textual(wish)), "text/plain")
    plain = "text/plain" in (bare_type(given), type_of_name(filename))
    textual = [wish for wish in wishes if is_textual(wish)] + ["text/plain"] * plain
    if textual and may_be_text(head):
        return textual[0]
    return next((wish for wish in wishes if not is_textual(wish) and not wish.startswith(_PROVEN)), UNKNOWN)


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
