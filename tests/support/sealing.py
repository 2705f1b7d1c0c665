"""Seals changes of messages as phones do, by other means than the program reads them with (MSG-12)."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from whatsapp_dashboard.engines.multidevice.host.protos import common_pb, e2e_pb

SECRET = bytes(range(32))
IV = b"twelve bytes"


def sealed(plain: bytes, use: str, writer: str, editor: str, *, target: str = "M1", secret: bytes = SECRET, beside: bytes = b"") -> bytes:
    """``plain`` under the key of a change of kind ``use``: two rounds of HMAC, which is HKDF for one block."""
    extracted = hmac.digest(bytes(32), secret, hashlib.sha256)
    key = hmac.digest(extracted, f"{target}{writer}{editor}{use}".encode() + b"\x01", hashlib.sha256)
    return AESGCM(key).encrypt(IV, plain, beside)


def change(kind: int, payload: bytes, *, target: str = "M1", chat: str = "") -> e2e_pb.Message:
    """The message that carries a sealed change of a message of its sender."""
    key = common_pb.MessageKey(remoteJID=chat, fromMe=True, ID=target)
    part = e2e_pb.SecretEncryptedMessage(targetMessageKey=key, encPayload=payload, encIV=IV, secretEncType=kind)  # type: ignore[arg-type]
    return e2e_pb.Message(secretEncryptedMessage=part)


def sealed_edit(text: str, writer: str, editor: str = "", *, target: str = "M1", secret: bytes = SECRET) -> e2e_pb.Message:
    """A new text for the message ``target`` of ``writer`` (JID)."""
    inner = e2e_pb.ProtocolMessage(type=e2e_pb.ProtocolMessage.MESSAGE_EDIT, editedMessage=e2e_pb.Message(conversation=text))
    plain = e2e_pb.Message(protocolMessage=inner).SerializeToString()
    payload = sealed(plain, "Message Edit", writer, editor or writer, target=target, secret=secret)
    return change(e2e_pb.SecretEncryptedMessage.MESSAGE_EDIT, payload, target=target)


def with_secret(text: str, secret: bytes = SECRET) -> e2e_pb.Message:
    """A text that carries ``secret``."""
    return e2e_pb.Message(conversation=text, messageContextInfo=e2e_pb.MessageContextInfo(messageSecret=secret))
