"""The time zones an operator can choose from."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """Their IANA names. Kept: the library walks through hundreds of files each time it is asked, and settings ask at every read."""
    return frozenset(available_timezones())
