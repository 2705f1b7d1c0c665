"""The owner's phone: device 0 of an account, which writes, shares history and contacts, and answers its companions."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.peer import app_state, history
from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import JID, Node
from tests.peer.ciphers import KeyPair
from tests.peer.phone_log import Entry, PhoneLog
from tests.peer.signal import Bundle, SignalDevice
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

if TYPE_CHECKING:
    from tests.peer.server import Server

EDIT, REVOKE = "1", "7"
"""The stanza attribute ``edit`` of an edited and of a revoked message."""


KEPT_TO_SEND_AGAIN = 1_000


def message_id() -> str:
    """A new id as phones make them."""
    return "3A" + os.urandom(9).hex().upper()


def bundle_of(device: Device) -> Bundle:
    """What the server gives to somebody who wants to write to a device; uses up one of its one-time prekeys."""
    number, key = device.prekeys.pop(0) if device.prekeys else (None, None)
    return Bundle(
        int.from_bytes(device.reg, "big"),
        device.identity,
        int.from_bytes(device.skey[0], "big"),
        device.skey[1],
        device.skey[2],
        int.from_bytes(number, "big") if number else None,
        key,
    )


class OwnerPhone:
    """One account's phone. Whoever holds it can call these methods; companions get what a real phone would send them."""

    def __init__(self, server: Server, account: Account, phone_of: Callable[[Account], OwnerPhone]) -> None:
        """A phone whose address book holds nobody yet; ``phone_of`` finds the phones of others."""
        self.server, self.account, self._phone_of = server, account, phone_of
        self.signal = SignalDevice(KeyPair(*account.ident))
        self.state = app_state.AppState()
        self.state.change(app_state.CRITICAL_BLOCK, app_state.push_name(account.name))
        self.log = PhoneLog()
        self.on_link: history.History | None = None
        """What a newly linked companion gets of the past."""
        self._sent: OrderedDict[tuple[str, str], tuple[e2e_pb.Message, Mapping[str, Any]]] = OrderedDict()
        self.swallowed = 0
        """Messages that reached the phone, read or not."""

    @property
    def push_name(self) -> str:
        """The owner's name, as companions learn it."""
        return self.state.read(app_state.CRITICAL_BLOCK)[("setting_pushName",)].pushNameSetting.name

    # ---- what the owner does

    async def sends(
        self,
        to: str,
        message: e2e_pb.Message,
        *,
        edit: str | None = None,
        kind: str = "text",
        given_id: str | None = None,
        spoilt: bool = False,
    ) -> str:
        """Write to a number or a group (its JID); the id of the message. Raises KeyError for a group that is not there.

        A ``spoilt`` message cannot be read by the contact's devices until they have asked for it again.
        """
        sent, now = given_id or message_id(), int(time.time())
        common = {"id": sent, "type": kind, "t": now, "notify": self.account.name, "edit": edit, "addressing_mode": "lid"}
        own = JID(self.account.lid, "lid")
        if to.endswith("@g.us"):
            await self._to_group(
                JID(to.split("@", maxsplit=1)[0], "g.us"),
                message,
                {**common, "participant": own, "participant_pn": JID(self.account.phone)},
            )
        else:
            contact = self.server.account(to.lstrip("+"))
            to = contact.phone
            copy = e2e_pb.Message()
            copy.deviceSentMessage.destinationJID = f"{contact.phone}@s.whatsapp.net"
            copy.deviceSentMessage.message.CopyFrom(message)
            beside = {**common, "from": own, "recipient": JID(contact.lid, "lid"), "peer_recipient_pn": JID(contact.phone)}
            for device in list(self.account.devices.values()):
                await self.encrypted(device, copy, beside)
            if contact is not self.account:
                for device in list(contact.devices.values()):
                    theirs = {**common, "from": own, "sender_pn": JID(self.account.phone)}
                    await self.encrypted(device, message, theirs, spoilt=spoilt)
                self._phone_of(contact).log.add(Entry(sent, self.account.phone, self.account.phone, False, lambda: message, now))
        self.log.add(Entry(sent, to, self.account.phone, True, lambda: message, now))
        return sent

    async def _to_group(self, group: JID, message: e2e_pb.Message, attributes: dict[str, Any]) -> None:
        """To each device by itself: clients read that as they read a message that was sent again, and need no sender key."""
        for lid in self.server.groups[group.user]["members"]:
            for device in list(self.server.by_lid[lid].devices.values()):
                await self.encrypted(device, message, {**attributes, "from": group})

    async def edits(self, to: str, target: str, text: str) -> str:
        """Change the text of a message the owner wrote."""
        message = e2e_pb.Message()
        inner = message.editedMessage.message.protocolMessage
        inner.type = e2e_pb.ProtocolMessage.MESSAGE_EDIT
        inner.editedMessage.conversation = text
        inner.timestampMS = int(time.time() * 1000)
        self._key(inner.key, to, target, True)
        return await self.sends(to, message, edit=EDIT)

    async def revokes(self, to: str, target: str) -> str:
        """Take back a message the owner wrote."""
        message = e2e_pb.Message()
        message.protocolMessage.type = e2e_pb.ProtocolMessage.REVOKE
        self._key(message.protocolMessage.key, to, target, True)
        return await self.sends(to, message, edit=REVOKE)

    async def reacts(self, to: str, target: str, emoji: str, *, from_me: bool = False) -> str:
        """React to a message; ``from_me`` when the owner wrote it; an empty emoji takes the reaction back."""
        message = e2e_pb.Message()
        message.reactionMessage.text = emoji
        message.reactionMessage.senderTimestampMS = int(time.time() * 1000)
        self._key(message.reactionMessage.key, to, target, from_me)
        return await self.sends(to, message, kind="reaction")

    def _key(self, key: Any, to: str, target: str, from_me: bool) -> None:
        key.remoteJID, key.fromMe, key.ID = history.address(to), from_me, target

    async def sends_view_once(self, to: str) -> str:
        """Send a picture that can be opened once, on the contact's phone only: linked devices are told that there is one, no more."""
        contact, sent = self.server.account(to.lstrip("+")), message_id()
        common = {"id": sent, "type": "media", "t": int(time.time()), "notify": self.account.name, "addressing_mode": "lid"}
        about = {**common, "from": JID(self.account.lid, "lid"), "sender_pn": JID(self.account.phone)}
        for device in list(contact.devices.values()):
            await self.server.deliver(device, Node("message", dict(about), [Node("unavailable", {"type": "view_once"})]))
        return sent

    async def posts_status(self, viewer: str, text: str) -> str:
        """Post a status update that ``viewer`` (a number) sees; its id."""
        sent = message_id()
        about = {"id": sent, "type": "text", "t": int(time.time()), "notify": self.account.name, "from": JID("status", "broadcast")}
        by = {"participant": JID(self.account.lid, "lid"), "participant_pn": JID(self.account.phone), "addressing_mode": "lid"}
        for device in list(self.server.account(viewer).devices.values()):
            await self.encrypted(device, e2e_pb.Message(conversation=text), {**about, **by})
        return sent

    async def posts_in_channel(self, channel: str, follower: str, text: str) -> str:
        """Write in a channel (its name before the ``@``) that ``follower`` (a number) follows; its id."""
        sent, plain = message_id(), e2e_pb.Message(conversation=text).SerializeToString()
        about = {"id": sent, "type": "text", "t": int(time.time()), "from": JID(channel, "newsletter"), "server_id": "101"}
        for device in list(self.server.account(follower).devices.values()):
            await self.server.deliver(device, Node("message", dict(about), [Node("plaintext", {}, plain)]))
        return sent

    async def reads(self, to: str, ids: Sequence[str]) -> None:
        """Open a chat: the contact's devices see the messages as read, and so do the owner's companions."""
        contact, now = self.server.account(to.lstrip("+")), int(time.time())
        more = [Node("list", {}, [Node("item", {"id": name}) for name in ids[1:]])] if len(ids) > 1 else None
        receipt = {"id": ids[0], "type": "read", "t": now, "from": JID(self.account.lid, "lid")}
        for device in list(contact.devices.values()):
            await self.server.deliver(device, Node("receipt", dict(receipt), more))
        for device in list(self.account.devices.values()):
            await self.server.deliver(device, Node("receipt", {**receipt, "recipient": JID(contact.lid, "lid")}, more))

    # ---- what the phone shares with its companions

    async def companion_linked(self, device: Device) -> None:
        """A companion is online for the first time: give it the key to the account's settings and contacts, and the past."""
        if self.account.name != self.push_name:
            self.state.change(app_state.CRITICAL_BLOCK, app_state.push_name(self.account.name))
        await self.tell(device, self.state.key_share())
        if self.on_link:
            await self.share(self.on_link, device)

    async def share_history(self, conversations: Sequence[Mapping[str, Any]], *, inline: bool = False, **about: Any) -> None:
        """Send conversations to every companion; ``about`` is passed to ``history.build``."""
        await self.share(history.announce(history.build(conversations, **about), inline=inline))

    async def share(self, chunk: history.History, device: Device | None = None) -> None:
        """Upload a chunk of history and announce it to one companion, or to all."""
        if chunk.blob:
            self.server.media[chunk.blob.token] = chunk.blob.data
        for companion in [device] if device else list(self.account.devices.values()):
            await self.tell(companion, chunk.message)

    # ---- the wire

    def published(self) -> Device:
        """Device 0 as the server lists it, with the keys that others write to."""
        bundle = self.signal.bundle()
        signed = (bundle.signed_prekey_id.to_bytes(3, "big"), bundle.signed_prekey, bundle.signature)
        return Device(self.account, 0, bundle.registration_id.to_bytes(4, "big"), bundle.identity, signed)

    async def tell(self, device: Device, message: e2e_pb.Message) -> str:
        """A message between the account's own devices that no chat shows."""
        sent = message_id()
        attributes = {"from": JID(self.account.phone), "id": sent, "type": "text", "category": "peer", "t": int(time.time())}
        await self.encrypted(device, message, attributes)
        return sent

    async def encrypted(
        self, device: Device, message: e2e_pb.Message, attributes: Mapping[str, Any], *, spoilt: bool = False, count: str | None = None
    ) -> None:
        """Deliver a message to one device, in a new session with it; ``count`` when it is sent again."""
        self._sent[attributes["id"], _address(device)] = (message, attributes)
        if len(self._sent) > KEPT_TO_SEND_AGAIN:
            self._sent.popitem(last=False)
        sealed = self.signal.seal(_address(device), bundle_of(device), message.SerializeToString(), spoilt=spoilt)
        about = {"v": "2", "type": "pkmsg", "count": count}
        await self.server.deliver(device, Node("message", dict(attributes), [Node("enc", about, sealed)]))

    async def sends_again(self, device: Device, sent: str, count: str) -> None:
        """A device could not read the message ``sent`` and asks for it, for the ``count``-th time; one not remembered stays away."""
        if found := self._sent.get((sent, _address(device))):
            await self.encrypted(device, *found, count=count)

    def open(self, device: Device, kind: str, data: bytes) -> e2e_pb.Message:
        """Read what a device sent to the phone. Raises SignalError when it cannot be read."""
        return e2e_pb.Message.FromString(self.signal.open(_address(device), kind, data))


def _address(device: Device) -> str:
    return f"{device.acct.phone}.{device.id}"
