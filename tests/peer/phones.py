"""All phones of the server, and what a person at the control connection can have them do (see ``control.py``)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.peer import blobs, history, phone_requests, phone_state
from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import Node
from tests.peer.owner_phone import OwnerPhone
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

if TYPE_CHECKING:
    from tests.peer.server import Server


class Phones:
    """A phone for every account, made when it is first needed; the hooks that the server calls; the verbs of the control connection."""

    def __init__(self, server: Server) -> None:
        """No phones yet."""
        self._server = server
        self._phones: dict[str, OwnerPhone] = {}
        self._greeted: set[tuple[str, int]] = set()

    def of(self, account: Account) -> OwnerPhone:
        """The phone of an account; from now on others can write to it."""
        if account.phone not in self._phones:
            phone = self._phones[account.phone] = OwnerPhone(self._server, account, self.of)
            account.primary = phone.published()
        return self._phones[account.phone]

    def at(self, number: str) -> OwnerPhone:
        """The phone with this number."""
        return self.of(self._server.account(number.lstrip("+")))

    # ---- hooks of the server

    async def companion_online(self, device: Device) -> None:
        """A companion logged in; the first time, its phone greets it."""
        key = (device.acct.phone, device.id)
        if key not in self._greeted:
            self._greeted.add(key)
            await self.of(device.acct).companion_linked(device)

    async def arrived(self, account: Account, sender: Device, stanza: Node, sealed: Node) -> None:
        """A device sent something to device 0 of an account."""
        await phone_requests.arrived(self.of(account), sender, stanza, sealed)

    async def asked_again(self, account: Account, device: Device, stanza: Node) -> None:
        """A device could not read what an account's phone sent, and says so in a receipt."""
        retry = stanza.child("retry")
        await self.of(account).sends_again(device, stanza.attrs["id"], retry.attrs.get("count", "1") if retry else "1")

    async def sync(self, device: Device, request: Node) -> Node:
        """A companion's query asks for app state, or changes it."""
        return await phone_state.answer_sync(self.of(device.acct), device, request)

    # ---- verbs

    async def owner_sends(
        self, number: str, to: str, text: str = "", message: str = "", message_id: str | None = None, spoilt: bool = False
    ) -> str:
        """The owner writes a text (or any ``message``: an e2e_pb.Message in base64) to a number or a group; the id.

        A ``spoilt`` message cannot be read by the contact's devices until they have asked for it again.
        """
        content = e2e_pb.Message.FromString(base64.b64decode(message)) if message else e2e_pb.Message(conversation=text)
        return await self.at(number).sends(to, content, given_id=message_id, spoilt=spoilt)

    async def owner_sends_file(self, number: str, to: str, data: str, mimetype: str, caption: str = "", filename: str = "") -> str:
        """The owner sends a file (``data`` in base64) as a picture, video, sound or document, by its type; the id."""
        blob, content = blobs.attachment(base64.b64decode(data), mimetype, caption, filename)
        self._server.media[blob.token] = blob.data
        return await self.at(number).sends(to, content, kind="media")

    async def owner_sends_view_once(self, number: str, to: str) -> str:
        """The owner sends a picture that only the contact's phone can open, once; the id."""
        return await self.at(number).sends_view_once(to)

    async def owner_edits(self, number: str, to: str, target: str, text: str) -> str:
        """The owner changes a text written before; the id of the change."""
        return await self.at(number).edits(to, target, text)

    async def owner_revokes(self, number: str, to: str, target: str) -> str:
        """The owner takes back a message; the id of the change."""
        return await self.at(number).revokes(to, target)

    async def owner_reacts(self, number: str, to: str, target: str, emoji: str, from_me: bool = False) -> str:
        """The owner reacts to a message of the contact, or with ``from_me`` to an own one; the id of the reaction."""
        return await self.at(number).reacts(to, target, emoji, from_me=from_me)

    async def owner_posts_status(self, number: str, viewer: str, text: str) -> str:
        """The owner posts a status update that ``viewer`` sees; its id."""
        return await self.at(number).posts_status(viewer, text)

    async def owner_posts_in_channel(self, number: str, channel: str, follower: str, text: str) -> str:
        """The owner writes in a channel that ``follower`` follows; its id."""
        return await self.at(number).posts_in_channel(channel, follower, text)

    async def owner_reads(self, number: str, to: str, ids: Sequence[str]) -> None:
        """The owner opens a chat and sees these messages of the contact."""
        await self.at(number).reads(to, list(ids))

    async def owner_sees(self, number: str) -> list[dict[str, Any]]:
        """What stands on the owner's phone: id, chat, from_me, text, timestamp of each message, oldest first."""
        entries = [entry.plain() for entry in self.at(number).log]
        return [{name: entry[name] for name in ("id", "chat", "from_me", "text", "timestamp")} for entry in entries]

    async def history_on_link(self, number: str, conversations: Sequence[Mapping[str, Any]], inline: bool = False, **about: Any) -> None:
        """From now on the phone sends these conversations to each companion that is newly linked; see ``share_history``."""
        self.at(number).on_link = history.announce(history.build(conversations, **about), inline=inline)

    async def share_history(self, number: str, conversations: Sequence[Mapping[str, Any]], inline: bool = False, **about: Any) -> None:
        """The phone sends conversations to its companions; see ``history.conversation`` and ``history.build``."""
        await self.at(number).share_history(conversations, inline=inline, **about)

    async def share_contacts(self, number: str, names: Mapping[str, str | None]) -> None:
        """The owner saves people (number -> name); None takes one out."""
        await phone_state.share_contacts(self.at(number), names)

    async def set_push_name(self, number: str, name: str) -> None:
        """The owner changes the own name."""
        await phone_state.set_push_name(self.at(number), name)

    def verbs(self) -> dict[str, Any]:
        """Verb -> coroutine function, for the table of the control connection."""
        return {name: getattr(self, name) for name in VERBS}


VERBS = (*(name for name in vars(Phones) if name.startswith(("owner_", "share_"))), "history_on_link", "set_push_name")
