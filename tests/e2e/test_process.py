"""The real process: starts, says how it is, ends."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

import httpx
import pytest

from tests.support.server import Server
from tests.support.waiting import PATIENCE


def test_sigterm_ends_it_cleanly_within_ten_seconds(server: Server) -> None:
    """DUR-4, SEC-9: no work is cut off, and nothing is left running."""
    code, seconds = server.terminate()
    assert code == 0
    assert seconds < 10
    assert "Traceback" not in server.log


def test_a_killed_server_starts_again(server: Server) -> None:
    """DUR-4: after SIGKILL the same data folder serves again."""
    server.kill()
    server.start()
    assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).json()["status"] == "alive"


def test_an_idle_connection_outlives_the_patience_of_clients(server: Server) -> None:
    """API-1: a client that kept its connection for some seconds may use it again; the server does not close it under the request."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=PATIENCE)
    connection.connect()
    used = connection.sock
    for pause in (6.0, 0.0):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read()
        time.sleep(pause)
        assert connection.sock is used
    connection.close()


@pytest.mark.command
def test_a_first_start_prints_a_password_once(new_server: Callable[..., Server]) -> None:
    """SEC-1: without a configured password one is made, printed once, and works."""
    server = new_server(DASHBOARD_PASSWORD="", DASHBOARD_USERNAME="ana")
    server.start()
    password = server.log.partition("password ")[2].split()[0]
    answer = httpx.post(f"{server.url}/api/auth/token", json={"username": "ana", "password": password}, timeout=PATIENCE)
    assert answer.status_code == 200
    server.restart()
    assert server.log.count(password) == 1


@pytest.mark.command
def test_a_bad_setting_stops_the_start_with_its_name(new_server: Callable[..., Server]) -> None:
    """SEC-8: the sentence says which setting is wrong."""
    server = new_server(DASHBOARD_PASSWORD="short")
    server.start(wait=False)
    server.wait_end()
    assert "DASHBOARD_PASSWORD: must have at least 12 characters" in server.log
