"""Connections that nobody needs do not keep out those who work (API-4)."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.sockets import open_tab
from tests.support.waiting import PATIENCE, block_until
from tests.ui.conftest import BROWSER

FILES = 256
HALF = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
SLOW = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
UPLOAD = b"POST /api/messages/send/media HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n--"


@contextlib.contextmanager
def flood(server: Server, count: int, *begin: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which says one of ``begin`` and then nothing."""
    opened: list[socket.socket] = []
    try:
        for number in range(count):
            opened.append(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            with contextlib.suppress(OSError):  # it may have been closed at once
                opened[-1].sendall(begin[number % len(begin)])
        yield opened
    finally:
        for connection in opened:
            connection.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has hung up, possibly after a last word."""
    connection.setblocking(False)
    try:
        while connection.recv(4_096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def works(server: Server) -> None:
    """A new client is answered, and somebody logs in."""
    assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).json()["status"] == "alive"
    login(server)


def login(server: Server) -> str:
    """The cookie of a fresh session."""
    own = {"Origin": server.url, "User-Agent": BROWSER}
    body = {"username": OWNER, "password": OWNER_PASSWORD}
    answer = httpx.post(f"{server.url}/api/auth/login", json=body, headers=own, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return f"wa.sid={answer.cookies['wa.sid']}"


@pytest.fixture
def small(new_server: Callable[..., Server]) -> Server:
    """A running dashboard that may have only a few files open."""
    server = new_server(HTTP_HEADER_SECONDS="5")
    server.files = FILES
    server.start()
    return server


async def test_more_half_open_connections_than_files_keep_nobody_out(small: Server) -> None:
    """API-4: 1,100 connections that never say what they want: people log in, an open page stays live, and the time limit closes them."""
    async with open_tab(small.url, {"Origin": small.url, "Cookie": login(small), "User-Agent": BROWSER}) as tab:
        await tab.hydrate("/")
        with flood(small, 1_100, HALF, b"") as connections:
            works(small)
            assert psutil.Process(small.pid).num_fds() < FILES
            assert await tab.hydrate("/")
            block_until(lambda: all(is_closed(each) for each in connections))
        assert await tab.hydrate("/")
    works(small)
    assert "Traceback" not in small.log
    assert "Too many open files" not in small.log


def test_requests_whose_body_never_comes_keep_nobody_out(small: Server) -> None:
    """API-4: the same with a header that is complete; those that may upload have no other right without a log-in."""
    with flood(small, 400, SLOW, UPLOAD) as connections:
        works(small)
        assert sum(is_closed(each) for each in connections) > 400 - FILES
    works(small)
    assert "Traceback" not in small.log


def test_one_byte_a_second_is_too_slow(small: Server) -> None:
    """API-4: neither a header that comes bit by bit holds a connection, nor empty lines, nor a header without an end."""
    begun = time.monotonic()
    endless = socket.create_connection(("127.0.0.1", small.port), timeout=PATIENCE)
    with contextlib.suppress(OSError):
        endless.sendall(HALF + b"X-Long: " + b"a" * 200_000)
    assert b"431" in first_words(endless)
    again = socket.create_connection(("127.0.0.1", small.port), timeout=PATIENCE)
    again.sendall(HALF + b"\r\n")
    assert first_words(again).startswith(b"HTTP/1.1 200")
    dripping = {socket.create_connection(("127.0.0.1", small.port), timeout=PATIENCE): HALF * 9, again: HALF * 9}
    sent = 0
    while dripping:
        assert time.monotonic() - begun < PATIENCE
        for connection, text in list(dripping.items()):
            with contextlib.suppress(OSError):
                connection.sendall(text[sent : sent + 1])
            if is_closed(connection):
                del dripping[connection]
                connection.close()
        sent += 1
        time.sleep(0.5)
    endless.close()


def first_words(connection: socket.socket) -> bytes:
    """What the server says first; nothing when it hung up."""
    select.select([connection], [], [], PATIENCE)
    try:
        return connection.recv(4_096)
    except ConnectionResetError:
        return b""


def test_all_files_in_use_neither_ends_the_server_nor_makes_it_spin(small: Server) -> None:
    """API-4: when the system has no place left, it waits a moment each time, and goes on when there is one."""
    process = psutil.Process(small.pid)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), FILES))
    with flood(small, 20, HALF):
        block_until(lambda: "the system has no place for one" in small.log)
        before = sum(process.cpu_times()[:2])
        time.sleep(3)
        assert sum(process.cpu_times()[:2]) - before < 1.5
    process.rlimit(psutil.RLIMIT_NOFILE, (FILES, FILES))
    works(small)
