"""Signatures of deliveries, both ways: the plain HMAC of the body, and Standard Webhooks (HOOK-3).

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from whatsapp_dashboard.errors import Invalid

PREFIX = "whsec_"
MIN_SECRET, MAX_SECRET = 8, 200
_KEY_BYTES = 32


def new_secret() -> str:
    """A fresh secret, in the form stock libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def check_secret(secret: str) -> str:
    """``secret`` as it is kept. Raises :class:`Invalid` for one that receivers could not use."""
    secret = secret.strip()
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise Invalid(f"A secret has {MIN_SECRET} to {MAX_SECRET} characters.", field="secret")
    if not secret.isprintable():
        raise Invalid("A secret has no line breaks and no control characters.", field="secret")
    if secret.startswith(PREFIX):
        try:
            base64.b64decode(secret[len(PREFIX) :], validate=True)
        except (ValueError, binascii.Error):
            raise Invalid(f"After {PREFIX} a secret is base64. Leave {PREFIX} away to use other text.", field="secret") from None
    return secret


def stock_secret(secret: str) -> str:
    """``secret`` as a stock Standard Webhooks library takes it."""
    return secret if secret.startswith(PREFIX) else PREFIX + base64.b64encode(secret.encode()).decode()


def body_signature(secret: str, body: bytes) -> str:
    """``sha256=<hex>``: the HMAC of the raw body under the secret as it is written."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """``v1,<base64>``: the HMAC of id, time (seconds) and body."""
    key = base64.b64decode(stock_secret(secret)[len(PREFIX) :])
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signature_headers(secrets_now: Sequence[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that identify and sign a delivery. ``secrets_now`` is empty, the secret, or the secret and the one before it."""
    headers = {"webhook-id": event_id, "webhook-timestamp": str(timestamp)}
    if secrets_now:
        headers["webhook-signature"] = " ".join(standard_signature(secret, event_id, timestamp, body) for secret in secrets_now)
        for name, secret in zip(("X-Webhook-Signature", "X-Webhook-Signature-Previous"), secrets_now, strict=False):
            headers[name] = body_signature(secret, body)
    return headers
