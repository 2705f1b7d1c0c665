"""How long to wait before the next try to reconnect (ACC-5)."""

from __future__ import annotations

import random

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0
REPLACED_SECONDS = 30.0
"""After another client took the session over: reconnecting at once would start a tug of war."""


def reconnect_delay(attempt: int, *, pick: random.Random | None = None) -> float:
    """Seconds before try number ``attempt`` (from 1): doubling from 1 s to 5 min, the upper half of it at random, so that
    many accounts do not come back in the same moment."""
    ceiling = min(FIRST_SECONDS * 2.0 ** min(attempt - 1, 20), LONGEST_SECONDS)
    return ceiling * (0.5 + 0.5 * (pick or random).random())
