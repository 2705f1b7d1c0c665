"""The sandbox world itself: it forgets nothing, repeats itself under a seed, and breaks on demand (ENG-5)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines.harness import Rig, SandboxHarness
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.domain.engine_events import (
    ContactSeen,
    Disconnected,
    MessageReceived,
    QrCode,
    QrExpired,
    Ready,
    Receipt,
    ReceiptKind,
)
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.domain.numbers import parse_number
from whatsapp_dashboard.engines.sandbox.cast import default_cast
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import MAX_SOCKET_PATH, socket_path_for
from whatsapp_dashboard.engines.sandbox.world import WorldThread
from whatsapp_dashboard.errors import Invalid, NotFound, Permanent, Retryable, Unavailable

HELLO = Content(MessageType.TEXT, "Hello")


@pytest.fixture
async def harness() -> AsyncIterator[SandboxHarness]:
    """A world of this test's own."""
    surroundings = SandboxHarness()
    await surroundings.open()
    yield surroundings
    await surroundings.close()


@pytest.fixture
async def rig(harness: SandboxHarness, tmp_path: Path) -> AsyncIterator[Rig]:
    """An account that is not linked yet."""
    account = Rig(harness, tmp_path)
    yield account
    if account._engine is not None:
        await account._engine.stop()


def test_every_seed_makes_people_with_real_numbers() -> None:
    """ENG-5: deterministic, and accepted by MSG-2's checks."""
    assert default_cast(5) == default_cast(5)
    assert default_cast(5) != default_cast(6)
    for seed in range(50):
        phones = [person.phone for person in default_cast(seed) if person.phone]
        assert len(phones) == 6
        for phone in phones:
            assert parse_number("+" + phone) == Address(phone=phone)


async def test_the_same_seed_gives_the_same_ids(tmp_path: Path) -> None:
    """ENG-5."""

    async def story(folder: Path) -> list[object]:
        world = WorldThread(folder, seed=42)
        await world.start()
        rig = Rig(_Outside(world.socket_path), folder)
        async with SandboxPhone(world.socket_path) as phone:
            assert phone.seed == 42
            await rig.start()
            number = await phone.scan((await rig.wait_for(QrCode)).text)
            await rig.wait_for(Ready)
            ids = [await phone.send_text(who, "hi") for who in ("carla", "dev", "carla")]
            sent = await rig.engine.send("k", Address(phone=(await phone.contacts())[1]["phone"]), HELLO)
        await rig.engine.stop()
        await world.stop()
        return [number, ids, sent.wa_id]

    first, second = tmp_path / "a", tmp_path / "b"
    assert await story(first) == await story(second)


async def test_codes_rotate_and_expire_and_old_ones_are_refused(rig: Rig, harness: SandboxHarness) -> None:
    """ACC-3."""
    await harness.phone.configure(qr_first=0.3, qr_next=0.2, qr_count=3)
    await rig.start()
    codes = await rig.wait_for_many(QrCode, 2)
    with pytest.raises(Invalid, match="expired"):
        await harness.phone.scan(codes[0].text)
    with pytest.raises(Invalid, match="not the QR code"):
        await harness.phone.scan("https://wa.me/settings/linked_devices#2@nonsense")
    await rig.wait_for(QrExpired)
    codes = rig.of(QrCode)
    assert [code.last for code in codes] == [False, False, True]
    assert len({code.text for code in codes}) == 3
    with pytest.raises(Invalid, match="expired"):
        await harness.phone.scan(codes[-1].text)


async def test_a_wrong_pairing_code_is_refused(rig: Rig, harness: SandboxHarness) -> None:
    """ACC-3."""
    engine = await rig.start()
    await rig.wait_for(QrCode)
    code = await engine.pair_with_phone("12025550150")
    with pytest.raises(Invalid, match="No account waits"):
        await harness.phone.enter_pairing_code("AAAA-AAAA")
    with pytest.raises(Invalid, match="is for the phone"):
        await harness.phone.enter_pairing_code(code.code, "12025550151")
    await harness.phone.enter_pairing_code(code.code.lower().replace("-", " "))
    assert (await rig.wait_for(Ready)).phone == "12025550150"


async def test_several_accounts_have_phones_of_their_own(harness: SandboxHarness, tmp_path: Path) -> None:
    """ENG-5: each account its number, its chats, its queue."""
    rigs = [Rig(harness, tmp_path) for _ in range(2)]
    numbers = []
    for rig in rigs:
        await rig.start()
        numbers.append(await harness.phone.scan((await rig.wait_for(QrCode)).text))
        await rig.wait_for(Ready)
    assert len(set(numbers)) == 2
    with pytest.raises(Invalid, match="which account"):
        await harness.phone.send_text("carla", "to whom?")
    await harness.phone.send_text("carla", "to the second", account=numbers[1])
    assert (await rigs[1].wait_for(MessageReceived)).content.text == "to the second"
    await asyncio.sleep(0.1)
    assert not rigs[0].of(MessageReceived)
    for rig in rigs:
        await rig.engine.stop()


