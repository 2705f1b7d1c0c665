"""Encryption of secrets at rest: AES-256-GCM, bound to the row they belong to (SEC-7).

A stored secret is ``v1.<key id>.<nonce>.<ciphertext>``, base64url without padding. Its place (table, column, row) is the
associated data, so a value copied to another row does not open. Only places of :data:`SEALED` can be sealed: what a rotation of the key
does not know of cannot come to be.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
KEY_FILE = "encryption.key"
_NONCE_BYTES = 12
_VERSION = "v1"
_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that holds sealed secrets, and the column that names their row."""

    table: str
    column: str
    key: str = "id"

    def place(self, row: str) -> str:
        """The place of the secret in the row named ``row``."""
        return f"{self.table}/{self.column}/{row}"


SEALED = (
    SealedColumn("session_credential", "sealed", key="account_id"),
    SealedColumn("operator", "totp_secret"),
    SealedColumn("webhook", "headers"),
    SealedColumn("webhook", "secret"),
    SealedColumn("webhook", "previous_secret"),
    SealedColumn("webhook", "url_sealed"),
    SealedColumn("knowledge_document", "url_sealed"),
    SealedColumn("ai_provider", "api_key"),
    SealedColumn("request_key", "answer"),
)
"""Every column that holds sealed secrets: a rotation of the key seals them anew."""
KEY_CHECK = "setting/value/key_check"
"""The place of the value by which a start sees whether it has the right key; a rotation makes it anew."""
_PLACES = (*(spot.place("") for spot in SEALED), KEY_CHECK)


class CryptoError(Exception):
    """A key or a stored secret cannot be used; the text says which and what to do."""


class SecretBox:
    """Encrypts with the first key, decrypts with any of them (old keys stay readable while a rotation runs)."""

    def __init__(self, *keys: bytes) -> None:
        if not keys:
            raise CryptoError("At least one encryption key is needed.")
        self._keys: dict[str, AESGCM] = {}
        for key in keys:
            if len(key) != KEY_BYTES:
                raise CryptoError(f"An encryption key has {KEY_BYTES} bytes, not {len(key)}.")
            self._keys[key_id(key)] = AESGCM(key)
        self.key_id = next(iter(self._keys))
        self._signing = hashlib.blake2b(keys[0], digest_size=32, person=b"wa-tokens").digest()

    @property
    def signing_key(self) -> bytes:
        """A key for signing tokens, derived from the first key and useless for decrypting."""
        return self._signing

    def seal(self, secret: bytes, place: str) -> str:
        """Encrypt ``secret`` for ``place`` (``table/column/row``), which must be in a column of :data:`SEALED`."""
        if not place.startswith(_PLACES):
            raise CryptoError(f"{place} is in no column of SEALED, so a rotation of the key would leave it unreadable: add it there.")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self.key_id].encrypt(nonce, secret, place.encode())
        return ".".join((_VERSION, self.key_id, _encode(nonce), _encode(sealed)))

    def open(self, stored: str, place: str) -> bytes:
        """Decrypt what :meth:`seal` made for the same ``place``. Raises :class:`CryptoError`."""
        try:
            version, key_id, nonce, sealed = stored.split(".")
            raw_nonce, raw_sealed = _decode(nonce), _decode(sealed)
        except (ValueError, binascii.Error):
            raise CryptoError(f"The secret at {place} is damaged.") from None
        if version != _VERSION or key_id not in self._keys:
            raise CryptoError(
                f"The secret at {place} was encrypted with another key ({key_id}). Start with the ENCRYPTION_KEY, or the key"
                " file in the data folder, that was in use when it was saved."
            )
        try:
            return self._keys[key_id].decrypt(raw_nonce, raw_sealed, place.encode())
        except InvalidTag:
            raise CryptoError(f"The secret at {place} was changed or moved and cannot be opened.") from None


def load_keys(configured: str | None, path: Path) -> list[bytes]:
    """What :func:`find_keys` finds; when there is none, a new key in the key file ``path``, with mode 600."""
    found = find_keys(configured, path)
    if not found:
        found = [os.urandom(KEY_BYTES)]
        _write_key(path, found[0])
    return found


def find_keys(configured: str | None, path: Path) -> list[bytes]:
    """The configured key (base64), else those of the key file ``path``, else none. The first encrypts. A second one is there only after
    a rotation was interrupted.

    Raises :class:`CryptoError` for a key that is not 32 bytes.
    """
    if configured:
        return [parse_key(configured)]
    return [_read_key(file) for file in (path, staged(path)) if file.exists()]


def parse_key(text: str) -> bytes:
    """Read a key written as base64. Raises :class:`CryptoError` that says how to make one."""
    try:
        key = base64.b64decode(text.translate(_STANDARD), validate=True)
    except (ValueError, binascii.Error):
        raise CryptoError("The encryption key is not base64. Make one with: openssl rand -base64 32") from None
    if len(key) != KEY_BYTES:
        raise CryptoError(f"The encryption key has {len(key)} bytes, not {KEY_BYTES}. Make one with: openssl rand -base64 32")
    return key


def staged(path: Path) -> Path:
    """Where a rotation keeps the new key until every secret is sealed with it."""
    return path.with_name(path.name + ".new")


def stage_key(path: Path, key: bytes) -> bytes:
    """Write ``key`` beside the key file ``path`` and return it; the key of an interrupted rotation is taken up instead."""
    if staged(path).exists():
        return _read_key(staged(path))
    _write_key(staged(path), key)
    return key


def promote(path: Path) -> None:
    """The new key of a rotation takes the place of the key file ``path``, on disk; the old one is gone."""
    staged(path).rename(path)
    _sync_folder(path.parent)


def key_id_of(stored: str) -> str:
    """The id of the key that ``stored`` was sealed with; empty when it is no sealed secret."""
    parts = stored.split(".")
    return parts[1] if len(parts) == 4 and parts[0] == _VERSION else ""


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise CryptoError(f"The key file {path} is damaged: it has {len(key)} bytes, not {KEY_BYTES}.")
    return key


def _write_key(path: Path, key: bytes) -> None:
    """Write the file whole or not at all, and on disk."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def key_id(key: bytes) -> str:
    """What a key is called; it tells nothing about the key."""
    return hashlib.blake2b(key, digest_size=4, person=b"wa-key-id").hexdigest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
