"""Received files: what the sender claims of them, and the token that fetches them (MSG-9)."""

from __future__ import annotations

import base64
from typing import Any

from whatsapp_dashboard.domain.messages import Content, MediaRef, MessageType
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_SIZE = 2**31 - 1
MAX_SECONDS = 7 * 24 * 3600
WITHHELD = "This was sent to be opened only once. It can be opened on the phone."
_WAY = ("URL", "directPath", "mediaKey", "fileSHA256", "fileEncSHA256", "fileLength", "mimetype", "mediaKeyTimestamp")
"""The fields a download needs."""


def image(part: e2e_pb.ImageMessage) -> Content:
    """A picture."""
    return _file(MessageType.IMAGE, "imageMessage", part, part.caption)


def video(part: e2e_pb.VideoMessage) -> Content:
    """A film, also one that is shown as a moving picture or as a round video note."""
    return _file(MessageType.VIDEO, "videoMessage", part, part.caption, seconds=part.seconds)


def audio(part: e2e_pb.AudioMessage) -> Content:
    """A sound, or a voice message."""
    return _file(MessageType.VOICE if part.PTT else MessageType.AUDIO, "audioMessage", part, seconds=part.seconds)


def document(part: e2e_pb.DocumentMessage) -> Content:
    """Any other file."""
    return _file(MessageType.DOCUMENT, "documentMessage", part, part.caption, filename=part.fileName or part.title)


def sticker(part: e2e_pb.StickerMessage) -> Content:
    """A sticker, moving or not."""
    return _file(MessageType.STICKER, "stickerMessage", part)


def _file(type: MessageType, field: str, part: Any, text: str = "", *, filename: str = "", seconds: int = 0) -> Content:
    if not part.directPath and not part.URL:
        return Content(MessageType.UNSUPPORTED, WITHHELD if getattr(part, "viewOnce", False) else _missing(text))
    message = e2e_pb.Message()
    target = getattr(message, field)
    for name in _WAY:
        if part.HasField(name):
            setattr(target, name, getattr(part, name))
    ref = MediaRef(
        token={"message": base64.b64encode(message.SerializePartialToString()).decode()},
        mimetype=part.mimetype,
        size=part.fileLength if 0 < part.fileLength <= MAX_SIZE else None,
        filename=filename,
        seconds=seconds if 0 < seconds <= MAX_SECONDS else None,
    )
    return Content(type, text, media=ref)


def _missing(text: str) -> str:
    return f"{text}\n(A file came with this, but not the way to fetch it. Look at it on the phone.)".strip()
