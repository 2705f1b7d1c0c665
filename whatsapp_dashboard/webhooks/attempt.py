"""One request to an endpoint, and what came back (HOOK-3, HOOK-4)."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

import structlog

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.masking import masked
from whatsapp_dashboard.core.outgoing import Outgoing
from whatsapp_dashboard.core.safe_http import NoAnswer, Refused
from whatsapp_dashboard.text import clean, clean_all
from whatsapp_dashboard.webhooks.endpoints import Endpoint
from whatsapp_dashboard.webhooks.schedule import retry_after
from whatsapp_dashboard.webhooks.signing import signature_headers
from whatsapp_dashboard.webhooks.views import KEPT

log = structlog.get_logger(__name__)

SECONDS = 10.0
"""An answer that is not there by then is a failure."""
BODY_LIMIT = 4_096
"""Bytes of an answer that are read and kept."""
ERROR_LENGTH = 500
_HEADERS_KEPT, _HEADER_LENGTH = 50, 1_000
_UNREACHED = frozenset({"refused", "dns"})


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: one event for one endpoint. ``number`` counts its attempts from 1."""

    event_id: str
    event_type: str
    delivery_id: str
    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went."""

    started_at: datetime
    ms: int
    succeeded: bool
    status: int | None = None
    error: str = ""
    address: str = ""
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""
    response_truncated: bool = False
    retry_after: float | None = None
    """Seconds the endpoint asked us to wait."""
    unreached: bool = False
    """Whether nobody took the connection: what was sent cannot be the reason."""


async def attempt(http: Outgoing, clock: Clock, endpoint: Endpoint, letter: Letter) -> Outcome:
    """Send ``letter`` once. Whatever goes wrong is an outcome, never an exception."""
    began, tick = clock.now(), clock.monotonic()
    ours = {
        "Content-Type": "application/json",
        "X-Webhook-Event": letter.event_type,
        "X-Webhook-Delivery": letter.delivery_id,
        "X-Webhook-Attempt": str(letter.number),
        **signature_headers(endpoint.secrets(began), letter.event_id, int(began.timestamp()), letter.body),
    }
    private = endpoint.private
    shown = ours | dict.fromkeys((name for name, _ in endpoint.headers), KEPT)

    def failed(error: str, address: str = "", *, unreached: bool = False) -> Outcome:
        ms = int((clock.monotonic() - tick) * 1_000)
        error = masked(clean(error), private)[:ERROR_LENGTH]
        return Outcome(began, ms, succeeded=False, error=error, address=address, request_headers=shown, unreached=unreached)

    try:
        answer = await http.of(endpoint.workspace_id).request(
            "POST", endpoint.url, headers=[*endpoint.headers, *ours.items()], content=letter.body, seconds=SECONDS, body_limit=BODY_LIMIT
        )
    except NoAnswer as reason:
        return failed(reason.message, reason.address, unreached=reason.kind in _UNREACHED)
    except Refused as reason:
        return failed(reason.message, reason.address)
    except Exception as fault:
        # No traceback: the words of a library may hold a header's value.
        words = masked(repr(fault), private)[:ERROR_LENGTH]
        where = {"webhook_id": endpoint.webhook_id, "delivery_id": letter.delivery_id}
        log.error("a delivery failed for a reason of our own", fault=words, at=_lines_of(fault), **where)
        return failed("The request could not be made; the dashboard's log says why.")
    headers = {name.lower(): value for name, value in answer.headers}
    good = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    return Outcome(
        started_at=began,
        ms=answer.ms,
        succeeded=good,
        status=answer.status,
        error="" if good else f"The endpoint answered {_named(answer.status)}.",
        address=answer.address,
        request_headers=shown,
        response_headers=_kept(answer.headers, private),
        response_body=masked(_text(answer.body), private, cut=answer.truncated),
        response_truncated=answer.truncated,
        retry_after=None if good else retry_after(headers, clock.now()),
    )


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _lines_of(fault: BaseException) -> str:
    """Where it was raised, innermost last."""
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)[-8:])


def _kept(headers: list[tuple[str, str]], private: tuple[str, ...]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in clean_all(headers[:_HEADERS_KEPT]):
        shown = masked(name, private)  # some endpoints answer with a header named by what they got
        kept[shown] = (f"{kept[shown]}, " if shown in kept else "") + masked(value, private)[:_HEADER_LENGTH]
    return kept


def _text(body: bytes) -> str:
    return clean(body.decode(errors="replace"))
