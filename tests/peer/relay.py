"""What clients send to each other: messages, receipts, typing, calls. The ciphertext is passed on as it is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import JID, Node

if TYPE_CHECKING:
    from tests.peer.connection import Connection
    from tests.peer.server import Server


class Relay:
    """Routes stanzas of one device to the devices they are for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.messages = 0

    # -- messages

    async def message(self, connection: Connection, stanza: Node) -> None:
        """A message for a person, a group or an own device."""
        sender = connection.device
        assert sender is not None
        sender.acct.received.append(stanza)
        self.messages += 1
        to: JID = stanza.attrs["to"]
        if error := self._refusal(sender, to):
            await self._ack(connection, stanza, error=error)
            return
        again = stanza.attrs["id"] in sender.acct.relayed and stanza.child("participants") is not None
        sender.acct.relayed.add(stanza.attrs["id"])
        if again:
            pass  # only the answer was lost
        elif stanza.attrs.get("category") == "peer":
            await self._to_own_device(sender, stanza, to)
        elif to.server == "g.us":
            await self._to_group(sender, stanza, to)
        else:
            await self._to_person(sender, stanza, to)
        if not self._server.faults.happens(self._server.faults.drop_acks):
            await self._ack(connection, stanza)

    def _refusal(self, sender: Device, to: JID) -> str | None:
        if sender.acct.send_error:
            return sender.acct.send_error
        if to.server == "g.us":
            return None if to.user in self._server.groups else "404"
        return None if self._server.acct_of(to) else "404"

    async def _ack(self, connection: Connection, stanza: Node, **more: str) -> None:
        about = {"class": "message", "id": stanza.attrs["id"], "from": stanza.attrs["to"], "t": int(time.time()), **more}
        await connection.send(Node("ack", about))

    async def _to_person(self, sender: Device, stanza: Node, to: JID) -> None:
        participants = stanza.child("participants")
        sealed = {node.attrs["jid"]: node for node in participants.children()} if participants else {}
        if not sealed and stanza.child("enc"):
            sealed = {to: stanza}  # for one device only: a message sent again
        for address, node in sealed.items():
            account = self._server.acct_of(address)
            if account is None:
                continue
            hidden = address.server == "lid"
            about = self._about(sender, stanza) | {
                "from": sender.lid if hidden else sender.pn,
                "addressing_mode": "lid" if hidden else "pn",
                ("sender_pn" if hidden else "sender_lid"): (sender.pn if hidden else sender.lid).bare,
            }
            if account is sender.acct:
                about |= {"recipient": to, "peer_recipient_pn": stanza.attrs.get("peer_recipient_pn")}
            await self._give(account, address, sender, stanza, about, node.children("enc"))

    async def _to_group(self, sender: Device, stanza: Node, to: JID) -> None:
        """One message for all, and for each device the key to read it with."""
        participants = stanza.child("participants")
        keys = {node.attrs["jid"]: node.children("enc") for node in participants.children()} if participants else {}
        shared = stanza.children("enc")
        about = self._about(sender, stanza) | {
            "from": to,
            "participant": sender.lid,
            "participant_pn": sender.pn.bare,
            "addressing_mode": "lid",
        }
        for lid in self._server.groups[to.user]["members"]:
            account = self._server.by_lid[lid]
            for device in account.everywhere():
                if device is not sender:
                    sealed = keys.get(device.lid, keys.get(device.pn, [])) + shared
                    await self._give(account, device.lid, sender, stanza, about, sealed)

    async def _to_own_device(self, sender: Device, stanza: Node, to: JID) -> None:
        about = self._about(sender, stanza) | {"from": sender.pn, "category": "peer"}
        await self._give(sender.acct, to, sender, stanza, about, stanza.children("enc"))

    @staticmethod
    def _about(sender: Device, stanza: Node) -> dict[str, object]:
        about = {name: stanza.attrs.get(name) for name in ("id", "type", "edit")}
        return {**about, "t": int(time.time()), "notify": sender.acct.name}

    async def _give(
        self, account: Account, address: JID, sender: Device, stanza: Node, about: dict[str, object], sealed: list[Node]
    ) -> None:
        """Hand a message to one device; what is for device 0 is for the phone."""
        if not sealed:
            return
        if address.device == 0:
            await self._server.phones.arrived(account, sender, stanza, sealed[0])
            return
        device = account.devices.get(address.device)
        if device is None or device is sender:
            return
        beside = [node for tag in ("device-identity", "meta", "franking", "reporting") for node in stanza.children(tag)]
        await self._server.deliver(device, Node("message", dict(about), [*sealed, *beside]))

    # -- the rest

    async def receipt(self, connection: Connection, stanza: Node) -> None:
        """Ticks: taken as the sign that the message arrived, and passed on to its sender's devices."""
        device = connection.device
        assert device is not None
        device.acct.received.append(stanza)
        kind, to = stanza.attrs.get("type"), stanza.attrs["to"]
        listed = stanza.child("list")
        ids = [stanza.attrs["id"], *(node.attrs["id"] for node in (listed.children("item") if listed else []))]
        if kind != "retry":
            for wa_id in ids:
                device.queue.pop(("message", wa_id), None)
        about = {"class": "receipt", "id": stanza.attrs["id"], "from": to, "type": kind, "t": int(time.time())}
        await connection.send(Node("ack", about))
        if kind in ("peer_msg", "hist_sync"):
            return
        told = {name: value for name, value in stanza.attrs.items() if name not in ("to", "participant", "recipient")} | {
            "t": int(time.time())
        }
        if to.server == "g.us":
            author = self._server.acct_of(stanza.attrs["participant"])
            told |= {"from": to, "participant": device.lid}
        else:
            author = self._server.acct_of(to)
            told["from"] = device.lid if to.server == "lid" else device.pn
        writer: JID = stanza.attrs["participant"] if to.server == "g.us" else to
        if kind == "retry" and author and not writer.device:
            await self._server.phones.asked_again(author, device, stanza)
            return
        for target in self._targets(author, to, kind):
            if target is not device:
                await self._server.deliver(target, Node("receipt", dict(told), stanza.content))
        if kind in ("read", "played", "read-self") and author is not device.acct:
            for other in device.acct.devices.values():
                if other is not device:
                    await self._server.deliver(other, Node("receipt", {**told, "from": device.lid, "recipient": to}, stanza.content))

    @staticmethod
    def _targets(author: Account | None, to: JID, kind: str | None) -> list[Device]:
        """A request to send again goes to the device that sent; ticks go to all of them."""
        if author is None:
            return []
        if kind == "retry" and to.device:
            return [device for device in author.devices.values() if device.id == to.device]
        return list(author.devices.values())

    async def typing(self, connection: Connection, stanza: Node) -> None:
        """Typing, or no longer: not kept for those who are away."""
        device, to = connection.device, stanza.attrs["to"]
        account = self._server.acct_of(to)
        if device is None or account is None:
            return
        sender = device.lid if to.server == "lid" else device.pn
        for target in account.devices.values():
            if target.online:
                await target.online.send(Node("chatstate", {"from": sender.bare}, stanza.content))

    async def device_list(self, change: str, device: Device) -> None:
        """``add`` or ``remove``: tell those who know the account's devices, or they go on writing to the old ones."""
        for number in device.acct.watchers:
            for target in list(self._server.accounts[number].devices.values()):
                if target is device:
                    continue
                for whole, part in ((device.acct.jid, device.pn), (device.acct.hidden, device.lid)):
                    about = {"from": whole, "type": "devices", "id": os.urandom(4).hex(), "t": int(time.time())}
                    changed = Node(change, {"device_hash": "2:changed"}, [Node("device", {"jid": part, "key-index": str(device.id)})])
                    await self._server.deliver(target, Node("notification", about, [changed]))

    async def call(self, caller: Account, callee: Account, *, video: bool) -> None:
        """Somebody's phone rings."""
        media = [Node("audio", {"enc": "opus", "rate": "16000"}), *([Node("video", {"enc": "vp8"})] if video else [])]
        offer = Node("offer", {"call-id": os.urandom(16).hex().upper(), "call-creator": caller.jid}, media)
        for device in callee.devices.values():
            about = {"from": caller.jid, "id": os.urandom(8).hex(), "t": int(time.time()), "platform": "android", "version": "2.26.1"}
            await self._server.deliver(device, Node("call", about, [offer]))
