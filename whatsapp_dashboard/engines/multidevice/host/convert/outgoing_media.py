"""Files as the protobuf to send, with what phones show before they fetch them: size, duration, a small picture (MSG-9)."""

from __future__ import annotations

import io
import time
from typing import Any

from whatsapp_dashboard.domain.file_names import UNKNOWN, full_name
from whatsapp_dashboard.domain.messages import Content, MediaFile, MessageType
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb
from whatsapp_dashboard.errors import Permanent

THUMBNAIL_SIDE = 72
THUMBNAIL_MAX_BYTES = 16 << 20
THUMBNAIL_MAX_PIXELS = 50_000_000
_OPUS_RATE = 48_000
_LAST_PAGES = 65_536 + 300
"""An OGG page is at most this long, so the last one begins here or later."""
VOICE_MIMETYPE = "audio/ogg; codecs=opus"


def media_message(content: Content, upload: neonize_pb.UploadResponse) -> e2e_pb.Message:
    """A file that lies where ``upload`` says. Raises :class:`Permanent` for a type that is not a file one can send."""
    file = content.media
    if not isinstance(file, MediaFile):
        raise Permanent("The message has no file.", code="no_file")
    match content.type:
        case MessageType.IMAGE:
            return e2e_pb.Message(imageMessage=_image(file, content.text, upload))
        case MessageType.VIDEO:
            part = _filled(e2e_pb.VideoMessage(), file.mimetype, upload)
            return e2e_pb.Message(videoMessage=_captioned(part, content.text))
        case MessageType.AUDIO | MessageType.VOICE:
            return e2e_pb.Message(audioMessage=_audio(file, upload, voice=content.type is MessageType.VOICE))
        case MessageType.DOCUMENT:
            return _document(file, content.text, upload)
        case MessageType.STICKER:
            return e2e_pb.Message(stickerMessage=_filled(e2e_pb.StickerMessage(), file.mimetype, upload))
    raise Permanent(f"Messages of type {content.type.value} cannot be sent.", code="unsupported")


def opus_seconds(data: bytes) -> int | None:
    """How long an OGG/Opus sound lasts: the position in its last page. None for anything else."""
    if not data.startswith(b"OggS") or b"OpusHead" not in data[:300]:
        return None
    page = data.rfind(b"OggS", max(0, len(data) - _LAST_PAGES))
    if page < 0 or len(data) < page + 14:
        return None
    granule = int.from_bytes(data[page + 6 : page + 14], "little", signed=True)
    head = data.find(b"OpusHead")
    skip = int.from_bytes(data[head + 10 : head + 12], "little")
    return max(1, round((granule - skip) / _OPUS_RATE)) if granule > 0 else None


def preview_of(data: bytes) -> tuple[int, int, bytes] | None:
    """Width, height and a small JPEG of a picture. None when there is none to make: a failure here never stops a send."""
    if len(data) > THUMBNAIL_MAX_BYTES:
        return None
    try:
        from PIL import Image  # 15 MB of memory: only a host that sends pictures pays for it

        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            if width * height > THUMBNAIL_MAX_PIXELS:
                return None
            picture.draft("RGB", (THUMBNAIL_SIDE * 2, THUMBNAIL_SIDE * 2))
            small = picture.convert("RGB")
            small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            out = io.BytesIO()
            small.save(out, "JPEG", quality=60)
            return width, height, out.getvalue()
    except Exception:
        return None


def _image(file: MediaFile, caption: str, upload: neonize_pb.UploadResponse) -> e2e_pb.ImageMessage:
    part = _captioned(_filled(e2e_pb.ImageMessage(), file.mimetype, upload), caption)
    preview = preview_of(file.data)
    if preview:
        part.width, part.height, part.JPEGThumbnail = preview
    return part


def _audio(file: MediaFile, upload: neonize_pb.UploadResponse, *, voice: bool) -> e2e_pb.AudioMessage:
    seconds = opus_seconds(file.data)
    # Phones play a voice message only when its type names the codec.
    mimetype = VOICE_MIMETYPE if seconds is not None else file.mimetype
    part = _filled(e2e_pb.AudioMessage(PTT=voice), mimetype, upload)
    if seconds is not None:
        part.seconds = seconds
    return part


def _document(file: MediaFile, caption: str, upload: neonize_pb.UploadResponse) -> e2e_pb.Message:
    mimetype = file.mimetype or UNKNOWN
    name = full_name(file.filename, mimetype)
    part = _filled(e2e_pb.DocumentMessage(fileName=name, title=name), mimetype, upload)
    if not caption:
        return e2e_pb.Message(documentMessage=part)
    message = e2e_pb.Message(documentMessage=_captioned(part, caption))
    return e2e_pb.Message(documentWithCaptionMessage=e2e_pb.FutureProofMessage(message=message))


def _captioned(part: Any, caption: str) -> Any:
    if caption:
        part.caption = caption
    return part


def _filled(part: Any, mimetype: str, upload: neonize_pb.UploadResponse) -> Any:
    part.mimetype = mimetype
    part.URL, part.directPath = upload.url, upload.DirectPath
    part.mediaKey, part.mediaKeyTimestamp = upload.MediaKey, int(time.time())
    part.fileSHA256, part.fileEncSHA256, part.fileLength = upload.FileSHA256, upload.FileEncSHA256, upload.FileLength
    return part
