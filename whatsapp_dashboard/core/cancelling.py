"""Work that a cancellation must not tear in two.

A second one may come while the first is still being answered: a limit within a limit, a person who takes over at the very moment of one, a
stop of the program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def is_being_cancelled() -> bool:
    """Whether the running task is to end. A CancelledError may also come from something it waits for, and then says nothing about it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` to its end, however often the caller is cancelled meanwhile, and only then pass the cancellation on. Raises what ``work``
    raises."""
    task = asyncio.create_task(work)
    cut: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as reason:
            cut = reason
    if cut is not None:
        if not task.cancelled():
            task.exception()  # so that asyncio does not report it as overlooked
        raise cut
    return task.result()


async def cancelled_once(work: Coroutine[Any, Any, T], *, unclaimed: Callable[[T], Coroutine[Any, Any, None]] | None = None) -> T:
    """Do ``work`` in a task of its own that is told of the first cancellation only, so that no second one cuts off its cleaning-up; the
    second ends no more than the waiting for that. A result that nobody takes any more is given to ``unclaimed``. Raises what ``work``
    raises."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancel():
            await asyncio.wait({task})
        if unclaimed and not task.cancelled() and task.exception() is None:
            await to_its_end(unclaimed(task.result()))
        raise
