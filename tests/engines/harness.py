"""What the conformance suite needs of an engine's surroundings. A new engine adds one class like :class:`SandboxHarness` and a
line in ``HARNESSES`` (conftest.py); the tests stay as they are (ENG-6)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from tests.support.waiting import PATIENCE
from whatsapp_dashboard.domain.engine_events import EngineEvent, QrCode, Ready
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaFile
from whatsapp_dashboard.engines.base import Engine, EngineContext, Surroundings
from whatsapp_dashboard.engines.sandbox.client import SandboxEngine
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as the contact's phone has it."""

    wa_id: str
    type: str
    text: str
    quoted_id: str | None
    reactions: tuple[str, ...]
    edited: bool
    revoked: bool
    file: bytes | None
    mimetype: str = ""
    filename: str = ""


class Harness(Protocol):
    """The surroundings of one engine: WhatsApp's servers, the owner's phone, and a contact called Carla."""

    engine: type[Engine]

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def options(self) -> dict[str, str]: ...
    def surroundings(self) -> Surroundings | None: ...
    async def mend(self) -> None: ...
    async def scan(self, qr_text: str) -> str: ...
    async def ask_for_passkey(self) -> None: ...
    async def enter_code(self, code: str) -> None: ...
    async def carla(self) -> Address: ...
    async def owner_number(self) -> str: ...
    async def carla_sends(self, content: Content, quoted: str | None = None) -> str: ...
    async def owner_sends(self, text: str) -> str: ...
    async def group_sends(self, text: str) -> str: ...
    async def carla_edits(self, wa_id: str, text: str) -> None: ...
    async def carla_revokes(self, wa_id: str) -> None: ...
    async def carla_reacts(self, wa_id: str, emoji: str) -> None: ...
    async def carla_votes(self, wa_id: str, options: list[str]) -> None: ...
    async def carla_reads(self) -> None: ...
    async def carla_calls(self, *, video: bool) -> None: ...
    async def arrived(self) -> list[Arrived]: ...
    async def was_read_by_us(self, wa_id: str) -> bool: ...
    async def sees_typing(self) -> bool: ...
    async def drop(self) -> None: ...
    async def hang(self) -> None: ...
    async def log_out(self) -> None: ...
    async def replace(self) -> None: ...
    async def ban(self, until: float) -> None: ...
    async def require_restart(self) -> None: ...
    async def refuse_version(self) -> None: ...
    async def restrict_sends(self) -> None: ...
    async def replay_history(self, count: int) -> None: ...
    def absent_number(self) -> str: ...


