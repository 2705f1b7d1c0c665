"""What an engine host still writes down when its dashboard is gone (DUR-1, ENG-2). The test plays the dashboard, real phones write, and the
disk is slow: so the library holds messages that WhatsApp takes for delivered, and that nobody but this host will ever have."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peer.stage import Stage
from tests.support.server import ROOT
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.multidevice.host.journal import Journal
from whatsapp_dashboard.engines.multidevice.peer_file import Peer
from whatsapp_dashboard.engines.multidevice.protocol import PROXY_VARIABLE, VERSION, Method
from whatsapp_dashboard.engines.raw import event_from_raw
from whatsapp_dashboard.engines.wire import Decoder, encode

pytestmark = pytest.mark.slow

COUNT = 16
NOTED = "a sentence in its place"
SLOW_DISK = """
import runpy, time
from whatsapp_dashboard.engines.multidevice.host.journal import Journal
write = Journal.append
def slowly(*given, **named):
    time.sleep(0.6)
    write(*given, **named)
Journal.append = slowly
runpy.run_module("whatsapp_dashboard.engines.multidevice.host", run_name="__main__", alter_sys=True)
"""


class Host:
    """An engine host, and the dashboard's end of the line to it."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.process = process
        self.line = line
        self._decoder = Decoder()
        self._frames: list[dict[str, Any]] = []

    async def say(self, **frame: Any) -> None:
        """One frame for it."""
        await asyncio.get_running_loop().sock_sendall(self.line, encode(frame))

    async def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until it says something that is ``wanted``."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while self._frames:
                    if wanted(frame := self._frames.pop(0)):
                        return frame
                chunk = await asyncio.get_running_loop().sock_recv(self.line, 1 << 16)
                assert chunk, "the host closed the line"
                self._frames += [frame for frame, _ in self._decoder.feed(chunk)]


@asynccontextmanager
async def host_with_a_slow_disk(log: Path) -> AsyncIterator[Host]:
    """Started like a dashboard starts it; it is gone afterwards."""
    peer = Peer.read(Stage.get().process.descriptor)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW_DISK, "--fd", str(theirs.fileno()), "--trust", peer.root_key.hex()],
            cwd=ROOT,
            env=os.environ | {PROXY_VARIABLE: peer.proxy, "SSL_CERT_FILE": peer.ca},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
        )
    theirs.close()
    try:
        yield Host(process, ours)
    finally:
        ours.close()
        process.kill()
        process.wait(PATIENCE)


def written(folder: Path, texts: list[str]) -> list[str]:
    """Those of ``texts`` that stand in the journal, in its order."""
    journal = Journal(folder)
    try:
        return [text for entry in journal.after(0, 1_000) for text in texts if text.encode() in entry.body]
    finally:
        journal.close()


def end_in_order(line: socket.socket) -> None:
    """The host reads an end: everything it had said was heard."""
    line.shutdown(socket.SHUT_WR)


def end_with_words_unread(line: socket.socket) -> None:
    """The host reads an error: the kernel resets a line that is closed while something in it was not heard."""
    assert select.select([line], [], [], PATIENCE)[0]
    line.close()


@pytest.fixture
async def owner() -> str:
    """A number that is not linked yet."""
    stage = Stage.get()
    number = stage.new_number()
    await stage.do(stage.peer.phone(number, "Ana's shop"))
    return number


async def open_session(host: Host, folder: Path, *, linked: bool) -> None:
    """What the dashboard says first."""
    await host.say(t="hello", v=VERSION)
    await host.hear(lambda frame: frame["t"] == "welcome")
    await host.say(t="call", id=1, m=Method.OPEN, a={"s": "a", "folder": str(folder), "linked": linked, "secret": "c2VjcmV0"})


async def flooded(host: Host, folder: Path, owner: str) -> list[str]:
    """A session is linked, and Carla writes faster than the disk is; what she wrote, when WhatsApp has nothing more for us."""
    stage = Stage.get()
    await open_session(host, folder, linked=False)
    code = await host.hear(lambda frame: frame["t"] == "session" and frame["e"]["k"] == "qr")
    await stage.do(stage.peer.scan(code["e"]["text"], owner, "Ana's shop"))
    await host.hear(lambda frame: frame["t"] == "session" and frame["e"]["k"] == "ready")
    texts = [f"burst {number:02}" for number in range(COUNT)]
    for text in texts:
        await stage.do(stage.carla.send(owner, Content(MessageType.TEXT, text)))
    await until(lambda: stage.do(stage.peer.devices(owner)), lambda devices: not devices[0]["queued"])
    assert len(written(folder, texts)) < COUNT - 2, "the rest is in the library's hands only"
    return texts


@pytest.mark.parametrize("end", [end_in_order, end_with_words_unread])
async def test_what_the_library_has_taken_is_written_down_however_the_dashboard_ends(
    tmp_path: Path, owner: str, end: Callable[[socket.socket], None]
) -> None:
    """DUR-1: the library tells WhatsApp that a message has arrived, and hands it over when the ones before are written down."""
    async with host_with_a_slow_disk(tmp_path / "host.log") as host:
        texts = await flooded(host, tmp_path / "session", owner)
        end(host.line)
        assert await asyncio.to_thread(host.process.wait, PATIENCE) == 0, (tmp_path / "host.log").read_text()
    assert written(tmp_path / "session", texts) == texts


async def test_what_dies_with_a_host_is_noted_by_the_next_one(tmp_path: Path, owner: str) -> None:
    """DUR-1: also when it was the first host that the session ever ran in."""
    async with host_with_a_slow_disk(tmp_path / "first.log") as host:
        texts = await flooded(host, tmp_path / "session", owner)
        host.process.kill()
    heard: list[str] = []

    def all_heard(frame: dict[str, Any]) -> bool:
        if frame["t"] == "event":
            event = event_from_raw(frame["e"], offline=frame["offline"])
            if isinstance(event, MessageReceived) and not event.history:
                heard.append(NOTED if event.content.type is MessageType.UNSUPPORTED else event.content.text)
        return len(heard) == COUNT

    async with host_with_a_slow_disk(tmp_path / "second.log") as host:
        await open_session(host, tmp_path / "session", linked=True)
        await host.hear(all_heard)
    kept = [text for text in heard if text in texts]
    assert kept == texts[: len(kept)]
    assert heard == kept + [NOTED] * (COUNT - len(kept))
