"""Encryption of secrets at rest: AES-256-GCM, bound to the row they belong to (SEC-7).

A stored secret is ``v1.<key id>.<nonce>.<ciphertext>``, base64url without padding. Its place (table, column, row) is the
associated data, so a value copied to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
KEY_FILE = "encryption.key"
_NONCE_BYTES = 12
_VERSION = "v1"
_STANDARD = str.maketrans("-_", "+/")


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
            self._keys[_key_id(key)] = AESGCM(key)
        self.key_id = next(iter(self._keys))
        self._signing = hashlib.blake2b(keys[0], digest_size=32, person=b"wa-tokens").digest()

    @property
    def signing_key(self) -> bytes:
        """A key for signing tokens, derived from the first key and useless for decrypting."""
        return self._signing

    def seal(self, secret: bytes, place: str) -> str:
        """Encrypt ``secret`` for ``place`` (``table/column/row``)."""
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
    """The configured key (base64), else those of the key file ``path``, made with mode 600 when it is not there. The first
    encrypts. A second one is there only after a rotation was interrupted.

    Raises :class:`CryptoError` for a key that is not 32 bytes.
    """
    if configured:
        return [parse_key(configured)]
    if not path.exists():
        _write_key(path, os.urandom(KEY_BYTES))
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


def _key_id(key: bytes) -> str:
    return hashlib.blake2b(key, digest_size=4, person=b"wa-key-id").hexdigest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
