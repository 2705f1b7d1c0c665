"""The few ciphers that Signal, media files and app state are made of."""

from __future__ import annotations

import os
from dataclasses import dataclass

import xeddsa
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@dataclass(frozen=True)
class KeyPair:
    """A Curve25519 pair; both halves are 32 bytes."""

    private: bytes
    public: bytes

    @classmethod
    def generate(cls) -> KeyPair:
        """A new random pair."""
        private = os.urandom(32)
        return cls(private, xeddsa.priv_to_curve25519_pub(private))

    def agree(self, public: bytes) -> bytes:
        """The secret shared with the owner of ``public`` (32 bytes)."""
        return xeddsa.x25519(self.private, public)

    def sign(self, message: bytes) -> bytes:
        """An XEdDSA signature that the Curve25519 public key verifies."""
        return xeddsa.ed25519_priv_sign(xeddsa.priv_force_sign(self.private, False), message)


def hkdf(secret: bytes, info: bytes, length: int, salt: bytes | None = None) -> bytes:
    """HKDF with SHA-256."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-CBC with PKCS#7 padding."""
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of ``cbc_encrypt``. Raises ValueError when the padding is wrong."""
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
