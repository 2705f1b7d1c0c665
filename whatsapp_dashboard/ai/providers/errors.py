"""What went wrong with a request to a provider, in one of ten kinds and in words (AI-3).

What went over the wire decides, not how each SDK wraps it. A status 402 and an exhausted balance are ``auth``: like a wrong key, they stay
until a person acts, so the provider is left alone at once.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from whatsapp_dashboard.ai.providers.base import ErrorKind, ProviderError, without_key
from whatsapp_dashboard.core.library_http import Exchange, TooMuch
from whatsapp_dashboard.core.safe_http import NoAnswer, Refused, in_words
from whatsapp_dashboard.errors import Invalid

MAX_WORDS = 300
"""Characters of a provider's own words in a message."""
LONGEST_RETRY = 86_400.0
_NO_CREDIT = re.compile(
    r"insufficient.?(quota|balance|funds|credit)|exceeded your current quota|credit balance|out of credits?|payment required", re.I
)
_BAD_KEY = re.compile(r"api.?key.?(not valid|invalid)|invalid.?api.?key|api_key_invalid|incorrect api key|invalid api token", re.I)
_FILTERED = re.compile(r"content.?(filter|policy|management)|flagged|moderation|safety", re.I)
_RATE = re.compile(r"rate.?limit", re.I)
_BROKEN_CALL = re.compile(r"tool_use_failed|json_validate_failed", re.I)


def from_exchange(exchange: Exchange, title: str, key: str) -> ProviderError | None:
    """The error that the wire tells of; None when a complete answer without an error came."""
    if exchange.trouble is not None:
        return from_trouble(exchange.trouble, title, key)
    if exchange.status is None or exchange.status < 300:
        return None
    return from_status(exchange.status, exchange.headers, exchange.body, title, key)


def from_trouble(trouble: Exception, title: str, key: str) -> ProviderError:
    """A request that got no complete answer."""
    if isinstance(trouble, Refused):
        host = trouble.host if trouble.code == "private_network" else ""
        return ProviderError("blocked_address", without_key(trouble.message, key), host=host)
    if isinstance(trouble, Invalid):
        return ProviderError("invalid", without_key(trouble.message, key))
    if isinstance(trouble, NoAnswer):
        return ProviderError("timeout" if trouble.kind == "timeout" else "network", f"{title}: {trouble.message}")
    if isinstance(trouble, TooMuch):
        return ProviderError("bad_answer", f"{title}: {trouble}")
    if isinstance(trouble, (httpx.TransportError, OSError)):
        return ProviderError("network", f"{title}: {without_key(in_words(trouble)[1], key)}")
    return ProviderError("network", f"{title}: The connection broke ({type(trouble).__name__}).")


def from_status(status: int, headers: Any, body: bytes, title: str, key: str) -> ProviderError:
    """An answer that is an error."""
    said, codes = _said(body)
    kind = _kind(status, said, codes)
    lead = {
        "auth": f"{title} does not accept the key",
        "rate_limited": f"{title} wants fewer requests",
        "unavailable": f"{title} is out of order",
        "refused": f"{title} refused this conversation",
        "bad_answer": f"{title} gave no usable answer",
    }.get(kind, f"{title} did not take the request")
    if kind == "auth" and (status == 402 or _NO_CREDIT.search(f"{said} {codes}")):
        lead = f"The account at {title} has no credit left"
    elif 300 <= status < 400:
        lead = f"{title} redirects elsewhere, which is not followed. Check the address"
    words = clip(without_key(said, key))
    message = f"{lead} ({status}): {words}" if words else f"{lead} ({status})."
    return ProviderError(kind, message, retry_after=_retry_after(headers, body) if status >= 400 else None, status=status)


def clip(text: str) -> str:
    """Somebody else's words in one line of bounded length."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_WORDS else text[: MAX_WORDS - 1].rstrip() + "…"


def _kind(status: int, said: str, codes: str) -> ErrorKind:
    everything = f"{said} {codes}"
    if status < 400:
        return "bad_answer"
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(everything)):
        return "auth"
    if status == 403 and _FILTERED.search(everything):
        return "refused"
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(everything)):
        return "auth"
    if status in (425, 429) or (status in (400, 413) and _RATE.search(codes)):
        return "rate_limited"
    if status == 400 and _FILTERED.search(codes):
        return "refused"
    if status == 400 and _BROKEN_CALL.search(codes):
        return "bad_answer"
    if status in (408, 409, 498) or status >= 500:
        return "unavailable"
    return "invalid"


def _said(body: bytes) -> tuple[str, str]:
    """The sentence and the codes in the body of an error, in whichever of the usual places they are."""
    text = body.decode("utf-8", "replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        return ("" if text[:1] == "<" else text), ""
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return (found if isinstance(found, str) else ""), ""
    inner = found.get("error", found.get("errors"))
    if isinstance(inner, list) and inner:
        inner = inner[0]
    holders = [part for part in (inner, found) if isinstance(part, dict)]
    said = next(
        (value for part in holders for name in ("message", "detail", "error_message", "msg") if (value := _text(part.get(name)))), ""
    )
    said = said or _text(inner)
    codes = " ".join(str(part[name]) for part in holders for name in ("code", "type", "status") if isinstance(part.get(name), str))
    details: list[Any] = next((part["details"] for part in holders if isinstance(part.get("details"), list)), [])
    codes += "".join(f" {detail['reason']}" for detail in details if isinstance(detail, dict) and isinstance(detail.get("reason"), str))
    return said, codes


def _text(value: Any) -> str:
    """The sentence in ``value``: itself, or the messages of a list of complaints about fields."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(str(part.get("msg") or part.get("message") or "") if isinstance(part, dict) else str(part) for part in value[:3])
    if isinstance(value, dict):
        return _text(value.get("message") or value.get("detail"))
    return ""


def _retry_after(headers: Any, body: bytes) -> float | None:
    """Seconds until the provider wants to be asked again: from its headers, in seconds or as a date, or as Gemini puts it in the body."""
    found: float | None = None
    given = {str(name).lower(): value for name, value in dict(headers).items()}
    if (text := given.get("retry-after-ms")) and re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        found = float(text) / 1_000
    elif text := given.get("retry-after"):
        if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
            found = float(text)
        else:
            try:
                at = parsedate_to_datetime(text)
            except (TypeError, ValueError):
                return None
            found = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    elif delay := re.search(rb'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"', body):
        found = float(delay[1])
    return None if found is None else min(max(found, 0.0), LONGEST_RETRY)
