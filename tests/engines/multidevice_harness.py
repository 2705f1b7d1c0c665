"""The multi-device engine's surroundings: the protocol peer in place of WhatsApp, Baileys clients in place of the customers' phones."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.engines.harness import Arrived
from tests.peer.customer_records import Received
from tests.peer.stage import CARLA, DEV, Stage
from tests.support.waiting import until
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaRef
from whatsapp_dashboard.engines.base import Engine, Surroundings
from whatsapp_dashboard.engines.multidevice.client import MultideviceEngine
from whatsapp_dashboard.engines.multidevice.hosts import EngineHosts

REFUSED_SECONDS = 60.0


class MultideviceHarness:
    """A number of its own for each test; peer and customers are shared."""

    engine: type[Engine] = MultideviceEngine

    def __init__(self) -> None:
        self._stage = Stage.get()
        self._owner = self._stage.new_number()
        self._shared: EngineHosts | None = None
        self._written: list[tuple[str, str]] = []
        """What Carla wrote to the owner: id and text."""

    async def open(self) -> None:
        await self._stage.do(self._stage.peer.phone(self._owner, "Ana's shop"))

    async def close(self) -> None:
        await self._stage.do(self._stage.peer.refuse_version(False))
        if self._shared:
            await self._shared.stop()

    def options(self) -> dict[str, str]:
        return {}

    def surroundings(self) -> Surroundings | None:
        if self._shared is None:
            self._shared = EngineHosts({"multidevice_peer": str(self._stage.process.descriptor)})
        return self._shared

    async def mend(self) -> None:
        await self._stage.do(self._stage.peer.drop(self._owner, 0))
        await self._stage.do(self._stage.peer.hang(self._owner, False))

    async def scan(self, qr_text: str) -> str:
        await self._stage.do(self._stage.peer.scan(qr_text, self._owner, "Ana's shop"))
        return self._owner

    async def ask_for_passkey(self) -> None:
        await self._stage.do(self._stage.peer.ask_for_passkey(self._owner))

    async def enter_code(self, code: str) -> None:
        await self._stage.do(self._stage.peer.enter_code(code, self._owner))

    async def carla(self) -> Address:
        told = await self._stage.do(self._stage.peer.phone(CARLA))
        return Address(phone=told["phone"], lid=told["lid"])

    async def owner_number(self) -> str:
        return self._owner

    async def carla_sends(self, content: Content, quoted: str | None = None) -> str:
        if quoted:
            content = Content(content.type, content.text, quoted_id=quoted)
        sent = await self._stage.do(self._stage.carla.send(self._owner, content))
        self._written.append((sent.wa_id, content.text))
        return sent.wa_id

    async def owner_sends(self, text: str) -> str:
        return str(await self._stage.do(self._stage.peer.do("owner_sends", number=self._owner, to=CARLA, text=text)))

    async def group_sends(self, text: str) -> str:
        group = await self._stage.do(self._stage.peer.group("Football", [self._owner, DEV, CARLA]))
        return (await self._stage.do(self._stage.dev.send(group, text))).wa_id

    async def carla_edits(self, wa_id: str, text: str) -> None:
        await self._stage.do(self._stage.carla.edit(wa_id, text))

    async def carla_revokes(self, wa_id: str) -> None:
        await self._stage.do(self._stage.carla.revoke(wa_id))

    async def carla_reacts(self, wa_id: str, emoji: str) -> None:
        await self._settled()
        await self._stage.do(self._stage.carla.react(wa_id, emoji))

    async def carla_votes(self, wa_id: str, options: list[str]) -> None:
        await self._settled()
        await self._stage.do(self._stage.carla.vote(wa_id, *options))

    async def carla_reads(self) -> None:
        ids = [message.wa_id for message in await self._from_owner()]
        await self._stage.do(self._stage.carla.read(*ids))

    async def carla_calls(self, *, video: bool) -> None:
        await self._stage.do(self._stage.peer.call(CARLA, self._owner, video=video))

    async def arrived(self) -> list[Arrived]:
        found = []
        for message in await self._from_owner():
            ref = message.content.media
            file = (await self._stage.do(self._stage.carla.download(message.wa_id))).data if isinstance(ref, MediaRef) else None
            found.append(
                Arrived(
                    message.wa_id,
                    message.content.type.value,
                    message.text,
                    message.content.quoted_id,
                    tuple(emoji for emoji in message.reactions.values() if emoji),
                    bool(message.edits),
                    message.revoked,
                    file,
                    ref.mimetype if isinstance(ref, MediaRef) else "",
                    ref.filename if isinstance(ref, MediaRef) else "",
                )
            )
        return found

    async def _from_owner(self) -> list[Received]:
        """What Carla has of this owner, once everything under way has arrived."""
        await self._settled()
        told = await self._stage.do(self._stage.peer.phone(self._owner))
        own = {told["phone"], told["lid"]}
        return [
            message
            for message in await self._stage.do(self._stage.carla.received())
            if own & {address.split("@")[0].split(":")[0] for address in (message.sender, message.sender_alt, message.chat) if address}
        ]

    async def _devices(self, number: str) -> list[dict[str, Any]]:
        """The linked devices of a number, as the peer knows them."""
        return await self._stage.do(self._stage.peer.devices(number))

    async def _settled(self) -> None:
        await until(lambda: self._devices(CARLA), lambda devices: not any(device["queued"] for device in devices))
        await asyncio.sleep(0.05)

    async def was_read_by_us(self, wa_id: str) -> bool:
        ticks = await self._stage.do(self._stage.carla.ticks(wa_id))
        return ticks is not None and ticks.read is not None

    async def sees_typing(self) -> bool:
        told = await self._stage.do(self._stage.peer.phone(self._owner))
        seen = await self._stage.do(self._stage.carla.typing())
        mine = [one for one in seen if one.who.split("@")[0].split(":")[0] in (told["phone"], told["lid"])]
        return any(one.history[-1] == "composing" for one in mine)

    async def drop(self) -> None:
        await self._stage.do(self._stage.peer.drop(self._owner, REFUSED_SECONDS))

    async def hang(self) -> None:
        await self._stage.do(self._stage.peer.hang(self._owner))

    async def log_out(self) -> None:
        await self._stage.do(self._stage.peer.log_out(self._owner))

    async def replace(self) -> None:
        await self._stage.do(self._stage.peer.replace(self._owner))

    async def ban(self, until: float) -> None:
        await self._stage.do(self._stage.peer.ban(self._owner, 101, until - time.time()))

    async def require_restart(self) -> None:
        """The library connects again by itself; wait until it has."""
        before = (await self._devices(self._owner))[0]
        await self._stage.do(self._stage.peer.restart_required(self._owner))
        await until(lambda: self._devices(self._owner), lambda devices: devices[0]["logins"] != before["logins"])

    async def refuse_version(self) -> None:
        await self._stage.do(self._stage.peer.refuse_version(True))

    async def restrict_sends(self) -> None:
        await self._stage.do(self._stage.peer.restrict_sends(self._owner, "463"))

    async def replay_history(self, count: int) -> None:
        """The phone shares the past: what Carla wrote, and as much from before as makes ``count``."""
        now = int(time.time())
        old = [(f"3AOLD{number:04}", f"long ago {number}") for number in range(count - len(self._written))]
        messages = [
            {"id": wa_id, "from_me": False, "text": text, "timestamp": now - 1_000 + number}
            for number, (wa_id, text) in enumerate([*old, *self._written])
        ]
        conversation = {"number": CARLA, "name": "Carla", "messages": messages}
        await self._stage.do(self._stage.peer.do("share_history", number=self._owner, conversations=[conversation]))

    def absent_number(self) -> str:
        return "34600000000"
