"""Signatures are what the standards and the documentation say (HOOK-3)."""

from __future__ import annotations

import base64

import pytest
from standardwebhooks import Webhook as StockWebhook
from standardwebhooks.webhooks import WebhookVerificationError

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.webhooks.signing import (
    body_signature,
    check_secret,
    new_secret,
    signature_headers,
    standard_signature,
    stock_secret,
)

BODY = '{"event":"message","data":{"body":"Señora 👋"}}'.encode()


def test_the_example_of_the_standard_comes_out() -> None:
    """The vector that the libraries of Standard Webhooks test themselves with."""
    signature = standard_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_plain_signature_is_the_hmac_of_the_raw_body() -> None:
    """RFC 4231, test case 2."""
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert body_signature("Jefe", b"what do ya want for nothing?") == expected


@pytest.mark.parametrize("secret", [new_secret(), "a secret of my own", "pässwörd-with-umlauts"], ids=["made", "own", "umlauts"])
def test_the_stock_library_verifies_every_kind_of_secret(secret: str) -> None:
    """One's own text is given to the library as ``whsec_`` and its base64."""
    headers = signature_headers((secret,), "evt_1", int(Clock().now().timestamp()), BODY)
    stock = StockWebhook(stock_secret(secret))
    stock.verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        stock.verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        stock.verify(BODY, headers | {"webhook-id": "evt_2"})
    old = signature_headers((secret,), "evt_1", int(Clock().now().timestamp()) - 3_600, BODY)
    with pytest.raises(WebhookVerificationError):
        stock.verify(BODY, old)


def test_without_a_secret_nothing_is_signed_but_the_id_is_there() -> None:
    """Receivers deduplicate by it."""
    assert signature_headers((), "evt_1", 1, BODY) == {"webhook-id": "evt_1", "webhook-timestamp": "1"}


@pytest.mark.parametrize("bad", ["", "short", "x" * 201, "whsec_not base64!", "line\nbreak in it"])
def test_a_secret_no_receiver_could_use_is_refused(bad: str) -> None:
    """Each with a sentence."""
    with pytest.raises(Invalid) as refused:
        check_secret(bad)
    assert refused.value.field == "secret"


def test_a_new_secret_has_32_random_bytes() -> None:
    """The upper half of what the standard asks for (24 to 64)."""
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32
    assert new_secret() != new_secret()
