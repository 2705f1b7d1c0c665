"""Linking a device: the QR code it shows is scanned, or the code it shows is typed, on the owner's phone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import SERVER, Node
from tests.peer.noise import Keys, agree, new_keys, sign
from whatsapp_dashboard.engines.multidevice.host.protos import adv_pb

if TYPE_CHECKING:
    from tests.peer.connection import Connection
    from tests.peer.server import Server

CODES = 6
ITERATIONS = 2 << 16
_BUNDLE = b"link_code_pairing_key_bundle_encryption_key"


class _ByCode:
    """A linking by code that waits for the owner to type it, or for the device to finish."""

    def __init__(self, connection: Connection, asked: Node) -> None:
        self.connection = connection
        self.ref = os.urandom(12).hex().encode()
        self.device_ephemeral = asked.data("link_code_pairing_wrapped_companion_ephemeral_pub")
        self.ephemeral: Keys = new_keys()
        self.secret = b""


class Pairing:
    """The codes on show, and the devices that show them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._shown: dict[str, Connection] = {}
        self._by_code: dict[str, _ByCode] = {}

    async def offer(self, connection: Connection) -> None:
        """A client without an account wants to be linked: give it codes to show."""
        connection.refs = [f"2@{base64.b64encode(os.urandom(48)).decode()}" for _ in range(CODES)]
        for ref in connection.refs:
            self._shown[ref] = connection
        refs = [Node("ref", {}, ref.encode()) for ref in connection.refs]
        asked = {"from": SERVER, "type": "set", "id": os.urandom(4).hex(), "xmlns": "md"}
        await connection.send(Node("iq", asked, [Node("pair-device", {}, refs)]))

    def withdraw(self, connection: Connection) -> None:
        """The client is gone, its codes are worthless."""
        for ref in connection.refs:
            self._shown.pop(ref, None)

    # -- by QR

    async def scan(self, text: str, account: Account) -> None:
        """What the phone does with a scanned code. Raises LookupError for a code that nobody shows (any more)."""
        ref, noise, identity, secret, *_ = text.rsplit("#", maxsplit=1)[-1].split(",")
        connection = self._shown.get(ref)
        if connection is None or connection.agreed is None or connection.closed:
            raise LookupError("nobody shows this QR code (any more)")
        if base64.b64decode(noise) != connection.agreed.client_key:
            raise LookupError("the QR code names another device")
        if base64.b64decode(identity) != connection.agreed.payload.devicePairingData.eIdent:
            raise LookupError("the QR code names another identity")
        await self._link(connection, account, base64.b64decode(secret))

    async def _link(self, connection: Connection, account: Account, secret: bytes) -> None:
        """Vouch for the device with the account's key, and tell it."""
        assert connection.agreed is not None
        if account.passkey:
            await connection.send(_passkey_request())
            return
        number, account.next_device = account.next_device, account.next_device + 1
        told = connection.agreed.payload.devicePairingData
        details = adv_pb.ADVDeviceIdentity(rawID=1, timestamp=int(time.time()), keyIndex=number).SerializeToString()
        signed = adv_pb.ADVSignedDeviceIdentity(
            details=details,
            accountSignatureKey=account.ident[1],
            accountSignature=sign(account.ident[0], b"\x06\x00" + details + told.eIdent),
        ).SerializeToString()
        proof = hmac.digest(secret, signed, hashlib.sha256)
        sealed = adv_pb.ADVSignedDeviceIdentityHMAC(details=signed, HMAC=proof).SerializeToString()
        keys = (told.eSkeyID, told.eSkeyVal, told.eSkeySig)
        device = Device(account, number, told.eRegid, told.eIdent, keys, connection.agreed.client_key)
        connection.pending = device
        success = Node(
            "pair-success",
            {},
            [
                Node("device-identity", {}, sealed),
                Node("device", {"jid": device.pn, "lid": device.lid}),
                Node("platform", {"name": "android"}),
                Node("biz", {"name": ""}),
            ],
        )
        about = {"from": SERVER, "type": "set", "id": f"pair{number}", "xmlns": "md", "t": int(time.time())}
        await connection.send(Node("iq", about, [success]))

    async def signed(self, connection: Connection) -> None:
        """The device has signed in turn: it is linked, and must connect again."""
        device = connection.pending
        if device is not None:
            device.acct.devices[device.id] = device
            await self._server.relay.device_list("add", device)
            await connection.end(Node("stream:error", {"code": "515"}))

    # -- by code

    async def by_code(self, connection: Connection, asked: Node) -> list[Node] | None:
        """A step of the device in a linking by code; what it is answered. Raises LookupError for a step out of order."""
        number = asked.attrs["jid"].user
        if asked.attrs["stage"] == "companion_hello":
            waiting = self._by_code[number] = _ByCode(connection, asked)
            ref = Node("link_code_pairing_ref", {}, waiting.ref)
            return [Node("link_code_companion_reg", {"stage": "companion_hello"}, [ref])]
        found = self._by_code.pop(number, None)
        if found is None or not found.secret or asked.data("link_code_pairing_ref") != found.ref:
            raise LookupError("nobody typed a code for this device")
        account = self._server.account(number)
        bundle = asked.data("link_code_pairing_wrapped_key_bundle")
        key = HKDF(SHA256(), 32, bundle[:32], _BUNDLE).derive(found.secret)
        plain = AESGCM(key).decrypt(bundle[32:44], bundle[44:], None)
        device_identity, phone_identity, random = plain[:32], plain[32:64], plain[64:]
        if phone_identity != account.ident[1]:
            raise LookupError("the device answered another phone")
        both = found.secret + agree(account.ident[0], device_identity) + random
        await self._link(connection, account, HKDF(SHA256(), 32, None, b"adv_secret").derive(both))
        return None

    async def typed(self, code: str, account: Account) -> None:
        """The owner typed the code. Raises LookupError when no device waits for one of this number."""
        waiting = self._by_code.get(account.phone)
        if waiting is None or waiting.connection.closed:
            raise LookupError("no device waits for a code of this number")
        code = code.replace("-", "").strip().upper()
        device_ephemeral = _unwrap(code, waiting.device_ephemeral)
        waiting.secret = agree(waiting.ephemeral[0], device_ephemeral)
        hello = Node(
            "link_code_companion_reg",
            {"stage": "primary_hello"},
            [
                Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, _wrap(code, waiting.ephemeral[1])),
                Node("primary_identity_pub", {}, account.ident[1]),
                Node("link_code_pairing_ref", {}, waiting.ref),
            ],
        )
        about = {"from": SERVER, "type": "link_code_companion_reg", "id": os.urandom(4).hex(), "t": int(time.time())}
        await waiting.connection.send(Node("notification", about, [hello]))


def _passkey_request() -> Node:
    """What the server says in place of a success since June 2026: the options of a WebAuthn assertion, which the device answers with the
    passkey of the account. As whatsmeow reads it (pair-passkey.go)."""
    wanted = {
        "challenge": base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="),
        "timeout": 600_000,
        "rpId": "whatsapp.com",
        "allowCredentials": [],
        "userVerification": "required",
    }
    about = {"from": SERVER, "type": "passkey_prologue_request", "id": os.urandom(4).hex(), "t": int(time.time())}
    return Node("notification", about, [Node("passkey_request_options", {}, json.dumps(wanted).encode())])


def _cipher(code: str, salt: bytes, start: bytes) -> Cipher[CTR]:
    return Cipher(AES(hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ITERATIONS, 32)), CTR(start))


def _unwrap(code: str, wrapped: bytes) -> bytes:
    decryptor = _cipher(code, wrapped[:32], wrapped[32:48]).decryptor()
    return decryptor.update(wrapped[48:]) + decryptor.finalize()


def _wrap(code: str, key: bytes) -> bytes:
    salt, start = os.urandom(32), os.urandom(16)
    encryptor = _cipher(code, salt, start).encryptor()
    return salt + start + encryptor.update(key) + encryptor.finalize()
