"""App state: an account's contacts and settings, as the phone shares them with its companions.

The server keeps numbered patches that only the account's devices can read. Every record is encrypted and authenticated, and a sum over
all of them (LTHash) goes into the MACs, so that a client notices when the server leaves something out.
"""

from __future__ import annotations

import hmac
import json
import os
import struct
import time
from dataclasses import dataclass, field

from tests.peer.ciphers import cbc_decrypt, cbc_encrypt, hkdf
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, server_sync_pb, sync_action_pb

CRITICAL_BLOCK = "critical_block"
"""The owner's settings, the push name among them."""
CRITICAL_UNBLOCK_LOW = "critical_unblock_low"
"""The owner's address book."""
COLLECTIONS = (CRITICAL_BLOCK, CRITICAL_UNBLOCK_LOW, "regular_high", "regular", "regular_low")

MAC_LENGTH = 32
SET = server_sync_pb.SyncdMutation.SET
REMOVE = server_sync_pb.SyncdMutation.REMOVE


class AppStateError(Exception):
    """A patch cannot be accepted: it builds on another version, or its MACs do not match."""


@dataclass(frozen=True)
class MutationKeys:
    """The five keys of an app state sync key."""

    index: bytes
    value: bytes
    value_mac: bytes
    snapshot_mac: bytes
    patch_mac: bytes

    @classmethod
    def expand(cls, key: bytes) -> MutationKeys:
        """The keys derived from the 32 bytes that devices share."""
        derived = hkdf(key, b"WhatsApp Mutation Keys", 160)
        return cls(*(derived[at : at + 32] for at in range(0, 160, 32)))


def mix(total: bytes, removed: list[bytes], added: list[bytes]) -> bytes:
    """The LTHash ``total`` (128 bytes) after taking out and putting in the records with these value MACs."""
    numbers = list(struct.unpack("<64H", total))
    for macs, sign in ((removed, -1), (added, 1)):
        for mac in macs:
            for at, number in enumerate(struct.unpack("<64H", hkdf(mac, b"WhatsApp Patch Integrity", 128))):
                numbers[at] = (numbers[at] + sign * number) & 0xFFFF
    return struct.pack("<64H", *numbers)


def value_mac(operation: int, content: bytes, key_id: bytes, key: bytes) -> bytes:
    """The MAC of one record's encrypted content."""
    message = bytes([operation + 1]) + key_id + content + struct.pack(">Q", len(key_id) + 1)
    return hmac.digest(key, message, "sha512")[:MAC_LENGTH]


@dataclass
class Collection:
    """One named part of the state: its version, its sum, what it holds now and how it came to it."""

    name: str
    version: int = 0
    total: bytes = bytes(128)
    records: dict[bytes, server_sync_pb.SyncdRecord] = field(default_factory=dict)
    patches: list[server_sync_pb.SyncdPatch] = field(default_factory=list)

    def after(self, mutations: list[server_sync_pb.SyncdMutation]) -> tuple[bytes, dict[bytes, server_sync_pb.SyncdRecord]]:
        """(sum, records) as they would be after these mutations."""
        records, removed, added = dict(self.records), [], []
        for mutation in mutations:
            index = mutation.record.index.blob
            if before := records.pop(index, None):
                removed.append(before.value.blob[-MAC_LENGTH:])
            if mutation.operation == SET:
                added.append(mutation.record.value.blob[-MAC_LENGTH:])
                records[index] = mutation.record
        return mix(self.total, removed, added), records

    def snapshot_mac(self, total: bytes, version: int, key: bytes) -> bytes:
        """Over the sum, the version and the name."""
        return hmac.digest(key, total + struct.pack(">Q", version) + self.name.encode(), "sha256")

    def patch_mac(self, patch: server_sync_pb.SyncdPatch, version: int, key: bytes) -> bytes:
        """Over the snapshot MAC, all value MACs, the version and the name."""
        values = b"".join(mutation.record.value.blob[-MAC_LENGTH:] for mutation in patch.mutations)
        return hmac.digest(key, patch.snapshotMAC + values + struct.pack(">Q", version) + self.name.encode(), "sha256")


