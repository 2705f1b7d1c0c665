"""Starting and stopping the real server (SEC-2, SEC-3, SEC-8, SEC-9, OPS-1)."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.support.processes import alive
from tests.support.server import OWNER, OWNER_PASSWORD, Server
from tests.support.sockets import open_tab
from tests.support.waiting import PATIENCE
from tests.ui.conftest import BROWSER

pytestmark = pytest.mark.slow


def logged_in(server: Server) -> str:
    """The ``Cookie`` header of a fresh session of the owner."""
    own = {"Origin": server.url, "User-Agent": BROWSER}
    answer = httpx.post(f"{server.url}/api/auth/login", json={"username": OWNER, "password": OWNER_PASSWORD}, headers=own, timeout=PATIENCE)
    return f"wa.sid={answer.cookies['wa.sid']}"


@pytest.mark.command
def test_a_built_dashboard_is_served_without_building_it_again_and_ends_within_ten_seconds(new_server: Callable[..., Server]) -> None:
    """OPS-1, SEC-9"""
    server = new_server()
    server.start()
    assert "Building the pages" not in server.log
    code, seconds = server.terminate()
    assert code in (0, -signal.SIGTERM)
    assert seconds < 10


async def test_open_sockets_and_slow_requests_do_not_delay_the_end(new_server: Callable[..., Server]) -> None:
    """SEC-9"""
    server = new_server()
    server.start()
    headers = {"Origin": server.url, "Cookie": logged_in(server), "User-Agent": BROWSER}
    async with open_tab(server.url, headers) as tab:
        await tab.hydrate("/")
        with socket.create_connection(("127.0.0.1", server.port)) as half:
            half.sendall(b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert server.terminate()[1] < 10


@pytest.mark.command
def test_a_second_ctrl_c_ends_at_once_and_leaves_nobody_behind(new_server: Callable[..., Server]) -> None:
    """SEC-9"""
    server = new_server()
    server.start()
    root = psutil.Process(server.pid)
    family = [root.pid, *(child.pid for child in root.children(recursive=True))]
    root.send_signal(signal.SIGINT)
    time.sleep(0.02)
    root.send_signal(signal.SIGINT)
    server.wait_end(5)
    assert not [pid for pid in family if alive(pid)]


@pytest.mark.command
@pytest.mark.parametrize(("name", "value"), [("DASHBOARD_PORT", "http"), ("DASHBOARD_URL", "chat.example.org"), ("ENCRYPTION_KEY", "x")])
def test_a_bad_setting_ends_the_start_with_a_sentence_and_no_trace(new_server: Callable[..., Server], name: str, value: str) -> None:
    """SEC-8"""
    server = new_server(**{name: value})
    server.start(wait=False)
    assert server.wait_end(PATIENCE) == 2
    assert name in server.log
    assert "Traceback" not in server.log


@pytest.mark.command
def test_a_port_in_use_is_said_before_anything_starts(new_server: Callable[..., Server]) -> None:
    """SEC-8"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = new_server(DASHBOARD_PORT=str(taken.getsockname()[1]))
        server.start(wait=False)
        assert server.wait_end(PATIENCE) == 2
    assert "DASHBOARD_PORT" in server.log
    assert not (server.data_dir / "dashboard.db").exists()


def test_sessions_and_lock_outs_survive_a_restart(new_server: Callable[..., Server]) -> None:
    """SEC-2, SEC-3"""
    server = new_server()
    server.start()
    cookie = logged_in(server)
    for _ in range(5):
        httpx.post(f"{server.url}/api/auth/login", json={"username": "ben", "password": "guess"}, timeout=PATIENCE)
    server.restart()
    answer = httpx.get(f"{server.url}/api/auth/user", headers={"Cookie": cookie, "User-Agent": BROWSER}, timeout=PATIENCE)
    assert answer.json()["username"] == OWNER
    answer = httpx.post(f"{server.url}/api/auth/login", json={"username": "ben", "password": "guess"}, timeout=PATIENCE)
    assert answer.status_code == 429
