"""The simulated phones by Python: what tests and the Sandbox phone page hold in their hands (ENG-5).

    async with SandboxPhone(socket_path) as phone:
        await phone.scan(qr_text)
        sent = await phone.send_text("carla", "Hello!")
        replies = await phone.received("carla")

``account`` names the account's phone: its number, or the account's id; it may be left out while only one phone is linked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

from whatsapp_dashboard.domain.messages import ContactCard, Content, Location, MediaFile, MessageType, Poll
from whatsapp_dashboard.engines.raw import content_to_raw
from whatsapp_dashboard.engines.sandbox.received import Received, received_from_raw
from whatsapp_dashboard.engines.wire import Line
from whatsapp_dashboard.errors import Unavailable

Raw = dict[str, Any]


class SandboxPhone:
    """A hand on every phone of a world. All methods raise :class:`Unavailable` when the world does not answer."""

    def __init__(self, socket_path: str, *, world: str = "") -> None:
        """``world`` names the world of a workspace (engines/sandbox/neighbours.py); the first workspace's has no name."""
        self._path = str(socket_path)
        self._world = world
        self._line: Line | None = None
        self._connecting = asyncio.Lock()
        self._watchers: set[asyncio.Event] = set()
        self.seed = 0
        """The world's seed, known once connected."""

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go; safe to call twice."""
        if self._line:
            await self._line.close()

    # -- linking

    async def scan(self, qr_text: str, phone: str | None = None, *, passkey: bool = False) -> str:
        """Scan a QR with the phone of number ``phone``, or a new one; returns the number. With ``passkey`` WhatsApp asks for one, as it
        does of some numbers: nothing is linked, and the number is empty (ACC-14).

        Raises :class:`Invalid` for a wrong or an old code.
        """
        return str((await self._ask("scan", text=qr_text, phone=phone, passkey=passkey))["phone"])

    async def enter_pairing_code(
        self, code: str, phone: str | None = None, *, accounts: list[str] | None = None, passkey: bool = False
    ) -> str:
        """Type a pairing code on the phone it was asked for; returns its number. ``accounts`` limits whose code it may be; ``passkey`` as
        in :meth:`scan`."""
        return str((await self._ask("enter_code", code=code, phone=phone, accounts=accounts, passkey=passkey))["phone"])

    # -- looking

    async def phones(self) -> list[Raw]:
        """The owners' phones with their devices (logged-out ones too) and switches."""
        return list((await self._ask("phones"))["phones"])

    async def waiting(self) -> list[Raw]:
        """The accounts that wait to be linked: ``account_id``, ``qr``, ``expires_at``."""
        return list((await self._ask("waiting"))["waiting"])

    async def contacts(self) -> list[Raw]:
        """Everybody in the world."""
        return list((await self._ask("contacts"))["contacts"])

    async def chats(self, account: str | None = None) -> list[Raw]:
        """Every contact with the last message and the count of unread ones."""
        return list((await self._ask("chats", account=account))["chats"])

    async def thread(self, contact: str, account: str | None = None, limit: int = 100) -> tuple[list[Raw], bool]:
        """The newest messages of a chat, oldest first, and whether the account shows "typing..."."""
        answer = await self._ask("thread", contact=contact, account=account, limit=limit)
        return answer["messages"], answer["typing"]

    async def typing(self, contact: str, account: str | None = None) -> bool:
        """Whether the contact sees "typing..." now."""
        return (await self.thread(contact, account, 1))[1]

    async def received(self, contact: str | None = None, account: str | None = None) -> list[Received]:
        """What really arrived on the contacts' phones from accounts, in order."""
        return [received_from_raw(raw) for raw in (await self._ask("received", contact=contact, account=account))["messages"]]

    async def counts(self) -> dict[str, int]:
        """``written`` by contacts, ``received`` by them, ``queued`` for accounts, ``repeated`` sends that made no second message."""
        return await self._ask("counts")

    async def media(self, token: str) -> MediaFile:
        """A file the world keeps; ``token`` is ``content["media"]["token"]["media"]``."""
        answer, data = await (await self._open()).call("media", {"token": token})
        return MediaFile(data, answer["mimetype"], answer["filename"])

    async def changes(self, pause: float = 2.0) -> AsyncIterator[bool]:
        """Yield True whenever something may have changed, and False after ``pause`` quiet seconds; many changes come as one.

        It goes on while the world is away.
        """
        news = asyncio.Event()
        self._watchers.add(news)
        watched: Line | None = None
        try:
            while True:
                if watched is None or watched is not self._line or watched.closed:
                    with contextlib.suppress(Unavailable):
                        await self._ask("watch")
                        watched = self._line
                        news.set()
                try:
                    async with asyncio.timeout(pause):
                        await news.wait()
                except TimeoutError:
                    yield False
                    continue
                news.clear()
                yield True
        finally:
            self._watchers.discard(news)

    # -- contacts write

    async def send(
        self,
        contact: str,
        content: Content,
        *,
        account: str | None = None,
        member: str | None = None,
        by_owner: bool = False,
        at: float | None = None,
    ) -> str:
        """The contact sends ``content`` to the account (in a group ``member`` does; ``by_owner``: the account's owner, on the
        phone itself); returns the WhatsApp id. ``at`` is the time the message carries, seconds since 1970."""
        raw, data = content_to_raw(content)
        args = {"contact": contact, "content": raw, "account": account, "member": member, "by_owner": by_owner, "at": at}
        answer, _ = await (await self._open()).call("send", args, data)
        return str(answer["wa_id"])

    async def burst(self, messages: Sequence[tuple[str, str]], account: str | None = None) -> list[str]:
        """Many texts at once, ``(contact, text)`` each, in this order; returns their WhatsApp ids."""
        many = [{"contact": contact, "content": {"type": "text", "text": text}, "account": account} for contact, text in messages]
        return list((await self._ask("burst", messages=many))["wa_ids"])

    async def send_text(self, contact: str, text: str, *, quote: str | None = None, **options: Any) -> str:
        """A text, perhaps in reply to the message with id ``quote``."""
        return await self.send(contact, Content(MessageType.TEXT, text, quoted_id=quote), **options)

    async def send_file(self, contact: str, kind: MessageType, file: MediaFile, caption: str = "", **options: Any) -> str:
        """An image, video, voice note, audio file, document or sticker."""
        return await self.send(contact, Content(kind, caption, media=file), **options)

    async def send_location(self, contact: str, place: Location, **options: Any) -> str:
        """A point on the map."""
        return await self.send(contact, Content(MessageType.LOCATION, location=place), **options)

    async def send_contact(self, contact: str, card: ContactCard, **options: Any) -> str:
        """A contact card."""
        return await self.send(contact, Content(MessageType.CONTACT, contacts=(card,)), **options)

    async def send_poll(self, contact: str, poll: Poll, **options: Any) -> str:
        """A poll."""
        return await self.send(contact, Content(MessageType.POLL, poll.question, poll=poll), **options)

    async def edit(self, wa_id: str, text: str, account: str | None = None) -> None:
        """The writer of a message changes it."""
        await self._ask("edit", wa_id=wa_id, text=text, account=account)

    async def revoke(self, wa_id: str, account: str | None = None) -> None:
        """The writer of a message deletes it for everyone."""
        await self._ask("revoke", wa_id=wa_id, account=account)

    async def react(self, wa_id: str, emoji: str, by: str | None = None, account: str | None = None) -> None:
        """The contact (or ``by``; ``me`` is the owner) reacts; an empty emoji removes the reaction."""
        await self._ask("react", wa_id=wa_id, emoji=emoji, by=by, account=account)

    async def vote(self, wa_id: str, options: Sequence[str], by: str | None = None, account: str | None = None) -> None:
        """The contact votes in a poll; no options takes the vote back."""
        await self._ask("vote", wa_id=wa_id, options=list(options), by=by, account=account)

    async def call(self, contact: str, *, video: bool = False, account: str | None = None) -> None:
        """The contact calls."""
        await self._ask("call", contact=contact, video=video, account=account)

    async def open_chat(self, contact: str, account: str | None = None) -> int:
        """The contact opens the chat and reads: blue ticks. Returns how many messages turned read."""
        return int((await self._ask("open_chat", contact=contact, account=account))["read"])

    async def set_timer(self, contact: str, seconds: int, account: str | None = None) -> None:
        """Messages of the chat disappear after 86,400, 604,800 or 7,776,000 seconds; 0: they stay."""
        await self._ask("set_timer", contact=contact, seconds=seconds, account=account)

    async def set_online(self, contact: str, online: bool, account: str | None = None) -> None:
        """Switch the contact's own phone on or off: while off, messages to it stay at one tick."""
        await self._ask("set_online", contact=contact, online=online, account=account)

    async def add_contact(self, name: str, phone: str, *, lid_first: bool = False) -> Raw:
        """A new person; ``lid_first`` ones show only their LID until :meth:`reveal`."""
        return await self._ask("add_contact", name=name, phone=phone, lid_first=lid_first)

    async def reveal(self, contact: str, account: str | None = None) -> None:
        """WhatsApp tells the account which phone number belongs to a LID."""
        await self._ask("reveal", contact=contact, account=account)

    async def rename(self, contact: str, name: str, account: str | None = None) -> None:
        """The contact changes the name WhatsApp shows."""
        await self._ask("rename", contact=contact, name=name, account=account)

    # -- what goes wrong on purpose

    async def switch(self, name: str, value: Any, account: str | None = None) -> None:
        """Set one of :class:`~whatsapp_dashboard.engines.sandbox.devices.Switches` of the account's device."""
        await self._ask("switch", name=name, value=value, account=account)

    async def drop(self, account: str | None = None) -> bool:
        """Break the account's connection once; False when there was none."""
        return bool((await self._ask("drop", account=account))["dropped"])

    async def log_out(self, account: str | None = None) -> None:
        """Remove the account's device on the phone."""
        await self._ask("end", cause="logged_out", account=account)

    async def ban(self, until: float | None = None, account: str | None = None) -> None:
        """WhatsApp bans the number, until a time (seconds since 1970) or for good."""
        await self._ask("end", cause="banned", until=until, account=account)

    async def unban(self, account: str | None = None) -> None:
        """WhatsApp takes the ban back."""
        await self._ask("unban", account=account)

    async def replace(self, account: str | None = None) -> None:
        """Another client takes the session over."""
        await self._ask("end", cause="replaced", account=account)

    async def require_restart(self, account: str | None = None) -> None:
        """WhatsApp asks the account's client to connect again."""
        await self._ask("end", cause="restart_required", account=account)

    async def replay_history(self, count: int, account: str | None = None) -> int:
        """Sync old messages, known ones and ones never seen, marked as history."""
        return int((await self._ask("replay_history", count=count, account=account))["replayed"])

    async def configure(self, **seconds: float | None) -> Raw:
        """Change :class:`~whatsapp_dashboard.engines.sandbox.linking.Timings`, for instance ``qr_first=2, delivered_after=0``."""
        return await self._ask("configure", **seconds)

    # -- inside

    async def _open(self) -> Line:
        async with self._connecting:
            if self._line is None or self._line.closed:
                hello = {"role": "phone", "world": self._world}
                self._line = await Line.open(self._path, hello, self._on_push, self._wake, other="sandbox world")
                self.seed = self._line.welcome["seed"]
        return self._line

    async def _ask(self, method: str, **args: Any) -> Raw:
        answer, _ = await (await self._open()).call(method, args)
        return answer

    def _on_push(self, _frame: Raw) -> None:
        self._wake()

    def _wake(self) -> None:
        for news in self._watchers:
            news.set()
