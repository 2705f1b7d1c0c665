"""One at a time per key, in order; different keys in parallel (MSG-5)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from whatsapp_dashboard.core.cancelling import is_being_cancelled

log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[Any]]


class KeyedWorker:
    """Runs jobs; those of one key one after the other. A key's queue exists only while it has work."""

    def __init__(self, name: str, *, parallel: int = 256) -> None:
        self._name = name
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(parallel)
        self._closed = False

    def submit(self, key: str, job: Job) -> None:
        """Queue ``job`` behind the others of ``key``. Ignored once closing: what matters is stored and found at the next start."""
        if self._closed:
            return
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(job)
            return
        self._queues[key] = deque([job])
        task = asyncio.create_task(self._drain(key), name=f"{self._name}:{key}")
        self._tasks.add(task)
        # Here and not in the task, which may be cancelled before its first step.
        task.add_done_callback(lambda ended: self._ended(key, ended))

    @property
    def busy(self) -> int:
        """How many keys have work now."""
        return len(self._queues)

    async def idle(self) -> None:
        """Wait until no key has work."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self, seconds: float) -> None:
        """Take no new jobs, give the running ones ``seconds`` to end, then cancel them."""
        self._closed = True
        for queue in self._queues.values():
            while len(queue) > 1:  # the first one is running
                queue.pop()
        if self._tasks:
            _, running = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _drain(self, key: str) -> None:
        queue = self._queues[key]
        while queue:
            async with self._slots:
                try:
                    await queue[0]()
                except asyncio.CancelledError:
                    if is_being_cancelled():
                        raise
                    # Something the job waited for was cancelled, not this worker: the key's other jobs are still to be done.
                    log.exception("job failed: what it waited for was cancelled", worker=self._name, key=key)
                except Exception:
                    log.exception("job failed", worker=self._name, key=key)
            queue.popleft()
        del self._queues[key]  # in the same step as the last look: what is submitted from now on begins anew

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is not None:
            self._queues.pop(key, None)
