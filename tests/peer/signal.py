"""The Signal protocol as the owner's phone speaks it: a fresh session for each message it sends, and reading what comes back.

A device that always starts a new session (X3DH as initiator) never has to ratchet: its own ratchet key in a session stays the same, so
any message that arrives in a session is read from that session's root key alone. That is all a simulated phone needs, in a few lines.
"""

from __future__ import annotations

import hmac
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.peer.ciphers import KeyPair, cbc_decrypt, cbc_encrypt, hkdf

VERSION = b"\x33"
"""Protocol version 3, as current and as oldest supported."""

KEY_TYPE = b"\x05"
"""The prefix of a serialised Curve25519 key."""

MAC_LENGTH = 8
CHAIN_LIMIT = 25_000
"""How far ahead of the start of its chain a message may be."""
SESSIONS_KEPT = 400
"""Sessions remembered per device: an answer may still come in an older one."""


class SignalError(Exception):
    """A message could not be read: wrong keys, damaged bytes or a session that is not known."""


@dataclass(frozen=True)
class Bundle:
    """What a device publishes so that others can write to it; keys are 32 bytes, without the type prefix."""

    registration_id: int
    identity: bytes
    signed_prekey_id: int
    signed_prekey: bytes
    signature: bytes = b""
    prekey_id: int | None = None
    prekey: bytes | None = None


def pad(plaintext: bytes) -> bytes:
    """WhatsApp's padding inside a Signal message: 1 to 16 bytes that each hold their number."""
    count = os.urandom(1)[0] % 16 + 1
    return plaintext + bytes([count]) * count


def unpad(plaintext: bytes) -> bytes:
    """What ``pad`` was given. Raises SignalError when the padding is not WhatsApp's."""
    if not plaintext or not 1 <= plaintext[-1] <= len(plaintext):
        raise SignalError("not padded")
    return plaintext[: -plaintext[-1]]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _write(fields: dict[int, int | bytes | None]) -> bytes:
    """A protobuf message of numbers and byte strings; None is left out."""
    out = b""
    for number, value in fields.items():
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        elif value is not None:
            out += _varint(number << 3 | 2) + _varint(len(value)) + value
    return out


def _read(data: bytes) -> dict[int, int | bytes]:
    """The fields of a protobuf message made of numbers and byte strings. Raises SignalError on anything else."""
    at, fields = 0, {}

    def varint() -> int:
        nonlocal at
        result = shift = 0
        while True:
            if at >= len(data):
                raise SignalError("message cut off")
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            fields[tag >> 3] = varint()
        elif tag & 7 == 2:
            length = varint()
            fields[tag >> 3] = data[at : at + length]
            at += length
        else:
            raise SignalError(f"unexpected wire type {tag & 7}")
    return fields


def _message_keys(chain: bytes, counter: int) -> bytes:
    """80 bytes (cipher key, MAC key, IV) of the message number ``counter`` in a chain."""
    for _ in range(counter):
        chain = hmac.digest(chain, b"\x02", "sha256")
    return hkdf(hmac.digest(chain, b"\x01", "sha256"), b"WhisperMessageKeys", 80)


@dataclass(frozen=True)
class Session:
    """One session after X3DH: who takes part, the root key before the other side's first ratchet step, and our ratchet key."""

    own_identity: bytes
    their_identity: bytes
    root: bytes
    ratchet: KeyPair

    def chain(self, their_ratchet: bytes) -> tuple[bytes, bytes]:
        """(next root key, chain key) of the ratchet step between our key and theirs."""
        derived = hkdf(self.ratchet.agree(their_ratchet), b"WhisperRatchet", 64, self.root)
        return derived[:32], derived[32:]

    def open(self, message: bytes) -> bytes:
        """The padded plaintext of a SignalMessage. Raises SignalError when it does not belong to this session."""
        body, mac = message[:-MAC_LENGTH], message[-MAC_LENGTH:]
        parts = _read(body[1:])
        counter, ratchet, ciphertext = parts.get(2, 0), parts.get(1), parts.get(4)
        if not isinstance(counter, int) or counter > CHAIN_LIMIT or not isinstance(ratchet, bytes) or not isinstance(ciphertext, bytes):
            raise SignalError("not a Signal message")
        keys = _message_keys(self.chain(ratchet[1:])[1], counter)
        if not hmac.compare_digest(mac, _mac(keys[32:64], self.their_identity, self.own_identity, body)):
            raise SignalError("the MAC does not match")
        return cbc_decrypt(keys[:32], keys[64:], ciphertext)


def _mac(key: bytes, sender: bytes, receiver: bytes, body: bytes) -> bytes:
    return hmac.digest(key, KEY_TYPE + sender + KEY_TYPE + receiver + body, "sha256")[:MAC_LENGTH]


