"""The rules about origins, cookies and forwarding, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whatsapp_dashboard.auth.web import Origins, Request, is_forged, safe_next
from whatsapp_dashboard.config import Settings


def origins(**settings: Any) -> Origins:
    return Origins(Settings(_env_file=None, data_dir=Path("x"), **settings))  # type: ignore[call-arg]


def request(method: str = "POST", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": "/", "headers": pairs})


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://192.0.2.7:9000", "192.0.2.7:9000", True),
        ("http://[2001:db8::1]:8000", "[2001:db8::1]:8000", True),
        ("http://192.0.2.7:9000", "192.0.2.8:9000", False),
        ("http://rebound.example:8000", "rebound.example:8000", False),
        ("https://localhost:8000", "localhost:8000", False),
        ("http://localhost:8001", "localhost:8000", False),
        ("http://localhost:8000.evil.example", "localhost:8000", False),
        ("http://localhost:8000@evil.example", "localhost:8000", False),
        ("null", "localhost:8000", False),
        ("", "localhost:8000", False),
        (None, None, False),
    ],
)
def test_without_a_configured_address_only_this_machine_and_bare_addresses_are_our_origin(
    origin: str | None, host: str | None, own: bool
) -> None:
    """SEC-4: a name could be rebound to us, an address cannot."""
    assert origins().is_own(origin, host) is own


def test_with_a_configured_address_only_that_one_is_our_origin() -> None:
    """SEC-4"""
    rule = origins(dashboard_url="https://chat.example.org", cors_origins="https://app.example.org")
    assert rule.is_own("https://chat.example.org", "10.0.0.5:8000")
    assert rule.is_own("https://chat.example.org:443", None)
    for foreign in ("http://chat.example.org", "https://chat.example.org:8443", "http://192.0.2.7:8000", "https://app.example.org"):
        assert not rule.is_own(foreign, "192.0.2.7:8000")
    assert rule.may_call("https://app.example.org", None)


@pytest.mark.parametrize(
    ("method", "headers", "forged"),
    [
        ("GET", {}, False),
        ("POST", {"origin": "http://localhost:8000"}, False),
        ("POST", {"origin": "https://evil.example"}, True),
        ("POST", {"origin": "https://evil.example", "x_requested_with": "x"}, True),
        ("POST", {}, True),
        ("POST", {"x_requested_with": "curl"}, False),
        ("DELETE", {"x_requested_with": "curl", "sec_fetch_site": "same-site"}, True),
    ],
)
def test_a_changing_request_with_our_cookie_must_show_where_it_comes_from(method: str, headers: dict[str, str], forged: bool) -> None:
    """SEC-5"""
    assert is_forged(request(method, **headers), origins()) is forged


def test_a_header_sent_twice_counts_as_absent() -> None:
    """SEC-5: nobody can show one origin to us and another to the next in line."""
    twice = Request({"headers": [(b"origin", b"http://localhost:8000"), (b"origin", b"https://evil.example")], "method": "POST"})
    assert twice.header("origin") is None
    assert is_forged(twice, origins())


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", None, "/a\r\nSet-Cookie: x=y"])
def test_a_log_in_never_forwards_to_another_site(target: str | None) -> None:
    """SEC-5"""
    assert safe_next(target) == "/"


def test_a_log_in_forwards_to_where_one_was_going() -> None:
    """SEC-5"""
    assert safe_next("/inbox?open=1") == "/inbox?open=1"
