"""Settings and contacts: what the owner changes on the phone, and the server's answers to companions that synchronise them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.peer import app_state, blobs
from tests.peer.accounts import Device
from tests.peer.binary_xml import SERVER, Node
from tests.peer.owner_phone import OwnerPhone, message_id
from whatsapp_dashboard.engines.multidevice.host.protos import server_sync_pb


async def share_contacts(phone: OwnerPhone, names: Mapping[str, str | None]) -> None:
    """Put people (number -> name) into the address book; None takes one out."""
    changes: dict[tuple[str, ...], Any] = {}
    for number, name in names.items():
        known = phone.server.accounts.get(number.lstrip("+"))
        changes |= app_state.contact(number.lstrip("+"), name, known.lid if known else "")
    await _announce(phone, phone.state.change(app_state.CRITICAL_UNBLOCK_LOW, changes, 2))


async def set_push_name(phone: OwnerPhone, name: str) -> None:
    """Change the name that others see."""
    phone.account.name = name
    await _announce(phone, phone.state.change(app_state.CRITICAL_BLOCK, app_state.push_name(name)))


async def _announce(phone: OwnerPhone, collection: app_state.Collection, by: Device | None = None) -> None:
    """Tell the companions (but the one that made the change) that there is something to fetch."""
    note = Node("collection", {"name": collection.name, "version": str(collection.version)})
    for device in list(phone.account.devices.values()):
        if device is not by:
            about = {"from": SERVER, "type": "server_sync", "id": message_id(), "t": int(time.time())}
            await phone.server.deliver(device, Node("notification", about, [note]))


async def answer_sync(phone: OwnerPhone, device: Device, request: Node) -> Node:
    """The server's answer to a companion's query with a ``<sync>``: what it has not seen yet; what it changed itself is taken over."""
    asked = request.child("sync")
    return Node("sync", {}, [await _answer_collection(phone, device, one) for one in (asked.children() if asked else [])])


async def _answer_collection(phone: OwnerPhone, device: Device, asked: Node) -> Node:
    name, version = asked.attrs["name"], int(asked.attrs.get("version") or 0)
    collection, content, upload = phone.state.collections[name], [], asked.child("patch")
    if upload is not None:
        try:
            phone.state.accept(name, version, server_sync_pb.SyncdPatch.FromString(upload.data()))
        except app_state.AppStateError as refused:
            error = Node("error", {"code": "409", "text": str(refused)})
            return Node("collection", {"name": name, "type": "error", "version": str(collection.version)}, [error])
        await _announce(phone, collection, device)
    elif asked.attrs.get("return_snapshot") == "true" and collection.version:
        content = [Node("snapshot", {}, _snapshot(phone, name))]
    elif version < collection.version:
        missing = [patch for patch in collection.patches if patch.version.version > version]
        content = [Node("patches", {}, [Node("patch", {}, patch.SerializeToString()) for patch in missing])]
    return Node("collection", {"name": name, "version": str(collection.version), "has_more_patches": "false"}, content or None)


def _snapshot(phone: OwnerPhone, name: str) -> bytes:
    """Upload all that a collection holds; the reference to it."""
    blob = blobs.encrypt(phone.state.snapshot(name).SerializeToString(), blobs.APP_STATE)
    phone.server.media[blob.token] = blob.data
    reference = server_sync_pb.ExternalBlobReference(
        mediaKey=blob.key,
        directPath=blob.direct_path,
        handle=blob.token,
        fileSizeBytes=blob.length,
        fileSHA256=blob.sha256,
        fileEncSHA256=blob.enc_sha256,
    )
    return reference.SerializeToString()
