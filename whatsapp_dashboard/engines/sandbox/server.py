"""The world's server: its memory, its devices, its people, and who is connected."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from whatsapp_dashboard.engines.sandbox import device_calls, phone_calls
from whatsapp_dashboard.engines.sandbox.device_calls import DeviceCalls
from whatsapp_dashboard.engines.sandbox.devices import Device, Devices
from whatsapp_dashboard.engines.sandbox.linking import Timings
from whatsapp_dashboard.engines.sandbox.neighbours import check_name, memory_of, seed_of
from whatsapp_dashboard.engines.sandbox.people import People
from whatsapp_dashboard.engines.sandbox.phone_calls import PhoneCalls
from whatsapp_dashboard.engines.sandbox.session import Session
from whatsapp_dashboard.engines.sandbox.store import Store
from whatsapp_dashboard.engines.wire import CHUNK, VERSION, Decoder, Frame, encode, error_frame
from whatsapp_dashboard.errors import AppError, Permanent, Retryable

log = structlog.get_logger(__name__)

MAX_SOCKET_PATH = 100
"""Unix sockets' paths may not be longer (the kernel's limit is 107 bytes)."""
_WATCH_SECONDS = 0.05


def socket_path_for(data_dir: Path) -> Path:
    """Where the world of a data folder listens; in the temporary folder when the path would be too long for a socket."""
    path = data_dir.resolve() / "sandbox.sock"
    if len(str(path).encode()) < MAX_SOCKET_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"wa-sandbox-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}.sock"


class SandboxWorld:
    """One world: its memory, its devices, its people, and who is connected. The one without a name listens, for all others too."""

    def __init__(self, data_dir: Path, socket_path: Path | None = None, seed: int | None = None, *, name: str = "") -> None:
        self.socket_path = socket_path or socket_path_for(data_dir)
        self._data_dir = data_dir
        self._others: dict[str, SandboxWorld] = {}
        self.store = Store(memory_of(data_dir, name), seed)
        self.devices = Devices(self.store)
        self.timings = Timings(**json.loads(self.store.meta("timings") or "{}"))
        self.sessions: set[Session] = set()
        self.people = People(self)
        self.early = False
        """Deliver events before the answers of this batch: receipts out of order."""
        self._after: list[Callable[[], None]] = []
        self._dirty = False
        self._watchers: set[asyncio.StreamWriter] = set()
        self._news: set[str] = set()
        self._ticks: deque[tuple[float, int]] = deque()
        self._tick_timer: asyncio.TimerHandle | None = None
        self._server: asyncio.AbstractServer | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen. Raises RuntimeError when another world already listens there."""
        if _answers(self.socket_path):
            raise RuntimeError(f"another sandbox world listens at {self.socket_path}")
        self.socket_path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.socket_path, limit=1 << 20)
        self.socket_path.chmod(0o600)
        self._go_on()

    def world(self, name: str) -> SandboxWorld:
        """The world called ``name``, made when somebody first asks for it; an empty name is this one."""
        if not name:
            return self
        if name not in self._others:
            self._others[name] = SandboxWorld(self._data_dir, self.socket_path, seed_of(self.store.seed, name), name=name)
            self._others[name]._go_on()
        return self._others[name]

    def _go_on(self) -> None:
        """Give the ticks that were due when the program ended."""
        with self.work():
            for row in self.store.all("SELECT seq FROM message WHERE from_me = 1 AND delivered_at IS NULL AND arrived_at IS NOT NULL"):
                self.tick(row["seq"])

    async def stop(self) -> None:
        """Close every connection and the store."""
        if self._server:
            self._server.close()
        worlds = [self, *self._others.values()]
        for session in [session for world in worlds for session in world.sessions]:
            session.close()
        for writer in list(self._writers):
            writer.close()
        for world in worlds:
            if world._tick_timer:
                world._tick_timer.cancel()
        await asyncio.sleep(0)
        for world in worlds:
            world.store.close()
        self.socket_path.unlink(missing_ok=True)

    # -- work in transactions

    @contextmanager
    def work(self) -> Iterator[None]:
        """One transaction; what it caused goes out after the commit."""
        self.store.begin()
        try:
            yield
        finally:
            self._settle()

    def after(self, action: Callable[[], None]) -> None:
        """Do ``action`` once the present work is on disk."""
        self._after.append(action)

    def changed(self, phone: str) -> None:
        """Something about the phone with this number is new to those who watch."""
        if not self._watchers:
            return
        if not self._news:
            asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._tell_watchers)
        self._news.add(phone)

    def tell(self, phone: str, event: dict[str, Any], *, wa_id: str | None = None, but: Device | None = None) -> None:
        """Queue an event for every device of a phone, except the one that caused it."""
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        for device in self.devices.of_phone(phone):
            if device is not but:
                for _ in range(2 if device.switches.duplicates else 1):
                    self.store.enqueue(device.id, text, wa_id)
        self._dirty = True
        self.changed(phone)

    def session_of(self, device: Device) -> Session | None:
        """The connection of a device, if it has one."""
        return next((session for session in self.sessions if session.device is device), None)

    def listening(self) -> None:
        """A session begins to listen: look for what waits for it."""
        self._dirty = True

    def tick(self, seq: int, extra: float = 0) -> None:
        """The contact's phone confirms message ``seq`` after the configured time."""
        self._ticks.append((time.monotonic() + self.timings.delivered_after + extra, seq))
        self._arm()

    def _settle(self) -> None:
        self.store.commit()
        actions, self._after = self._after, []
        for action in actions:
            action()
        if self._dirty:
            self._dirty = False
            for session in list(self.sessions):
                session.pump()

    def _arm(self) -> None:
        if self._tick_timer is None and self._ticks:
            delay = max(0.0, self._ticks[0][0] - time.monotonic())
            self._tick_timer = asyncio.get_running_loop().call_later(delay, self._run_ticks)

    def _run_ticks(self) -> None:
        self._tick_timer = None
        now, due = time.monotonic(), []
        while self._ticks and self._ticks[0][0] <= now:
            due.append(self._ticks.popleft()[1])
        with self.work():
            self.people.confirm(due)
        self._arm()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do ``action`` as a transaction of its own after some time."""

        def run() -> None:
            with self.work():
                action()

        asyncio.get_running_loop().call_later(seconds, run)

    def _tell_watchers(self) -> None:
        news, self._news = self._news, set()
        frame = encode({"t": "changed", "phones": sorted(news)})
        for writer in self._watchers:
            writer.write(frame)

    # -- connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        decoder, session, greeted, world = Decoder(), None, False, self
        try:
            while chunk := await reader.read(CHUNK):
                frames = decoder.feed(chunk)
                if frames and not greeted:
                    greeted = True
                    hello = frames.pop(0)[0]
                    if refusal := _refusal(hello):
                        writer.write(encode(error_frame(None, refusal)))
                        return
                    world = self.world(hello.get("world") or "")
                    session = world._greet(hello, writer)
                if session is not None:
                    world._take_device(session, frames)
                elif frames:
                    world._take_phone(writer, frames)
        except (OSError, ValueError, KeyError):
            log.debug("a connection to the sandbox world broke")
        finally:
            self._writers.discard(writer)
            world._watchers.discard(writer)
            if session is not None:
                world.sessions.discard(session)
                session.close()
                world.changed(session.device.phone if session.device else "")
            writer.close()

    def _greet(self, hello: dict[str, Any], writer: asyncio.StreamWriter) -> Session | None:
        """Answer the first frame: a session for an engine, None for a phone."""
        if hello.get("role") == "phone":
            writer.write(encode({"t": "welcome", "seed": self.store.seed}))
            return None
        session = Session(self, writer, str(hello.get("label", "")))
        with self.work():
            device_calls.greet(self, session, hello.get("token"))
        return session

    def _take_device(self, session: Session, frames: list[Frame]) -> None:
        if session.hung:
            return
        calls, replies = DeviceCalls(self, session), []
        with self.work():
            for message, data in frames:
                if message["t"] == "ack":
                    if session.device is not None:
                        session.acknowledge(message["seqs"])
                        self._dirty = True
                else:
                    replies.append(self._answer(message, data, calls.do))
            if not self.early:
                answer = b"".join(replies)
                self._after.insert(0, lambda: session.write(answer))
        if self.early:
            self.early = False
            session.write(b"".join(replies))

    def _take_phone(self, writer: asyncio.StreamWriter, frames: list[Frame]) -> None:
        calls, replies = PhoneCalls(self), []
        with self.work():
            for message, data in frames:
                if message.get("m") == "watch":
                    self._watchers.add(writer)
                replies.append(self._answer(message, data, calls.do))
        if not writer.is_closing():
            writer.write(b"".join(replies))

    def _answer(self, message: dict[str, Any], data: bytes, do: Callable[[str, dict[str, Any], bytes], phone_calls.Answer]) -> bytes:
        call_id, undo = message.get("id"), False
        self.store.savepoint()
        try:
            result, blob = do(str(message.get("m")), message.get("a") or {}, data)
            return encode({"t": "reply", "id": call_id, "r": result}, blob)
        except AppError as error:
            # Calls check first and write afterwards; what a refusal did write (a counted failure) is meant to stay.
            return encode(error_frame(call_id, error))
        except Exception:
            undo = True
            log.exception("the sandbox world failed", method=message.get("m"))
            return encode(error_frame(call_id, Retryable("The sandbox world failed; its log says why.", code="world_failed")))
        finally:
            self.store.release(undo=undo)
            if undo:
                self.devices.reload()


def _refusal(hello: dict[str, Any]) -> Permanent | None:
    """Why whoever says this is not let in."""
    if hello.get("v") != VERSION:
        return Permanent(f"This sandbox world speaks version {VERSION} of its protocol, not {hello.get('v')}.", code="version")
    try:
        check_name(hello.get("world"))
    except Permanent as reason:
        return reason
    return None


def _answers(path: Path) -> bool:
    """Whether somebody listens at ``path``."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
