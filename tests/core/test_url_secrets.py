"""Secrets in addresses are shown to nobody, and text that echoes a secret is masked (SEC-7)."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_dashboard.core.masking import MASK, masked, values_of
from whatsapp_dashboard.core.url_secrets import hidden, origin, restored, shown
from whatsapp_dashboard.errors import Invalid

TOKEN = "Zk7-pQ2wE9rT4yU6iO8a"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://example.org/hook", "https://example.org/hook"),
        ("https://example.org/hook?source=whatsapp&page=2", "https://example.org/hook?source=whatsapp&page=2"),
        (f"https://example.org/hook?token={TOKEN}&page=2", f"https://example.org/hook?token={MASK}&page=2"),
        ("https://example.org/hook?key=abc", f"https://example.org/hook?key={MASK}"),
        ("https://example.org/hook?monkey=abc", "https://example.org/hook?monkey=abc"),
        ("https://example.org/hook?X-Amz-Signature=0a1b", f"https://example.org/hook?X-Amz-Signature={MASK}"),
        ("https://hooks.slack.com/services/T000/B000/aB3dE5fG7hI9jK1lM2nO4pQ6", f"https://hooks.slack.com/services/T000/B000/{MASK}"),
        ("https://n8n.example.org/webhook/7b9f7c4e-13c1-4d0f-9f9b-1a2b3c4d5e6f", f"https://n8n.example.org/webhook/{MASK}"),
        ("https://example.org/docs/whatsapp-business-opening-hours-2026", "https://example.org/docs/whatsapp-business-opening-hours-2026"),
        ("https://example.org/?8f3a9c1b7d5e2f4a6b8c", f"https://example.org/?{MASK}"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, seen: str) -> None:
    """SEC-7: tokens in the query and in the path are masked, what is no secret stays readable; given back, it is the same address."""
    assert shown(url) == seen
    assert shown(seen) == seen
    assert restored(seen, url) == url


def test_a_mask_stands_for_the_stored_secret_on_the_same_server_only() -> None:
    """SEC-7: other parts may change; another scheme, host or port needs the secret again, and a mask for nothing is refused."""
    stored = f"https://example.org/hook/aB3dE5fG7hI9jK1lM2nO?token={TOKEN}&page=2"
    assert restored(f"https://example.org/hook/{MASK}?page=3&token={MASK}", stored) == (
        f"https://example.org/hook/aB3dE5fG7hI9jK1lM2nO?page=3&token={TOKEN}"
    )
    assert restored(f"https://EXAMPLE.org:443/hook?token={MASK}", stored).endswith(f"?token={TOKEN}")
    for other in ("http://example.org", "https://example.org:8443", "https://evil.example", "https://example.org.evil.example"):
        with pytest.raises(Invalid) as caught:
            restored(f"{other}/hook?token={MASK}", stored)
        assert (caught.value.code, caught.value.field) == ("secret_needed", "url")
    for bad in (f"https://example.org/hook?other={MASK}", f"https://example.org/a/b/c/{MASK}"):
        with pytest.raises(Invalid):
            restored(bad, stored)
    with pytest.raises(Invalid):
        restored(f"https://example.org/hook?token={MASK}", "")


def test_servers_are_told_apart() -> None:
    """SEC-7: by scheme, host and port, however they are written."""
    assert origin("https://Example.org/a") == origin("https://example.org:443/b?c=d") == origin("https://example.org./")
    assert len({origin(url) for url in ("https://example.org", "http://example.org", "https://example.org:444", "https://a.org")}) == 4


_SECRETS = st.text("abcXYZ019-_/+=.~%&?#:\"\\ <>'", min_size=8, max_size=60).map(str.strip).filter(lambda text: len(text) >= 8)


@given(_SECRETS, st.integers(0, 5))
def test_a_secret_is_masked_in_every_form_in_which_it_comes_back(secret: str, lead: int) -> None:
    """SEC-7: plain, in capitals, JSON, JSON in JSON, URL-encoded, HTML, hex, base64 by itself and inside a longer text."""
    raw = secret.encode()
    forms = [
        secret, secret.upper(), json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)), quote(secret), quote(secret, safe=""),
        quote_plus(secret), html.escape(secret), raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(b"x" * lead + raw + b"tail").decode(), base64.b64encode(json.dumps({"a": secret}).encode()).decode(),
    ]  # fmt: skip
    for form in forms:
        found = masked(f"<p>{form}</p>", [secret])
        assert form not in found, form
        assert MASK in found, form


def test_a_cut_text_does_not_end_with_the_beginning_of_a_secret() -> None:
    """SEC-7: of an answer only the first bytes are kept; a secret that crosses that edge is masked as well."""
    assert masked("You sent: Zk7-pQ2w", [TOKEN], cut=True) == f"You sent: {MASK}"
    assert masked("You sent: Zk7-pQ2w", [TOKEN]) == "You sent: Zk7-pQ2w"


def test_what_a_header_carries_is_secret_too() -> None:
    """SEC-7: the token without its scheme, and the password of Basic."""
    assert values_of("Bearer abc12345") == ("Bearer abc12345", "abc12345")
    assert "hunter22" in values_of("Basic " + base64.b64encode(b"ana:hunter22").decode())
    assert hidden(f"https://a.org/?token={quote('a b/c+d', safe='')}") == (quote("a b/c+d", safe=""), "a b/c+d")
