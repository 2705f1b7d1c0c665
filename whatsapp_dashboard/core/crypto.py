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
_NONCE_BYTES = 12
_VERSION = "v1"


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


def load_key(configured: str | None, path: Path) -> bytes:
    """The configured key (base64), else the one in the file ``path``, made with mode 600 when it is not there.

    Raises :class:`CryptoError` for a key that is not 32 bytes.
    """
    if configured:
        try:
            key = base64.b64decode(configured, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise CryptoError("ENCRYPTION_KEY is not base64. Make one with: openssl rand -base64 32") from None
        if len(key) != KEY_BYTES:
            raise CryptoError(f"ENCRYPTION_KEY has {len(key)} bytes, not {KEY_BYTES}. Make one with: openssl rand -base64 32")
        return key
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise CryptoError(f"The key file {path} is damaged: it has {len(key)} bytes, not {KEY_BYTES}.") from None
        return key
    key = os.urandom(KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _key_id(key: bytes) -> str:
    return hashlib.blake2b(key, digest_size=4, person=b"wa-key-id").hexdigest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
