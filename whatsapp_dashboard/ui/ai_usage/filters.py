"""The usage page's filters in its address, so that a view can be linked to (AI-6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_dashboard.ai.views import CallFilters
from whatsapp_dashboard.ui.addresses import address_of, filters_of

NAMES = ("days", "account", "outcome", "purpose", "provider")
DAYS = {"7": "7 days", "30": "30 days", "90": "90 days"}
USUAL_DAYS = "30"
OUTCOMES = {"ok": "Answered", "failed": "Failed"}
PURPOSES = {"reply": "Replies", "try": "Tried", "test": "Tests"}


def from_address(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters in the query of the page's address; what is not known is dropped."""
    found = filters_of(parameters, NAMES)
    for name, known in (("days", DAYS), ("outcome", OUTCOMES), ("purpose", PURPOSES)):
        if found.get(name) not in known:
            found.pop(name, None)
    return found


def to_address(filters: Mapping[str, str], cursor: str = "") -> str:
    """The address of the page with these filters."""
    return address_of("/ai-usage", filters, NAMES, cursor)


def to_filters(given: Mapping[str, str]) -> CallFilters:
    """What the log is asked for."""
    known: dict[str, Any] = {"outcome": given.get("outcome", ""), "purpose": given.get("purpose", "")}
    return CallFilters(account_id=given.get("account", ""), provider_kind=given.get("provider", ""), **known)


def days_of(given: Mapping[str, str]) -> int:
    """How many days the figures cover."""
    return int(given.get("days", USUAL_DAYS))