class SandboxHarness:
    """The sandbox engine with a world of its own."""

    engine: type[Engine] = SandboxEngine

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wa-world-"))
        self.world = SandboxWorld(self._folder, seed=7)
        self.phone = SandboxPhone(str(self.world.socket_path))
        self._passkey = False

    async def open(self) -> None:
        await self.world.start()
        await self.phone.configure(delivered_after=0.01)

    async def close(self) -> None:
        await self.phone.close()
        await self.world.stop()
        shutil.rmtree(self._folder)

    def options(self) -> dict[str, str]:
        return {"world": str(self.world.socket_path)}

    def surroundings(self) -> Surroundings | None:
        return None

    async def mend(self) -> None:
        """Drops of this world are over at once."""

    async def scan(self, qr_text: str) -> str:
        return await self.phone.scan(qr_text, passkey=self._passkey)

    async def ask_for_passkey(self) -> None:
        self._passkey = True

    async def enter_code(self, code: str) -> None:
        await self.phone.enter_pairing_code(code, passkey=self._passkey)

    async def carla(self) -> Address:
        person = next(one for one in await self.phone.contacts() if one["id"] == "carla")
        return Address(phone=person["phone"], lid=person["lid"])

    async def owner_number(self) -> str:
        return "12025550199"

    async def carla_sends(self, content: Content, quoted: str | None = None) -> str:
        if quoted:
            return await self.phone.send_text("carla", content.text, quote=quoted)
        return await self.phone.send("carla", content)

    async def owner_sends(self, text: str) -> str:
        return await self.phone.send_text("carla", text, by_owner=True)

    async def group_sends(self, text: str) -> str:
        return await self.phone.send_text("football", text, member="dev")

    async def carla_edits(self, wa_id: str, text: str) -> None:
        await self.phone.edit(wa_id, text)

    async def carla_revokes(self, wa_id: str) -> None:
        await self.phone.revoke(wa_id)

    async def carla_reacts(self, wa_id: str, emoji: str) -> None:
        await self.phone.react(wa_id, emoji)

    async def carla_votes(self, wa_id: str, options: list[str]) -> None:
        await self.phone.vote(wa_id, options)

    async def carla_reads(self) -> None:
        await self.phone.open_chat("carla")

    async def carla_calls(self, *, video: bool) -> None:
        await self.phone.call("carla", video=video)

    async def arrived(self) -> list[Arrived]:
        found = []
        for one in await self.phone.received("carla"):
            media = one.content.get("media")
            file = await self.phone.media(media["token"]["media"]) if media else None
            found.append(
                Arrived(
                    one.wa_id,
                    one.type.value,
                    one.text,
                    one.content.get("quoted_id"),
                    tuple(one.reactions.values()),
                    bool(one.edits),
                    one.revoked,
                    file.data if file else None,
                    file.mimetype if file else "",
                    file.filename if file else "",
                )
            )
        return found

    async def _in_thread(self, wa_id: str) -> dict[str, object]:
        messages, _ = await self.phone.thread("carla")
        return next(one for one in messages if one["wa_id"] == wa_id)

    async def was_read_by_us(self, wa_id: str) -> bool:
        return (await self._in_thread(wa_id))["read_at"] is not None

    async def sees_typing(self) -> bool:
        return await self.phone.typing("carla")

    async def drop(self) -> None:
        await self.phone.drop()

    async def hang(self) -> None:
        await self.phone.switch("hang", True)

    async def log_out(self) -> None:
        await self.phone.log_out()

    async def replace(self) -> None:
        await self.phone.replace()

    async def ban(self, until: float) -> None:
        await self.phone.ban(until)

    async def require_restart(self) -> None:
        await self.phone.require_restart()

    async def refuse_version(self) -> None:
        await self.phone.switch("outdated", True)

    async def restrict_sends(self) -> None:
        await self.phone.switch("restricted", "463")

    async def replay_history(self, count: int) -> None:
        await self.phone.replay_history(count)

    def absent_number(self) -> str:
        return "34600000000"


@dataclass
class Rig:
    """One account: its stored credentials, the engine that runs now, and everything that was emitted."""

    harness: Harness
    folder: Path
    credentials: bytes | None = None
    events: list[EngineEvent] = field(default_factory=list)
    refuse: Callable[[EngineEvent], bool] = lambda _event: False
    """Events for which ``emit`` raises, as it does while the program is stopping."""
    _engine: Engine | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    async def start(self) -> Engine:
        """A new engine, started; the old one must be stopped."""
        self.events.clear()
        self._engine = self.harness.engine(
            EngineContext(
                "account-1",
                self.folder / "session",
                self._emit,
                self._load,
                self._save,
                self.harness.options(),
                self.harness.surroundings(),
            )
        )
        await self._engine.start()
        return self._engine

    async def restart(self) -> Engine:
        """Stop, mend what a test broke, start again, wait until it is connected."""
        await self.engine.stop()
        await self.harness.mend()
        await self.start()
        await self.wait_for(Ready)
        return self.engine

    async def link(self) -> Engine:
        """Start, scan the first QR, wait until it is connected."""
        await self.start()
        await self.harness.scan((await self.wait_for(QrCode)).text)
        await self.wait_for(Ready)
        return self.engine

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_for(self, kind: type[E], wanted: Callable[[E], bool] = lambda _event: True) -> E:
        """The first event of ``kind`` that is wanted."""
        return (await self.wait_for_many(kind, 1, wanted))[0]

    async def wait_for_many(self, kind: type[E], count: int, wanted: Callable[[E], bool] = lambda _event: True) -> list[E]:
        """At least ``count`` events of ``kind``."""
        async with asyncio.timeout(PATIENCE):
            while len(found := [event for event in self.of(kind) if wanted(event)]) < count:
                self._news.clear()
                await self._news.wait()
        return found

    async def _emit(self, event: EngineEvent) -> None:
        await asyncio.sleep(0)
        if self.refuse(event):
            raise RuntimeError("the program is stopping")
        self.events.append(event)
        self._news.set()

    async def _load(self) -> bytes | None:
        return self.credentials

    async def _save(self, secret: bytes | None) -> None:
        self.credentials = secret


SMALL_FILE = MediaFile(b"%PDF-1.4\n%%EOF\n", "application/pdf", "offer.pdf")
