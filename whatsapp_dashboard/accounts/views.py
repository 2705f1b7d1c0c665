"""What pages and the API see of an account."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import datetime

import qrcode

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.engines.base import Capability


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """One engine an account may use."""

    name: str
    title: str
    summary: str
    capabilities: frozenset[Capability]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account with all that its row on the page shows (ACC-7)."""

    id: str
    workspace_id: str
    name: str
    description: str
    engine: str
    engine_title: str
    capabilities: frozenset[Capability]
    status: AccountStatus
    status_reason: str
    status_code: str
    status_changed_at: datetime
    wanted: bool
    linked: bool
    phone: str | None
    push_name: str
    platform: str
    linked_at: datetime | None
    connected_since: datetime | None
    last_inbound_at: datetime | None
    last_receipt_at: datetime | None
    last_proof_at: datetime | None
    attempt: int
    next_attempt_at: datetime | None
    gap_started_at: datetime | None
    gap_ended_at: datetime | None
    restricted_until: datetime | None
    restriction: str
    messages_24h: int
    settings: AccountSettings
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QrView:
    """A QR to scan: the raw text, and a PNG as a data URL (ACC-3)."""

    text: str
    data_url: str
    issued_at: datetime
    expires_at: datetime
    last: bool


@dataclass(frozen=True, slots=True)
class PairingView:
    """The code to type on the phone: ``number`` (digits) is whose, ``other`` what the digits that were given could have meant as well."""

    code: str
    expires_at: datetime
    number: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Losses:
    """What deleting an account takes with it."""

    conversations: int
    messages: int
    media: int
    queued: int


def qr_png(text: str) -> bytes:
    """The QR of ``text`` as a PNG image."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, box_size=8, border=4)
    code.add_data(text)
    buffer = io.BytesIO()
    code.make_image(fill_color="black", back_color="white").save(buffer, format="PNG")
    return buffer.getvalue()


def qr_data_url(text: str) -> str:
    """The QR of ``text`` as a data URL a page can show."""
    return "data:image/png;base64," + base64.b64encode(qr_png(text)).decode()
