"""The second factor: time-based codes of an authenticator app, each good for once (SEC-3)."""

from __future__ import annotations

import base64
import hmac
import io
from datetime import datetime

import pyotp
import qrcode

from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.models import Operator

ISSUER = "WhatsApp Dashboard"
_STEP_SECONDS = 30
_NEIGHBOURS = (0, -1, 1)


def new_secret() -> str:
    """A secret to share with the authenticator app."""
    return pyotp.random_base32()


def seal(box: SecretBox, operator_id: str, secret: str) -> str:
    """The secret as it is stored."""
    return box.seal(secret.encode(), _place(operator_id))


def accepted_step(box: SecretBox, operator: Operator, code: str, now: datetime) -> int | None:
    """The time step for which ``code`` is right, or None. A step that was used before is not accepted again."""
    if operator.totp_secret is None:
        return None
    code = code.replace(" ", "")
    totp = pyotp.TOTP(box.open(operator.totp_secret, _place(operator.id)).decode())
    current = int(now.timestamp()) // _STEP_SECONDS
    for step in (current + offset for offset in _NEIGHBOURS):
        unused = operator.totp_last_step is None or step > operator.totp_last_step
        if unused and hmac.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode()):
            return step
    return None


def address(secret: str, username: str) -> str:
    """The ``otpauth://`` address an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def qr_data_url(text: str) -> str:
    """A QR code of ``text`` as a PNG data URL."""
    buffer = io.BytesIO()
    qrcode.make(text, box_size=6, border=2).save(buffer)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _place(operator_id: str) -> str:
    return f"operator/totp_secret/{operator_id}"