@dataclass
class AppState:
    """The state of one account, with the key its devices share."""

    key_id: bytes = field(default_factory=lambda: b"\x00\x00" + os.urandom(4))
    key: bytes = field(default_factory=lambda: os.urandom(32))
    collections: dict[str, Collection] = field(default_factory=lambda: {name: Collection(name) for name in COLLECTIONS})

    @property
    def keys(self) -> MutationKeys:
        """What the shared key is expanded to."""
        return MutationKeys.expand(self.key)

    def key_share(self) -> e2e_pb.Message:
        """The message that gives a companion the key."""
        message = e2e_pb.Message()
        message.protocolMessage.type = e2e_pb.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE
        shared = message.protocolMessage.appStateSyncKeyShare.keys.add()
        shared.keyID.keyID = self.key_id
        shared.keyData.keyData = self.key
        shared.keyData.fingerprint.rawID = 1
        shared.keyData.fingerprint.currentIndex = 0
        shared.keyData.timestamp = int(time.time())
        return message

    def change(self, name: str, changes: dict[tuple[str, ...], sync_action_pb.SyncActionValue | None], version: int = 1) -> Collection:
        """Set (or, with None, remove) entries of a collection in one patch; ``version`` is that of the action's format."""
        collection, keys = self.collections[name], self.keys
        mutations = [
            self._mutation(keys, json.dumps(list(index), separators=(",", ":")), value, version) for index, value in changes.items()
        ]
        patch = server_sync_pb.SyncdPatch(mutations=mutations)
        patch.keyID.ID = self.key_id
        patch.snapshotMAC = collection.snapshot_mac(collection.after(mutations)[0], collection.version + 1, keys.snapshot_mac)
        patch.patchMAC = collection.patch_mac(patch, collection.version + 1, keys.patch_mac)
        self.accept(name, collection.version, patch)
        return collection

    def _mutation(
        self, keys: MutationKeys, index: str, value: sync_action_pb.SyncActionValue | None, version: int
    ) -> server_sync_pb.SyncdMutation:
        """One encrypted entry."""
        operation = REMOVE if value is None else SET
        data = sync_action_pb.SyncActionData(index=index.encode(), padding=b"", version=version)
        data.value.CopyFrom(value or sync_action_pb.SyncActionValue())
        data.value.timestamp = int(time.time() * 1000)
        iv = os.urandom(16)
        content = iv + cbc_encrypt(keys.value, iv, data.SerializeToString())
        mutation = server_sync_pb.SyncdMutation(operation=operation)
        mutation.record.index.blob = hmac.digest(keys.index, index.encode(), "sha256")
        mutation.record.value.blob = content + value_mac(operation, content, self.key_id, keys.value_mac)
        mutation.record.keyID.ID = self.key_id
        return mutation

    def accept(self, name: str, base: int, patch: server_sync_pb.SyncdPatch) -> Collection:
        """Add a device's patch on top of version ``base``. Raises AppStateError when it does not fit."""
        collection, keys = self.collections[name], self.keys
        if base != collection.version:
            raise AppStateError(f"{name} is at version {collection.version}, not {base}")
        total, records = collection.after(list(patch.mutations))
        version = collection.version + 1
        if patch.snapshotMAC != collection.snapshot_mac(total, version, keys.snapshot_mac):
            raise AppStateError(f"the sum of {name} does not match")
        if patch.patchMAC != collection.patch_mac(patch, version, keys.patch_mac):
            raise AppStateError(f"the patch of {name} does not match its MAC")
        patch.version.version = version
        collection.version, collection.total, collection.records = version, total, records
        collection.patches.append(patch)
        return collection

    def snapshot(self, name: str) -> server_sync_pb.SyncdSnapshot:
        """All that a collection holds now."""
        collection = self.collections[name]
        snapshot = server_sync_pb.SyncdSnapshot(records=collection.records.values())
        snapshot.version.version = collection.version
        snapshot.keyID.ID = self.key_id
        snapshot.mac = collection.snapshot_mac(collection.total, collection.version, self.keys.snapshot_mac)
        return snapshot

    def read(self, name: str) -> dict[tuple[str, ...], sync_action_pb.SyncActionValue]:
        """The entries of a collection, decrypted and checked. Raises AppStateError when one is not authentic."""
        keys, found = self.keys, {}
        for index, record in self.collections[name].records.items():
            content, mac = record.value.blob[:-MAC_LENGTH], record.value.blob[-MAC_LENGTH:]
            if mac != value_mac(SET, content, record.keyID.ID, keys.value_mac):
                raise AppStateError(f"an entry of {name} does not match its MAC")
            data = sync_action_pb.SyncActionData.FromString(cbc_decrypt(keys.value, content[:16], content[16:]))
            if index != hmac.digest(keys.index, data.index, "sha256"):
                raise AppStateError(f"an entry of {name} stands under another's index")
            found[tuple(json.loads(data.index))] = data.value
        return found


def push_name(name: str) -> dict[tuple[str, ...], sync_action_pb.SyncActionValue | None]:
    """The change that sets the owner's push name (in ``critical_block``)."""
    value = sync_action_pb.SyncActionValue()
    value.pushNameSetting.name = name
    return {("setting_pushName",): value}


def contact(number: str, name: str | None, lid: str = "") -> dict[tuple[str, ...], sync_action_pb.SyncActionValue | None]:
    """The change that puts a person into the address book (in ``critical_unblock_low``, format 2), or with None takes them out."""
    index = ("contact", f"{number}@s.whatsapp.net")
    if name is None:
        return {index: None}
    value = sync_action_pb.SyncActionValue()
    value.contactAction.fullName = name
    value.contactAction.firstName = name.split()[0] if name.split() else name
    value.contactAction.saveOnPrimaryAddressbook = True
    if lid:
        value.contactAction.lidJID = f"{lid}@lid"
    return {index: value}
