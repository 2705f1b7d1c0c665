"""Waiting for what must happen. Tests judge by events, never by seconds: how long something takes depends on what else the machine does."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""How many seconds a test waits for what must happen; only a failing test waits so long."""


async def until(
    look: Callable[[], Awaitable[T] | T], fits: Callable[[T], object] = bool, *, seconds: float = PATIENCE, pause: float = 0.02
) -> T:
    """Look again and again until what is seen ``fits`` (is true, unless told otherwise), and return that. Raises AssertionError after
    ``seconds``: what was waited for, and what was seen last."""
    found: Any = "nothing: the first look has not ended"
    try:
        async with asyncio.timeout(seconds) as limit:
            while True:
                seen = look()
                found = await seen if inspect.isawaitable(seen) else seen
                if fits(found):
                    return found
                await asyncio.sleep(pause)
    except TimeoutError:
        if not limit.expired():
            raise  # the look's own
        raise AssertionError(_in_vain(look, seconds, found)) from None


def block_until(look: Callable[[], T], *, seconds: float = PATIENCE, pause: float = 0.02) -> T:
    """Look again and again until what is seen is true, and return that: for tests without an event loop."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(_in_vain(look, seconds, found))
        time.sleep(pause)
    return found


def _in_vain(look: Callable[[], Any], seconds: float, found: Any) -> str:
    return f"waited {seconds:g} s in vain for {getattr(look, '__qualname__', look)}; seen last: {found!r}"
