"""Engine hosts as real processes: placed, watched, replaced, and never outliving their parent (ENG-2, ACC-6)."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import alive
from tests.support.waiting import PATIENCE, block_until, until
from whatsapp_dashboard.domain.engine_events import DisconnectCause, Disconnected
from whatsapp_dashboard.engines.multidevice import host_process, hosts
from whatsapp_dashboard.engines.multidevice.hosts import EngineHosts, Seat
from whatsapp_dashboard.engines.multidevice.protocol import PROXY_VARIABLE, VERSION, Method
from whatsapp_dashboard.engines.wire import encode
from whatsapp_dashboard.errors import Unavailable

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there, and nothing of these tests leaves the machine."""


class Rig:
    """Hosts, and what was told of the sessions on them."""

    def __init__(self, **options: str) -> None:
        self.hosts = EngineHosts({"multidevice_proxy": NOWHERE, **options})
        self.pushed: dict[str, list[dict[str, Any]]] = {}
        self.lost: dict[str, list[Disconnected]] = {}

    async def take(self, name: str) -> Seat:
        """A place for a session."""
        self.pushed[name], self.lost[name] = [], []
        return await self.hosts.take(name, self.pushed[name].append, self.lost[name].append)

    async def open(self, name: str, folder: Path) -> Seat:
        """A session that tries to connect."""
        seat = await self.take(name)
        await seat.call(Method.OPEN, folder=str(folder / name), linked=False, secret="c2VjcmV0")
        return seat


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Rig]]:
    """Makes hosts that are gone when the test ends."""
    made: list[Rig] = []

    def new(**options: str) -> Rig:
        made.append(Rig(**options))
        return made[-1]

    yield new
    for rig in made:
        await rig.hosts.stop()


async def test_sessions_share_hosts_up_to_the_limit(make: Callable[..., Rig]) -> None:
    """ENG-2: a few sessions each, asked for all at once as after a restart."""
    rig = make(multidevice_sessions_per_host="2")
    seats = await asyncio.gather(*(rig.take(f"s{number}") for number in range(5)))
    assert sorted(len(host.seats) for host in {seat.host for seat in seats}) == [1, 2, 2]
    rig.hosts.leave(seats[0])
    again = await rig.take("s5")
    assert len({seat.host for seat in [*seats[1:], again]}) == 3, "a free place is used before a new process is made"


async def test_without_a_network_the_reason_is_said(make: Callable[..., Rig], tmp_path: Path) -> None:
    """ACC-5."""
    rig = make()
    await rig.open("a", tmp_path)
    await until(lambda: rig.pushed["a"])
    assert rig.pushed["a"][0]["e"]["cause"] == DisconnectCause.CONNECTION_LOST
    assert "refused" in rig.pushed["a"][0]["e"]["reason"]


async def test_a_host_that_dies_tells_all_its_sessions_and_the_next_one_works(make: Callable[..., Rig], tmp_path: Path) -> None:
    """ACC-6."""
    rig = make(multidevice_sessions_per_host="2")
    first, second, other = [await rig.take(name) for name in ("a", "b", "c")]
    os.kill(first.host.process.pid, signal.SIGKILL)
    await until(lambda: rig.lost["a"] and rig.lost["b"])
    assert {end.cause for end in rig.lost["a"] + rig.lost["b"]} == {DisconnectCause.ENGINE_CRASHED}
    assert rig.lost["c"] == [], "the sessions of another process notice nothing"
    with pytest.raises(Unavailable):
        await second.call(Method.PROBE)
    await rig.open("a", tmp_path)
    await other.call(Method.PING)


async def test_a_host_that_comes_up_as_its_first_session_gives_up_is_kept(make: Callable[..., Rig]) -> None:
    """ACC-6: in the same turn of the loop. One that was forgotten then would run on, and nobody would see it hang or die."""
    rig = make()
    taking = asyncio.create_task(rig.take("a"))
    await asyncio.sleep(0)
    (host,) = rig.hosts._hosts
    host.up.add_done_callback(lambda _: taking.cancel())
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert [each.pid for each in rig.hosts.processes()] == [host.process.pid]
    assert (await rig.take("b")).host is host


