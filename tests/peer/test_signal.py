"""Signal as the simulated phone speaks it (the real libraries read the same bytes in test_owner_phone.py)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.peer.ciphers import KeyPair, hkdf
from tests.peer.signal import KEY_TYPE, SignalDevice, SignalError, pad, unpad


def test_key_derivation_gives_the_published_answer() -> None:
    """RFC 5869, test case 1 (MSG-1)."""
    okm = hkdf(b"\x0b" * 22, bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"), 42, bytes.fromhex("000102030405060708090a0b0c"))
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_agreements_are_those_of_another_library() -> None:
    """Curve25519 as `cryptography` computes it (MSG-1)."""
    ours, theirs = KeyPair.generate(), X25519PrivateKey.generate()
    shared = theirs.exchange(X25519PublicKey.from_public_bytes(ours.public))
    assert ours.agree(theirs.public_key().public_bytes_raw()) == shared


def test_padding_is_taken_off_again() -> None:
    """1 to 16 bytes that each hold their number (MSG-1)."""
    for length in range(20):
        padded = pad(b"x" * length)
        assert 1 <= len(padded) - length <= 16
        assert padded[-padded[-1] :] == bytes([padded[-1]]) * padded[-1]
        assert unpad(padded) == b"x" * length
    with pytest.raises(SignalError):
        unpad(b"")


def test_each_message_opens_a_session_of_its_own() -> None:
    """With a one-time prekey and, when those have run out, without (MSG-1)."""
    phone, companion = SignalDevice(), SignalDevice(prekeys={7: KeyPair.generate()})
    first = phone.seal("carla", companion.bundle(), b"one")
    assert companion.open("ana", "pkmsg", first) == b"one"
    assert companion.prekeys == {}
    second = phone.seal("carla", companion.bundle(), b"two")
    assert companion.open("ana", "pkmsg", second) == b"two"
    with pytest.raises(SignalError, match="used or was never published"):
        companion.open("ana", "pkmsg", first)


def test_a_damaged_message_is_refused() -> None:
    """A wrong byte anywhere in the ciphertext fails its MAC (MSG-1)."""
    phone, companion = SignalDevice(), SignalDevice()
    sealed = bytearray(phone.seal("carla", companion.bundle(), b"one"))
    sealed[80] ^= 1
    with pytest.raises(SignalError):
        companion.open("ana", "pkmsg", bytes(sealed))


def test_a_message_for_another_device_is_refused() -> None:
    """Sessions are between two identities (MSG-1)."""
    phone, companion, other = SignalDevice(), SignalDevice(), SignalDevice()
    with pytest.raises(SignalError):
        other.open("ana", "pkmsg", phone.seal("carla", companion.bundle(), b"one"))
    with pytest.raises(SignalError, match="no session"):
        other.open("ana", "msg", b"\x33" + b"\x00" * 40)


def test_the_published_prekey_is_signed_by_the_identity() -> None:
    """A client refuses a bundle whose signature does not match (MSG-1)."""
    import xeddsa

    bundle = SignalDevice().bundle()
    public = xeddsa.curve25519_pub_to_ed25519_pub(bundle.identity, bool(bundle.signature[63] & 0x80))
    assert xeddsa.ed25519_verify(bundle.signature, public, KEY_TYPE + bundle.signed_prekey)