async def test_offline_refuses_connections_until_it_is_over(rig: Rig, harness: SandboxHarness) -> None:
    """ENG-5's switches."""
    await rig.link()
    await harness.phone.switch("offline", True)
    await rig.wait_for(Disconnected)
    await rig.engine.stop()
    with pytest.raises(Retryable):
        await rig.start()
    await rig.engine.stop()
    await harness.phone.switch("offline", False)
    await rig.start()
    await rig.wait_for(Ready)


async def test_a_slow_link_is_slow_and_keeps_the_order(rig: Rig, harness: SandboxHarness) -> None:
    """ENG-5's switches."""
    engine = await rig.link()
    await harness.phone.switch("slow_ms", 1_100)
    started = time.monotonic()
    await engine.probe()
    assert time.monotonic() - started >= 1
    await harness.phone.switch("slow_ms", 100)
    sent = await harness.phone.burst([("carla", str(number)) for number in range(20)])
    assert [event.wa_id for event in await rig.wait_for_many(MessageReceived, 20)] == sent


async def test_duplicates_come_twice_with_one_id(rig: Rig, harness: SandboxHarness) -> None:
    """MSG-3's adversary."""
    await rig.link()
    await harness.phone.switch("duplicates", True)
    await harness.phone.send_text("carla", "once")
    events = await rig.wait_for_many(MessageReceived, 2)
    assert events[0] == events[1]


async def test_receipts_out_of_order_come_before_the_answer_or_read_before_delivered(rig: Rig, harness: SandboxHarness) -> None:
    """MSG-4's adversary."""
    engine = await rig.link()
    await harness.phone.switch("disorder", True)
    carla = await harness.carla()
    sent = []
    for number in range(4):
        result = await engine.send(f"k{number}", carla, HELLO)
        sent.append((result.wa_id, any(result.wa_id in event.wa_ids for event in rig.of(Receipt))))
    await until(lambda: len({wa_id for event in rig.of(Receipt) for wa_id in event.wa_ids}) >= 2)
    await harness.phone.open_chat("carla")
    await rig.wait_for(Receipt, lambda event: event.kind is ReceiptKind.READ)
    await until(
        lambda: (
            {wa_id for event in rig.of(Receipt) if event.kind is ReceiptKind.DELIVERED for wa_id in event.wa_ids}
            >= {wa_id for wa_id, _ in sent}
        )
    )
    order = [(event.kind, wa_id) for event in rig.of(Receipt) for wa_id in event.wa_ids]
    late = [wa_id for wa_id, _ in sent if order.index((ReceiptKind.READ, wa_id)) < order.index((ReceiptKind.DELIVERED, wa_id))]
    assert late, "some message was read before it was delivered"


async def test_sends_fail_as_often_as_asked(rig: Rig, harness: SandboxHarness) -> None:
    """ENG-5's switches; a failed try leaves no message and its key unused."""
    engine = await rig.link()
    carla = await harness.carla()
    await harness.phone.switch("fail_sends", 2)
    for _ in range(2):
        with pytest.raises(Retryable):
            await engine.send("k", carla, HELLO)
    await engine.send("k", carla, HELLO)
    await harness.phone.switch("fail_for_good", True)
    await harness.phone.switch("fail_sends", 1)
    with pytest.raises(Permanent):
        await engine.send("k2", carla, HELLO)
    assert len(await harness.phone.received("carla")) == 1


async def test_bad_switches_are_refused(rig: Rig, harness: SandboxHarness) -> None:
    """ENG-5: clear errors."""
    with pytest.raises(NotFound):
        await harness.phone.switch("offline", True)
    await rig.link()
    for name, value in [("nonsense", True), ("offline", 3), ("slow_ms", -1), ("slow_ms", True), ("slow_ms", 10**9), ("restricted", 7)]:
        with pytest.raises(Invalid):
            await harness.phone.switch(name, value)
    with pytest.raises(NotFound):
        await harness.phone.send_text("nobody", "hi")
    with pytest.raises(Invalid):
        await harness.phone.send_text("carla", "")


async def test_a_phone_that_is_off_shows_one_tick(rig: Rig, harness: SandboxHarness) -> None:
    """MSG-11's adversary."""
    engine = await rig.link()
    await harness.phone.set_online("carla", False)
    result = await engine.send("k", await harness.carla(), HELLO)
    await asyncio.sleep(0.1)
    assert not rig.of(Receipt)
    assert await harness.phone.received("carla") == []
    await harness.phone.set_online("carla", True)
    assert result.wa_id in (await rig.wait_for(Receipt)).wa_ids
    assert len(await harness.phone.received("carla")) == 1