async def test_a_host_given_up_while_it_answers_stops_no_heartbeat(make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-6: the other hosts are still looked after."""
    monkeypatch.setattr(hosts, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(host_process, "PING_SECONDS", 0.5)
    rig = make(multidevice_sessions_per_host="1")
    given_up, other = await rig.take("a"), await rig.take("b")
    rig.hosts.leave(given_up)
    host, ping = given_up.host, given_up.host.process.ping

    async def answer() -> dict[str, int] | None:
        figures = await ping()
        if host in rig.hosts._hosts:
            rig.hosts._on_hang(host, "a")
        return figures

    monkeypatch.setattr(host.process, "ping", answer)
    await until(lambda: host not in rig.hosts._hosts)
    os.kill(other.host.process.pid, signal.SIGSTOP)
    await until(lambda: rig.lost["b"])


async def test_a_host_that_hangs_is_killed_and_its_sessions_are_told(make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-6: heartbeats."""
    monkeypatch.setattr(hosts, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(host_process, "PING_SECONDS", 0.5)
    rig = make()
    seat = await rig.take("a")
    pid = seat.host.process.pid
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: rig.lost["a"])
    assert rig.lost["a"][0].cause is DisconnectCause.ENGINE_CRASHED
    await until(lambda: not alive(pid))


async def test_a_worn_host_takes_no_new_sessions_and_gives_its_old_ones_away(
    make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENG-2: the library leaks a little with every start."""
    monkeypatch.setattr(hosts, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(hosts, "MAX_STARTS", 2)
    rig = make()
    first, second = await rig.take("a"), await rig.take("b")
    old = first.host.process.pid
    await until(lambda: rig.lost["a"])
    assert rig.lost["a"][0].cause is DisconnectCause.RESTART_REQUIRED
    assert rig.lost["b"] == [], "one after the other"
    rig.hosts.leave(first)
    fresh = await rig.take("a")
    assert fresh.host is not second.host
    await until(lambda: rig.lost["b"])
    rig.hosts.leave(second)
    await until(lambda: not alive(old))


async def test_an_idle_host_ends(make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is given back."""
    monkeypatch.setattr(hosts, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(hosts, "IDLE_SECONDS", 0.3)
    rig = make()
    seat = await rig.take("a")
    pid = seat.host.process.pid
    assert [(process.pid, process.sessions) for process in rig.hosts.processes()] == [(pid, 1)]
    rig.hosts.leave(seat)
    await until(lambda: not alive(pid))
    assert rig.hosts.processes() == []


async def test_stopping_ends_every_host(make: Callable[..., Rig], tmp_path: Path) -> None:
    """SEC-9."""
    rig = make(multidevice_sessions_per_host="1")
    pids = [(await rig.open(name, tmp_path)).host.process.pid for name in ("a", "b")]
    began = time.monotonic()
    await rig.hosts.stop()
    assert time.monotonic() - began < 10
    assert not any(alive(pid) for pid in pids)


async def test_a_session_runs_in_one_process_only(make: Callable[..., Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One owner per session, also while an old process still finishes."""
    rig = make(multidevice_sessions_per_host="1")
    owner = await rig.take("a")
    await owner.call(Method.OPEN, folder=str(tmp_path / "s"), linked=False, secret="c2VjcmV0")
    second = asyncio.create_task((await rig.take("b")).call(Method.OPEN, folder=str(tmp_path / "s"), linked=False, secret="c2VjcmV0"))
    await asyncio.sleep(0.5)
    assert not second.done(), "it waits for the first one to let go"
    await owner.call(Method.CLOSE)
    await asyncio.wait_for(second, PATIENCE)


def test_a_host_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """ENG-2: nothing is left running."""
    code = f"""
import asyncio, sys
from whatsapp_dashboard.engines.multidevice.hosts import EngineHosts
async def main():
    seat = await EngineHosts({{"multidevice_proxy": "{NOWHERE}"}}).take("a", print, print)
    print("host", seat.host.process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = next(int(line.split()[1]) for line in parent.stdout if line.startswith("host "))
    assert alive(pid)
    parent.kill()
    parent.wait(PATIENCE)
    block_until(lambda: not alive(pid))


def test_a_line_that_breaks_with_words_unread_is_an_end_like_any_other(tmp_path: Path) -> None:
    """DUR-1: a killed dashboard that had not read everything resets the line; the host still lets its sessions go in order."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "whatsapp_dashboard.engines.multidevice.host", "--fd", str(theirs.fileno())]
    env = os.environ | {PROXY_VARIABLE: NOWHERE}
    host = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True, env=env)
    theirs.close()
    ours.sendall(encode({"v": VERSION}))
    assert select.select([ours], [], [], PATIENCE)[0], "it is welcomed, and does not read that"
    ours.close()
    _, said = host.communicate(timeout=PATIENCE)
    assert host.returncode == 0, said
    assert "the line to the dashboard broke" in said


def test_the_dashboard_process_never_loads_the_library() -> None:
    """ENG-2: a native crash must not reach it."""
    code = (
        "import sys\nimport whatsapp_dashboard.runtime\nimport whatsapp_dashboard.api.app\n"
        "bad = [name for name in sys.modules if name.startswith(('neonize', 'google.protobuf')) or '.multidevice.host.' in name]\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
