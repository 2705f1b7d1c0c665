"""What operators may set on a webhook, checked; each error names its field and says what to do (HOOK-1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.webhooks.payloads import EVENT_MODELS
from whatsapp_dashboard.webhooks.views import KEPT

MAX_NAME = 255
MAX_HEADERS = 20
MAX_HEADER_NAME, MAX_HEADER_VALUE = 100, 4_000
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_OURS = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ]
)
_OUR_PREFIXES = ("webhook-", "x-webhook-", "proxy-")


def check_name(name: str) -> str:
    """The name, trimmed."""
    name = name.strip()
    if len(name) > MAX_NAME:
        raise Invalid(f"A name has at most {MAX_NAME} characters.", field="name")
    return name


def check_events(events: Iterable[str]) -> list[str]:
    """The event types in the order of the documentation, each once."""
    wanted = set(events)
    unknown = sorted(wanted - EVENT_MODELS.keys())
    if unknown:
        raise Invalid(f"There is no event “{unknown[0][:64]}”. Choose from: {', '.join(EVENT_MODELS)}.", field="events")
    if not wanted:
        raise Invalid("Choose at least one event.", field="events")
    return [name for name in EVENT_MODELS if name in wanted]


def check_headers(headers: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Custom headers; a value of ``KEPT`` is taken from ``stored``."""
    if len(headers) > MAX_HEADERS:
        raise Invalid(f"A webhook has at most {MAX_HEADERS} custom headers.", field="headers")
    known = {name.lower(): value for name, value in stored.items()}
    found: dict[str, str] = {}
    for given, content in headers.items():
        name = given.strip()
        lower = name.lower()
        if not _TOKEN.match(name) or len(name) > MAX_HEADER_NAME:
            raise Invalid(f"“{name[:40]}” is not the name of a header: use letters, digits and hyphens.", field="headers")
        if lower in _OURS or lower.startswith(_OUR_PREFIXES):
            raise Invalid(f"The header {name} is set by the dashboard; choose another one.", field="headers")
        if lower in {other.lower() for other in found}:
            raise Invalid(f"The header {name} is there twice.", field="headers")
        value = content.strip()
        if value == KEPT:
            if lower not in known:
                raise Invalid(f"The header {name} has no stored value; enter one.", field="headers")
            value = known[lower]
        if len(value) > MAX_HEADER_VALUE or not value.isascii() or not value.isprintable():
            raise Invalid(f"The value of {name} has at most {MAX_HEADER_VALUE} plain ASCII characters and no line breaks.", field="headers")
        found[name] = value
    return found
