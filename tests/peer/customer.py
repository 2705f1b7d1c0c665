"""One customer's phone, as the tests hold it in their hands (ENG-1, ENG-6)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.peer import customer_records as records
from tests.peer.customer_process import PhoneProcess
from tests.peer.customer_records import Changes, File, Received, Sent, Ticks, Typing
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.raw import content_to_raw, time_from_raw

T = TypeVar("T")


def jid_of(to: str | Address) -> str:
    """The address to write to: digits become the phone address, anything with an ``@`` stays."""
    text = str(to)
    return text if "@" in text else f"{text.lstrip('+')}@s.whatsapp.net"


class Customer:
    """One customer with a linked phone. What the phone saw is mirrored here by :meth:`refresh` and the waits."""

    def __init__(self, process: PhoneProcess, name: str, number: str, display: str) -> None:
        self.name, self.number, self.display = name, number, display
        self.state = "closed"
        """``open`` when connected, ``closed``, or ``logged_out``."""
        self._state_changed = asyncio.Event()
        self._trouble: Exception | None = None
        self._process = process
        self._revision = 0
        self._messages: dict[str, dict[str, Any]] = {}
        self._ticks: dict[str, Ticks] = {}
        self._typing: dict[tuple[str, str], Typing] = {}

    async def _do(self, command: str, **arguments: Any) -> Any:
        return await self._process.call(command, name=self.name, **arguments)

    # What a person does.

    async def send(self, to: str | Address, content: Content | str) -> Sent:
        """Send a message to a number, an address or a group; returns when the server has it."""
        raw, data = content_to_raw(Content(MessageType.TEXT, content) if isinstance(content, str) else content)
        return _sent(await self._do("send", to=jid_of(to), content=raw, data=base64.b64encode(data).decode()))

    async def edit(self, wa_id: str, text: str) -> Sent:
        """Change the text of an own message."""
        return _sent(await self._do("edit", wa_id=wa_id, text=text))

    async def edit_sealed(self, wa_id: str, text: str, *, hidden: bool = False, to: str | None = None) -> Sent:
        """Change the text of an own message as phones do since 2026, sealed with its secret; ``hidden``: under the LID; ``to``: into
        another chat than that of the message."""
        return _sent(await self._do("edit_sealed", wa_id=wa_id, text=text, hidden=hidden, to=jid_of(to) if to else None))

    async def react_sealed(self, wa_id: str, emoji: str, writer: str) -> Sent:
        """React to a message of ``writer`` (JID), sealed with its secret, as in communities."""
        return _sent(await self._do("react_sealed", wa_id=wa_id, emoji=emoji, writer=writer))

    async def set_timer(self, to: str | Address, seconds: int) -> None:
        """Let the messages of a chat disappear after a time; 0: no longer."""
        await self._do("timer", to=jid_of(to), seconds=seconds)

    async def revoke(self, wa_id: str) -> Sent:
        """Delete an own message for everyone."""
        return _sent(await self._do("revoke", wa_id=wa_id))

    async def react(self, wa_id: str, emoji: str) -> Sent:
        """React to a message; an empty ``emoji`` takes the reaction back."""
        return _sent(await self._do("react", wa_id=wa_id, emoji=emoji))

    async def vote(self, wa_id: str, *options: str) -> Sent:
        """Choose options of a poll."""
        return _sent(await self._do("vote", wa_id=wa_id, options=options))

    async def read(self, *wa_ids: str) -> None:
        """Mark messages as read: those named, or all that came so far."""
        await self._do("read", wa_ids=wa_ids or [message.wa_id for message in await self.received() if not message.undecryptable])

    async def presence(self, to: str | Address, state: str = "composing") -> None:
        """Show in a conversation: ``composing``, ``recording`` or ``paused``; also follows what the other side does there."""
        await self._do("presence", to=jid_of(to), state=state)

    async def download(self, wa_id: str) -> File:
        """Fetch and decrypt the file of a message."""
        raw = await self._do("download", wa_id=wa_id)
        return File(base64.b64decode(raw["data"]), raw["sha256"])

    # Being away.

    async def disconnect(self) -> None:
        """Close the connection and stay away; the identity is kept."""
        await self._do("disconnect")
        await self.wait_state("closed")

    async def reconnect(self, timeout: float = PATIENCE) -> None:
        """Come back after :meth:`disconnect`."""
        await self._do("reconnect")
        await self.wait_state("open", timeout)

    async def forget_devices(self) -> None:
        """Ask the server again which devices others have, at the next message (as a phone does when it is told to)."""
        await self._do("forget_devices")

    async def echo(self, on: bool = True) -> None:
        """Answer every text with the same text: a plain Baileys echo bot, to compare with."""
        await self._do("echo", on=on)

    def became(self, state: str) -> None:
        """Called with each new state of the connection."""
        self.state = state
        self._state_changed.set()

    def failed(self, reason: Exception) -> None:
        """Called when the phone could not be linked."""
        self._trouble = reason
        self._state_changed.set()

    async def wait_state(self, wanted: str, timeout: float = PATIENCE) -> None:
        """Wait until the connection is ``wanted``. Raises :class:`PhoneError` after ``timeout`` seconds, or when linking failed."""
        deadline = time.monotonic() + timeout
        while self.state != wanted:
            if self._trouble:
                raise self._process.error(f"{self.name} could not be linked: {self._trouble!r}") from self._trouble
            self._state_changed.clear()
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._process.error(f"{self.name} is {self.state} and not {wanted} after {timeout:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._state_changed.wait(), left)

    # What the phone saw.

    async def refresh(self, wait: float = 0.0) -> None:
        """Fetch what is new; waits up to ``wait`` seconds for something."""
        raw = await self._process.call("changes", wait + PATIENCE, name=self.name, after=self._revision, wait_ms=int(wait * 1000))
        self._revision = raw["revision"]
        for message in raw["received"]:
            self._messages[message["wa_id"]] = message
        self._ticks |= {tick["wa_id"]: records.ticks_from_raw(tick) for tick in raw["receipts"]}
        self._typing |= {(typing["chat"], typing["who"]): records.typing_from_raw(typing) for typing in raw["typing"]}

    async def received(self) -> list[Received]:
        """All messages so far, oldest first."""
        await self.refresh()
        return self._received()

    def _received(self) -> list[Received]:
        found = [message for message in map(records.received_from_raw, self._messages.values()) if message]
        return sorted(found, key=lambda message: message.arrived)

    async def ticks(self, wa_id: str) -> Ticks | None:
        """The receipts of an own message so far."""
        await self.refresh()
        return self._ticks.get(wa_id)

    async def typing(self) -> list[Typing]:
        """Who was seen in which presence so far."""
        await self.refresh()
        return list(self._typing.values())

    async def wait_received(
        self,
        text: str | None = None,
        *,
        type: MessageType | None = None,
        where: Callable[[Received], bool] = lambda message: True,
        timeout: float = PATIENCE,
    ) -> Received:
        """The first message that says ``text``, is of ``type`` and fits ``where``, when it has come (also: has so changed)."""

        def fits(message: Received) -> bool:
            return (text is None or message.text == text) and (type is None or message.content.type is type) and where(message)

        return await self._wait(lambda: next(filter(fits, self._received()), None), timeout, text or str(type or "a message"))

    async def wait_ticks(self, wa_id: str, kind: str = "delivered", timeout: float = PATIENCE) -> Ticks:
        """The receipts of an own message, once there is one of ``kind``: delivered, read, played, failed."""

        def ticked() -> Ticks | None:
            tick = self._ticks.get(wa_id)
            return tick if tick and getattr(tick, kind) is not None else None

        return await self._wait(ticked, timeout, f"{kind} of {wa_id}")

    async def wait_changes(self, wa_id: str, where: Callable[[Changes], bool], timeout: float = PATIENCE) -> Changes:
        """What others did to an own message (reactions, votes), once it fits ``where``."""

        def fitting() -> Changes | None:
            raw = self._messages.get(wa_id)
            changes = records.changes_from_raw(raw) if raw else None
            return changes if changes and where(changes) else None

        return await self._wait(fitting, timeout, f"a change of {wa_id}")

    async def wait_typing(self, state: str = "composing", timeout: float = PATIENCE) -> Typing:
        """The presences of somebody who was seen in ``state``."""
        return await self._wait(
            lambda: next((typing for typing in self._typing.values() if state in typing.history), None), timeout, f"presence {state}"
        )

    async def _wait(self, find: Callable[[], T | None], timeout: float, what: str) -> T:
        deadline = time.monotonic() + timeout
        while True:
            await self.refresh()
            if (found := find()) is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                seen = "\n".join(f"  {message}" for message in self._received()) or "  nothing"
                raise self._process.error(f"{self.name} waited {timeout:g} s for {what} and has seen:\n{seen}\n{self._ticks}")
            await self.refresh(min(left, 5.0))


def _sent(raw: dict[str, Any]) -> Sent:
    return Sent(raw["wa_id"], raw["chat"], time_from_raw(raw["at"]))
