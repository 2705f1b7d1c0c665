"""Asks the dashboard, again and again, while it is in trouble."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

ANSWER_SECONDS = 35
"""Nobody waits longer for an answer."""
PAUSE = 0.5


@dataclass
class Seen:
    """One answer; status 0: none."""

    at: float
    what: str
    status: int
    seconds: float
    retry_after: str
    detail: str


@dataclass
class Watch:
    """An orchestrator that asks for health, a client that reads, and a client that sends."""

    api: httpx.AsyncClient
    account_id: str
    number: str
    seen: list[Seen] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    """Texts that the API said it has."""
    refused: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for look in (self._health, self._read, self._send):
                tasks.create_task(self._again(look))

    async def _again(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await look()
            await asyncio.sleep(PAUSE)

    async def _health(self) -> None:
        await self._ask("GET", "/health/ready")

    async def _read(self) -> None:
        await self._ask("GET", f"/api/accounts/{self.account_id}/messages?limit=1")

    async def _send(self) -> None:
        said = f"sent {len(self.accepted) + len(self.refused)}"
        body = {"account_id": self.account_id, "number": self.number, "message": said}
        status = await self._ask("POST", "/api/messages/send", json=body)
        (self.accepted if status == 202 else self.refused).append(said)

    async def _ask(self, method: str, path: str, **given: Any) -> int:
        began = time.monotonic()
        try:
            answer = await self.api.request(method, path, timeout=ANSWER_SECONDS + 25, **given)
        except httpx.HTTPError as error:
            self.seen.append(Seen(began, path, 0, time.monotonic() - began, "", repr(error)))
            return 0
        after, took = answer.headers.get("retry-after", ""), time.monotonic() - began
        self.seen.append(Seen(began, path, answer.status_code, took, after, answer.text[:200]))
        return answer.status_code

    def not_ready(self) -> bool:
        """Whether the program itself has said so."""
        return any(seen.what == "/health/ready" and seen.status == 503 for seen in self.seen)

    def check(self, *, writable: bool) -> str:
        """What was answered was the truth, and came in time. Returns the figures."""
        slow = [seen for seen in self.seen if seen.seconds > ANSWER_SECONDS]
        assert not slow, slow[:3]
        api = [seen for seen in self.seen if seen.what.startswith("/api")]
        wrong = [seen for seen in api if seen.status not in (200, 202, 503) or (seen.status == 503 and not seen.retry_after)]
        assert not wrong, f"{Counter(seen.status for seen in wrong)}, {wrong[0]}"
        health = [seen for seen in self.seen if seen.what == "/health/ready"]
        assert {seen.status for seen in health} <= {200, 503}, health
        assert writable or self.not_ready(), "it says that it is ready, and can write nothing"
        return ", ".join(f"{number} x {status}" for status, number in sorted(Counter(seen.status for seen in api).items()))
