"""The delivery log's filters in the page's address, so that a view can be linked to (HOOK-6)."""

from __future__ import annotations

from collections.abc import Mapping

from whatsapp_dashboard.ui.addresses import address_of, filters_of
from whatsapp_dashboard.ui.times import day
from whatsapp_dashboard.webhooks.views import DeliveryFilters

NAMES = ("state", "event", "webhook", "account", "since", "until")
"""``since`` and ``until`` are days (both inclusive) in the reader's time zone."""


def from_address(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters in the query of the page's address."""
    return filters_of(parameters, NAMES)


def to_address(filters: Mapping[str, str], cursor: str = "") -> str:
    """The address of the page with these filters."""
    return address_of("/webhooks/deliveries", filters, NAMES, cursor)


def to_filters(given: Mapping[str, str], zone: str) -> DeliveryFilters:
    """What the log is asked for. Raises Invalid naming the field."""
    return DeliveryFilters(
        state=given.get("state", ""),
        event_type=given.get("event", ""),
        webhook_id=given.get("webhook", ""),
        account_id=given.get("account", ""),
        since=day(given.get("since", ""), zone, "since"),
        until=day(given.get("until", ""), zone, "until", days=1),
    )