async def test_a_contact_known_by_lid_is_revealed_later(rig: Rig, harness: SandboxHarness) -> None:
    """MSG-10."""
    engine = await rig.link()
    await harness.phone.send_text("emma", "guess who")
    hidden = (await rig.wait_for(MessageReceived)).chat
    assert hidden.phone is None
    assert hidden.lid
    await engine.send("k", hidden, HELLO)
    await harness.phone.reveal("emma")
    shown = (await rig.wait_for(ContactSeen)).address
    assert shown.lid == hidden.lid
    assert shown.phone
    await engine.send("k2", Address(phone=shown.phone), HELLO)
    assert len(await harness.phone.received("emma")) == 2


async def test_a_number_nobody_has_becomes_a_contact_when_written_to(rig: Rig, harness: SandboxHarness) -> None:
    """ENG-5: trying out needs no preparation."""
    engine = await rig.link()
    await engine.send("k", Address(phone="34611222333"), HELLO)
    assert [one.text for one in await harness.phone.received("34611222333")] == ["Hello"]


async def test_a_second_connection_with_the_same_credentials_replaces_the_first(rig: Rig, harness: SandboxHarness, tmp_path: Path) -> None:
    """ACC-5."""
    await rig.link()
    other = Rig(harness, tmp_path, credentials=rig.credentials)
    await other.start()
    await other.wait_for(Ready)
    assert (await rig.wait_for(Disconnected)).cause == "replaced"
    await other.engine.stop()


async def test_another_version_of_the_protocol_is_refused(harness: SandboxHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENG-5: an external world may be older or newer."""
    monkeypatch.setattr("whatsapp_dashboard.engines.wire.VERSION", 99)
    with pytest.raises(Permanent, match="version"):
        await SandboxPhone(str(harness.world.socket_path)).phones()


async def test_long_folders_get_a_short_socket_path(tmp_path: Path) -> None:
    """ENG-5: Unix sockets allow about a hundred bytes."""
    deep = tmp_path / ("x" * 120)
    path = socket_path_for(deep)
    assert len(str(path).encode()) < MAX_SOCKET_PATH
    world = WorldThread(deep)
    await world.start()
    async with SandboxPhone(world.socket_path) as phone:
        assert len(await phone.contacts()) == 7
    with pytest.raises(RuntimeError, match="another sandbox world"):
        await WorldThread(deep).start()
    await world.stop()
    await world.stop()


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[_Process]:
    """A world in a process of its own."""
    process = _Process(tmp_path / "world")
    await process.start()
    yield process
    await process.kill()


async def test_a_killed_world_forgets_nothing(outside: _Process, tmp_path: Path) -> None:
    """DUR-1's witness: SIGKILL in the middle of a stream, three times; every message comes, every send is there once."""
    phone = SandboxPhone(outside.socket)
    rig = Rig(_Outside(outside.socket), tmp_path)
    await rig.start()
    await phone.scan((await rig.wait_for(QrCode)).text)
    await rig.wait_for(Ready)
    written: list[str] = []
    seen: set[str] = set()
    for round_ in range(3):
        written += await phone.burst([("carla", f"{round_}/{number}") for number in range(150)])
        sends = [asyncio.create_task(_send(rig, f"{round_}/{number}")) for number in range(20)]
        await asyncio.sleep(0.02)
        await outside.kill()
        await asyncio.gather(*sends, return_exceptions=True)
        await rig.wait_for(Disconnected)
        seen |= {event.wa_id for event in rig.of(MessageReceived)}
        await rig.engine.stop()
        await outside.start()
        await rig.start()
        await rig.wait_for(Ready)
        for number in range(20):
            await _send(rig, f"{round_}/{number}")
    await until(lambda: seen | {event.wa_id for event in rig.of(MessageReceived)} >= set(written))
    received = await phone.received()
    assert sorted(one.key for one in received) == sorted(f"{round_}/{number}" for round_ in range(3) for number in range(20))
    await until(phone.counts, lambda counts: counts["queued"] == 0)
    await rig.engine.stop()
    await phone.close()


async def _send(rig: Rig, key: str) -> None:
    try:
        await rig.engine.send(key, Address(phone="34611222333"), Content(MessageType.TEXT, key))
    except Unavailable:
        return


class _Outside(SandboxHarness):
    """A harness for a world that somebody else runs."""

    def __init__(self, path: str) -> None:
        self._path = path

    def options(self) -> dict[str, str]:
        return {"world": self._path}


class _Process:
    """``python -m whatsapp_dashboard.engines.sandbox.world``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = str(Path(tempfile.gettempdir()) / f"wa-{os.getpid()}-{id(self)}.sock")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "whatsapp_dashboard.engines.sandbox.world",
            "--data",
            str(self._folder),
            "--socket",
            self.socket,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE):
            assert b"listens" in await self._process.stdout.readline()

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        Path(self.socket).unlink(missing_ok=True)
