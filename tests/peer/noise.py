"""The server's side of the handshake: Noise XX with Curve25519, AES-256-GCM and SHA-256, and the certificates that vouch for it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import xeddsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from whatsapp_dashboard.engines.multidevice.host.protos import cert_pb, wa6_pb

Keys = tuple[bytes, bytes]
"""A private and its public key on Curve25519."""


def new_keys() -> Keys:
    """A new pair."""
    private = os.urandom(32)
    return private, xeddsa.priv_to_curve25519_pub(private)


def sign(private: bytes, message: bytes) -> bytes:
    """An XEdDSA signature that the Curve25519 public key verifies."""
    return xeddsa.ed25519_priv_sign(xeddsa.priv_force_sign(private, False), message)


def agree(private: bytes, public: bytes) -> bytes:
    """The Diffie-Hellman secret."""
    return xeddsa.x25519(private, public)


class Identity:
    """The server's keys, from the root down to the one of the handshake."""

    def __init__(self) -> None:
        self.root, self._intermediate, self.static = new_keys(), new_keys(), new_keys()

    def certificates(self) -> bytes:
        """The chain a client checks against the root key it knows."""
        now = int(time.time())
        chain = cert_pb.CertChain()
        for part, keys, signer, serial in (
            (chain.intermediate, self._intermediate, self.root, 1),
            (chain.leaf, self.static, self._intermediate, 2),
        ):
            details = cert_pb.CertChain.NoiseCertificate.Details(
                serial=serial, issuerSerial=serial - 1, key=keys[1], notBefore=now - 86_400, notAfter=now + 30 * 86_400
            )
            part.details = details.SerializeToString()
            part.signature = sign(signer[0], part.details)
        return chain.SerializeToString()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a finished handshake leaves: a cipher for each direction, the client's static key, and what it asks for."""

    receive: AESGCM
    send: AESGCM
    client_key: bytes
    payload: wa6_pb.ClientPayload


class _State:
    """The hash, the chaining key and the cipher of a handshake under way."""

    def __init__(self, header: bytes) -> None:
        self._hash = self._chain = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
        self._cipher, self._count = AESGCM(self._hash), 0
        self.mix_hash(header)

    def mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _nonce(self) -> bytes:
        self._count += 1
        return nonce(self._count - 1)

    def encrypt(self, data: bytes) -> bytes:
        sealed = self._cipher.encrypt(self._nonce(), data, self._hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes:
        data = self._cipher.decrypt(self._nonce(), sealed, self._hash)
        self.mix_hash(sealed)
        return data

    def _derive(self, secret: bytes) -> tuple[bytes, bytes]:
        both = HKDF(SHA256(), 64, self._chain, b"").derive(secret)
        return both[:32], both[32:]

    def mix_key(self, private: bytes, public: bytes) -> None:
        self._chain, key = self._derive(agree(private, public))
        self._cipher, self._count = AESGCM(key), 0

    def split(self) -> tuple[AESGCM, AESGCM]:
        first, second = self._derive(b"")
        return AESGCM(first), AESGCM(second)


def nonce(count: int) -> bytes:
    """The nonce of the ``count``-th frame."""
    return b"\0" * 8 + count.to_bytes(4, "big")


async def shake_hands(header: bytes, identity: Identity, frames: AsyncIterator[bytes], send: Callable[[bytes], Awaitable[None]]) -> Agreed:
    """Answer a client's hello. Raises StopAsyncIteration when it hangs up, and InvalidTag when it does not fit."""
    state = _State(header)
    hello = wa6_pb.HandshakeMessage.FromString(await anext(frames)).clientHello
    state.mix_hash(hello.ephemeral)
    ephemeral = new_keys()
    state.mix_hash(ephemeral[1])
    state.mix_key(ephemeral[0], hello.ephemeral)
    answer = wa6_pb.HandshakeMessage()
    answer.serverHello.ephemeral = ephemeral[1]
    answer.serverHello.static = state.encrypt(identity.static[1])
    state.mix_key(identity.static[0], hello.ephemeral)
    answer.serverHello.payload = state.encrypt(identity.certificates())
    await send(answer.SerializeToString())
    finish = wa6_pb.HandshakeMessage.FromString(await anext(frames)).clientFinish
    client_key = state.decrypt(finish.static)
    state.mix_key(ephemeral[0], client_key)
    payload = wa6_pb.ClientPayload.FromString(state.decrypt(finish.payload))
    receive, write = state.split()
    return Agreed(receive, write, client_key, payload)
