"""Real numbers without a network, with a broken one, and with a server that falls silent: said, and tried again without haste."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.peer.faults import PHASES
from tests.support.linking import wait_ready
from tests.support.real_numbers import RealNumbers, real_numbers
from tests.support.server import Server
from tests.support.waiting import PATIENCE, until

NUMBER = "12025550177"
LOOK_SECONDS = 6.0
"""How long a failing account is watched for haste."""
BUSY = 0.25
"""More of a core than this, over that time, would be a busy loop."""


@pytest.fixture
async def scene(new_server: Callable[..., Server], tmp_path: Path) -> AsyncIterator[RealNumbers]:
    """A dashboard, and a peer in place of WhatsApp."""
    async with real_numbers(new_server(), tmp_path / "peer") as scene:
        yield scene


async def status_of(scene: RealNumbers, account: str, fits: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE) -> dict[str, Any]:
    """Wait until the account's status fits; what it is."""
    return await until(lambda: scene.status(account), fits, seconds=seconds, pause=0.1)


async def nothing_is_in_a_hurry(scene: RealNumbers) -> None:
    """The dashboard answers, and neither it nor its hosts use a core while there is nothing to do but wait."""
    processes = [psutil.Process(scene.server.pid), *psutil.Process(scene.server.pid).children(recursive=True)]
    before = _processor_seconds(processes)
    began = time.monotonic()
    while time.monotonic() - began < LOOK_SECONDS:
        (await scene.api.get("/api/accounts")).raise_for_status()
        await asyncio.sleep(1)
    spent = _processor_seconds(processes) - before
    assert spent < BUSY * LOOK_SECONDS, f"{spent:.1f} s of CPU in {LOOK_SECONDS:.0f} s"


def _processor_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:2])
    return total


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"MULTIDEVICE_PROXY": "http://127.0.0.1:9"}, "refused"),
        ({"MULTIDEVICE_PROXY": "http://nowhere.invalid:3128"}, "DNS"),
        ({"MULTIDEVICE_PROXY": "the peer's"}, "TLS"),
    ],
    ids=["no network", "no name resolution", "a certificate of somebody else"],
)
async def test_what_is_broken_is_said_and_mended_by_itself(scene: RealNumbers, broken: dict[str, str], words: str) -> None:
    """ACC-2, ACC-5: a linked account tells why it is down, each try is visible, and it comes back without a scan."""
    account = await scene.link(NUMBER)
    scene.server.terminate()
    peer = scene.server.set(MULTIDEVICE_PEER="")["MULTIDEVICE_PEER"]
    proxy = scene.descriptor["proxy"] if broken["MULTIDEVICE_PROXY"] == "the peer's" else broken["MULTIDEVICE_PROXY"]
    scene.server.set(MULTIDEVICE_PROXY=proxy)
    scene.server.start()
    await scene.log_in()
    status = await status_of(scene, account, lambda now: now["status"] == "disconnected" and now["attempt"] >= 2)
    assert words in status["status_reason"], status
    assert status["next_attempt_at"]
    await nothing_is_in_a_hurry(scene)
    scene.server.terminate()
    scene.server.set(MULTIDEVICE_PEER=peer, MULTIDEVICE_PROXY="")
    scene.server.start()
    await scene.log_in()
    await wait_ready(scene.api, account)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("phase", [pytest.param(phase, marks=[] if phase == "websocket" else pytest.mark.full) for phase in PHASES])
async def test_a_server_that_falls_silent_while_connecting_is_given_up(scene: RealNumbers, phase: str) -> None:
    """ACC-5, ACC-6, ACC-9: in each phase of the handshake; and all is well when the server is."""
    account = await scene.link(NUMBER)
    await scene.peer.faults(handshake=phase)
    await scene.peer.drop(NUMBER)
    await status_of(scene, account, lambda now: now["status"] != "ready")
    said = ("does not answer", "secure connection")
    await status_of(scene, account, lambda now: now["attempt"] >= 2 and any(words in now["status_reason"] for words in said), 90)
    await nothing_is_in_a_hurry(scene)
    await scene.peer.faults()
    await wait_ready(scene.api, account, 90)


async def test_a_connection_that_hangs_is_not_called_connected(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """ACC-9: the probe notices, and what hung is replaced."""
    async with real_numbers(new_server(PROBE_SECONDS="1"), tmp_path / "peer") as scene:
        account = await scene.link(NUMBER)
        await scene.peer.hang(NUMBER)
        status = await status_of(scene, account, lambda now: now["status"] != "ready")
        assert "silent" in status["status_reason"]
        await scene.peer.hang(NUMBER, False)
        await wait_ready(scene.api, account)


async def test_what_was_missed_while_the_dashboard_was_off_is_there_and_marked(scene: RealNumbers) -> None:
    """ACC-4, ACC-10: back without a scan, after an orderly stop and after a kill."""
    account = await scene.link(NUMBER)
    carla = await scene.customers.add("carla", "34600111222")
    for number, stop in enumerate((scene.server.terminate, scene.server.kill)):
        stop()
        if stop == scene.server.terminate:
            assert {path.name for path in (scene.server.data_dir / "sessions" / account).iterdir()} >= {"session.sealed"}
            assert not (scene.server.data_dir / "sessions" / account / "session.db").exists(), "encrypted at rest"
        else:
            await asyncio.sleep(1)  # the host finishes
        await carla.send(NUMBER, f"while you were away {number}")
        scene.server.start()
        await scene.log_in()
        await wait_ready(scene.api, account)
        found = await until(partial(message_of, scene, account, f"while you were away {number}"), pause=0.1)
        assert found["recovered"] is True


async def test_the_processes_of_the_engine_are_told_with_their_memory(scene: RealNumbers) -> None:
    """OBS-4, ENG-2: by the API, for operators."""
    await scene.link(NUMBER)
    answer = await scene.api.get("/api/system/processes")
    answer.raise_for_status()
    told = answer.json()
    (host,) = told["engines"]
    assert (told["pid"], host["pid"]) == (scene.server.pid, scene.hosts()[0].pid)
    assert (host["engine"], host["sessions"]) == ("multidevice", 1)
    assert all(20_000_000 < memory < 500_000_000 for memory in (told["memory"], host["memory"]))


async def message_of(scene: RealNumbers, account: str, text: str) -> dict[str, Any] | None:
    """The message of the account that says this, if it is there."""
    answer = await scene.api.get(f"/api/accounts/{account}/messages")
    answer.raise_for_status()
    return next((one for one in answer.json()["items"] if one["text"] == text), None)
