"""Cancellations that come at a bad moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


async def cancel_twice(task: asyncio.Task[Any], turns: int) -> None:
    """Cancel ``task``, and again ``turns`` turns of the loop later; wait until it has ended so."""
    task.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
