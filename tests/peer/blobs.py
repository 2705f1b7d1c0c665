"""Encrypted files: what a phone uploads to the media servers (history, app state, pictures)."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from tests.peer.ciphers import cbc_decrypt, cbc_encrypt, hkdf
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

HISTORY = b"WhatsApp History Keys"
APP_STATE = b"WhatsApp App State Keys"
IMAGE, VIDEO, AUDIO, DOCUMENT = (b"WhatsApp %s Keys" % kind for kind in (b"Image", b"Video", b"Audio", b"Document"))
MAC_LENGTH = 10


@dataclass(frozen=True)
class Blob:
    """An encrypted file and what a message must say so that others can fetch and read it."""

    data: bytes
    key: bytes
    sha256: bytes
    length: int
    """Bytes before encryption."""

    @property
    def enc_sha256(self) -> bytes:
        """The checksum of what is stored."""
        return hashlib.sha256(self.data).digest()

    @property
    def token(self) -> str:
        """The name in the media store."""
        return self.enc_sha256.hex()

    @property
    def direct_path(self) -> str:
        """Where clients ask for it; they add their own parameters behind the question mark."""
        return f"/m/{self.token}?ccb=1"


def attachment(data: bytes, mimetype: str, caption: str = "", filename: str = "") -> tuple[Blob, e2e_pb.Message]:
    """A file as a phone attaches it: what to upload, and the message."""
    name = mimetype.split("/", maxsplit=1)[0]
    kind = {"image": IMAGE, "video": VIDEO, "audio": AUDIO}.get(name, DOCUMENT)
    message, blob = e2e_pb.Message(), encrypt(data, kind)
    part = getattr(message, {IMAGE: "imageMessage", VIDEO: "videoMessage", AUDIO: "audioMessage"}.get(kind, "documentMessage"))
    part.mimetype, part.fileLength, part.mediaKey = mimetype, blob.length, blob.key
    part.fileSHA256, part.fileEncSHA256, part.directPath = blob.sha256, blob.enc_sha256, blob.direct_path
    part.URL = f"https://mmg.whatsapp.net{blob.direct_path}"
    if caption and kind != AUDIO:
        part.caption = caption
    if kind == DOCUMENT:
        part.fileName = filename or "file"
    return blob, message


def _keys(key: bytes, kind: bytes) -> tuple[bytes, bytes, bytes]:
    """(IV, cipher key, MAC key) of a media key."""
    expanded = hkdf(key, kind, 112)
    return expanded[:16], expanded[16:48], expanded[48:80]


def encrypt(data: bytes, kind: bytes) -> Blob:
    """Encrypt ``data`` as a file of this kind, under a new key."""
    key = os.urandom(32)
    iv, cipher, mac = _keys(key, kind)
    body = cbc_encrypt(cipher, iv, data)
    return Blob(body + hmac.digest(mac, iv + body, "sha256")[:MAC_LENGTH], key, hashlib.sha256(data).digest(), len(data))


def decrypt(data: bytes, key: bytes, kind: bytes) -> bytes:
    """The file behind ``data``. Raises ValueError when it was damaged or the key is another's."""
    iv, cipher, mac = _keys(key, kind)
    body, seen = data[:-MAC_LENGTH], data[-MAC_LENGTH:]
    if not hmac.compare_digest(seen, hmac.digest(mac, iv + body, "sha256")[:MAC_LENGTH]):
        raise ValueError("the file's MAC does not match")
    return cbc_decrypt(cipher, iv, body)
