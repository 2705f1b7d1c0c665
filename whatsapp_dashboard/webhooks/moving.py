"""What happens to a webhook's secrets when its address changes: they were given for one server, and go to no other (SEC-7, AI-9).

Whoever may change the address could else read what nobody is shown, by aiming it at a server of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.masking import MASK
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.webhooks.views import KEPT

CODE = "secret_needed"


def is_elsewhere(url: str, stored: str) -> bool:
    """Whether ``url`` leads to another server than ``stored``: another scheme, host or port. Raises :class:`Invalid` for a bad URL."""
    return url_secrets.origin(url) != url_secrets.origin(stored)


def leads_elsewhere(typed: str, stored: str) -> bool:
    """As :func:`is_elsewhere`, for a URL that may be half typed: what is no URL leads nowhere else. Masks in it stand for anything."""
    try:
        return is_elsewhere(typed.replace(MASK, "x"), stored.replace(MASK, "x"))
    except Invalid:
        return False


def check_headers_move(headers: Mapping[str, str] | None, stored: Mapping[str, str]) -> None:
    """Raise :class:`Invalid` that names the headers whose values would go along to another server. ``headers`` None: all as they are."""
    given = dict.fromkeys(stored, KEPT) if headers is None else headers
    kept = [name.strip() for name, value in given.items() if value.strip() == KEPT]
    if kept:
        raise Invalid(
            f"The address leads to another server: enter {_the_values(kept)} again, or remove {'it' if len(kept) == 1 else 'them'}.",
            code=CODE,
            field="headers",
        )


def check_secret_moves(changes: Mapping[str, Any], *, has_secret: bool) -> None:
    """Raise :class:`Invalid` when a signing secret would go along: its signatures would tell another server who signs for us."""
    if has_secret and ("secret" not in changes or changes["secret"] == KEPT):
        raise Invalid(
            "The address leads to another server: enter the signing secret again, have a new one made (generate), or remove it.",
            code=CODE,
            field="secret",
        )


def _the_values(names: list[str]) -> str:
    return f"the value of the header {names[0]}" if len(names) == 1 else f"the values of the headers {', '.join(names)}"