def _root(agreements: Iterator[bytes]) -> bytes:
    """The first root key from the agreements of X3DH."""
    return hkdf(b"\xff" * 32 + b"".join(agreements), b"WhisperText", 64)[:32]


@dataclass
class SignalDevice:
    """One device's keys and sessions; an address is any text that names the other device."""

    identity: KeyPair = field(default_factory=KeyPair.generate)
    registration_id: int = field(default_factory=lambda: int.from_bytes(os.urandom(2), "big") % 16380 + 1)
    signed_prekey_id: int = 1
    signed_prekey: KeyPair = field(default_factory=KeyPair.generate)
    prekeys: dict[int, KeyPair] = field(default_factory=dict, repr=False)
    """One-time prekeys by their number; each is used up by the first message that names it."""
    _sessions: dict[str, deque[Session]] = field(default_factory=dict, repr=False)

    def bundle(self) -> Bundle:
        """What to publish, with one of the one-time prekeys that are left, if any."""
        signature = self.identity.sign(KEY_TYPE + self.signed_prekey.public)
        number, pair = next(iter(self.prekeys.items()), (None, None))
        return Bundle(
            self.registration_id,
            self.identity.public,
            self.signed_prekey_id,
            self.signed_prekey.public,
            signature,
            number,
            pair.public if pair else None,
        )

    def seal(self, address: str, bundle: Bundle, plaintext: bytes, *, spoilt: bool = False) -> bytes:
        """A PreKeySignalMessage with the padded plaintext, in a new session with the device that published ``bundle``.

        A ``spoilt`` one has a wrong MAC: the device cannot read it, and asks for it again.
        """
        base, sending = KeyPair.generate(), KeyPair.generate()

        def agreements() -> Iterator[bytes]:
            yield self.identity.agree(bundle.signed_prekey)
            yield base.agree(bundle.identity)
            yield base.agree(bundle.signed_prekey)
            if bundle.prekey is not None:
                yield base.agree(bundle.prekey)

        first = Session(self.identity.public, bundle.identity, _root(agreements()), sending)
        root, chain = first.chain(bundle.signed_prekey)
        self._remember(address, Session(self.identity.public, bundle.identity, root, sending))
        keys = _message_keys(chain, 0)
        ciphertext = cbc_encrypt(keys[:32], keys[64:], pad(plaintext))
        body = VERSION + _write({1: KEY_TYPE + sending.public, 2: 0, 3: 0, 4: ciphertext})
        mac = _mac(keys[32:64], self.identity.public, bundle.identity, body)
        message = body + (bytes(byte ^ 0xFF for byte in mac) if spoilt else mac)
        return VERSION + _write(
            {
                1: bundle.prekey_id if bundle.prekey is not None else None,
                2: KEY_TYPE + base.public,
                3: KEY_TYPE + self.identity.public,
                4: message,
                5: self.registration_id,
                6: bundle.signed_prekey_id,
            }
        )

    def open(self, address: str, kind: str, data: bytes) -> bytes:
        """The plaintext of what a device sent here: ``kind`` is "pkmsg" or "msg". Raises SignalError when it cannot be read."""
        if kind == "pkmsg":
            return unpad(self._accept(address, data))
        for session in reversed(self._sessions.get(address, ())):
            try:
                return unpad(session.open(data))
            except SignalError:
                continue
        raise SignalError(f"no session with {address} reads this message")

    def _accept(self, address: str, data: bytes) -> bytes:
        """Read a PreKeySignalMessage that was addressed to our signed prekey."""
        parts = _read(data[1:])
        base, identity, message = (parts.get(number) for number in (2, 3, 4))
        if not isinstance(base, bytes) or not isinstance(identity, bytes) or not isinstance(message, bytes):
            raise SignalError("not a prekey message")
        own, number = self.signed_prekey, parts.get(1)
        if isinstance(number, int) and number not in self.prekeys:
            raise SignalError(f"prekey {number} is used or was never published")

        def agreements() -> Iterator[bytes]:
            yield own.agree(identity[1:])
            yield self.identity.agree(base[1:])
            yield own.agree(base[1:])
            if isinstance(number, int):
                yield self.prekeys[number].agree(base[1:])

        session = Session(self.identity.public, identity[1:], _root(agreements()), own)
        plaintext = session.open(message)
        self._remember(address, session)
        if isinstance(number, int):
            del self.prekeys[number]
        return plaintext

    def _remember(self, address: str, session: Session) -> None:
        known = self._sessions.setdefault(address, deque(maxlen=SESSIONS_KEPT))
        if session not in known:
            known.append(session)
