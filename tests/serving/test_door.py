"""Which connections may stay, and which give way (API-4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from websockets.asyncio.client import connect

from tests.serving.conftest import House
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.serving import descriptors, door
from whatsapp_dashboard.serving.door import group_of

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n"


async def said(reader: asyncio.StreamReader) -> bytes:
    """What comes first; nothing when the server hung up."""
    try:
        return await asyncio.wait_for(reader.read(4_096), PATIENCE)
    except ConnectionResetError:
        return b""


async def test_what_says_nothing_gives_way_oldest_first_and_what_works_never_does(open_house: Callable[..., House]) -> None:
    """API-4: a page's socket and a request that is being answered stay; those before them that wait for nothing go."""
    house = open_house(connections=10)
    async with connect(f"ws://127.0.0.1:{house.port}/") as page:
        waiting, _ = await house.connect(WAIT)
        await until(lambda: len(house.state.tasks) == 2)
        silent = [await house.connect() for _ in range(30)]
        for reader, _ in silent[:20]:
            assert await said(reader) == b""
        answer, _ = await house.connect(ASK)
        assert (await said(answer)).startswith(b"HTTP/1.1 200")
        await page.send("still here")
        assert len(house.door) <= 10
        house.go.set()
        assert (await said(waiting)).startswith(b"HTTP/1.1 200")
        await asyncio.wait_for(await page.ping(), PATIENCE)


async def test_when_everybody_works_the_next_one_is_told_to_come_later(open_house: Callable[..., House]) -> None:
    """API-4: 503 with Retry-After; nobody is thrown out."""
    house = open_house(connections=3)
    waiting = [await house.connect(WAIT) for _ in range(3)]
    await until(lambda: len(house.state.tasks) == 3)
    refused, _ = await house.connect()
    assert b"503" in await said(refused)
    house.go.set()
    for reader, _ in waiting:
        assert (await said(reader)).startswith(b"HTTP/1.1 200")


async def test_one_address_cannot_take_everything_unless_it_is_the_proxy_of_all(open_house: Callable[..., House]) -> None:
    """API-4: the limit of an address; trusted proxies have none."""
    for exempt, answer in (((), b"503"), (("127.0.0.0/8",), b"200")):
        house = open_house(connections=10, per_address=3, exempt=exempt)
        for _ in range(3):
            await house.connect(WAIT)
        await until(lambda house=house: len(house.state.tasks) == 3)
        reader, _ = await house.connect(ASK)
        assert answer in await said(reader)


async def test_a_body_may_take_its_time_as_long_as_it_comes(open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    """API-4: a slow upload goes on, one byte a second does not."""
    monkeypatch.setattr(door, "BODY_SECONDS", 2.0)
    house = open_house()
    steady, into = await house.connect(POST)
    dripping, _ = await house.connect(POST + b"x")
    begun = time.monotonic()
    for _ in range(10):
        into.write(b"x" * 300)
        await asyncio.sleep(0.4)
    assert time.monotonic() - begun > 3
    assert (await said(steady)).endswith(b"3000 bytes")
    assert b" 408 " in await said(dripping)


async def test_an_answer_that_nobody_reads_is_not_kept_for_ever(open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    """API-4: neither its memory nor its connection."""
    monkeypatch.setattr(door, "STALLED_SECONDS", 2.0)
    house = open_house()
    _, writer = await house.connect(LARGE)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await until(lambda: len(house.door) == 1)
    await until(lambda: len(house.door) == 0 and not house.state.connections)


async def test_a_second_header_has_the_time_of_a_first_one(open_house: Callable[..., House]) -> None:
    """API-4: empty lines between two requests, or a second header without an end, hold nothing."""
    house = open_house(header=2)
    reader, writer = await house.connect(ASK)
    assert (await said(reader)).startswith(b"HTTP/1.1 200")
    writer.write(b"\r\n\r\nGET / HT")
    assert b" 408 " in await said(reader)
    assert await said(reader) == b""


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_line_counts_as_one_address(address: str, group: str) -> None:
    """API-4: whoever has one such line has 2^64 addresses."""
    assert group_of(address) == group


@pytest.mark.parametrize(("files", "connections"), [(65_536, 4_000), (1_024, 512), (256, 128), (20_000, 4_000)])
def test_the_rest_of_the_program_keeps_files_of_its_own(files: int, connections: int) -> None:
    """API-4: connections never use up what the database and the engines need."""
    assert descriptors.for_connections(files, 4_000) == connections
