"""What was answered to requests under a key, for those who ask again because the answer got lost (API-5)."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from whatsapp_dashboard.core import once
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import CryptoError, SecretBox
from whatsapp_dashboard.core.db import Database, insert_ignore
from whatsapp_dashboard.errors import Conflict, Invalid, Unavailable
from whatsapp_dashboard.models import RequestKey

KEPT = timedelta(days=7)
"""How long a key is remembered; that of a message or note for as long as there is the message or note."""
MOST_KEYS = 10_000
"""Per operator; more would let one fill the disk."""
LONGEST_ANSWER = 200_000
"""Characters of an answer that is kept."""
PATIENCE = 10.0
"""Seconds in which the first request under a key is waited for."""
TOLD_ONCE = frozenset({"secret", "password"})
"""Members of an answer that are told once and never again."""


class RequestKeys:
    """The keys of requests that have had their effect, and the answers to them."""

    def __init__(self, db: Database, clock: Clock, box: SecretBox) -> None:
        self._db = db
        self._clock = clock
        self._box = box

    def begin(self, operator_id: str, key: str, what: str, digest: str = "") -> once.Request:
        """A request to run :func:`core.once.under`. Raises :class:`Invalid` for a key that cannot be."""
        if not 1 <= len(key) <= once.MAX_KEY:
            raise Invalid(f"An idempotency key has 1 to {once.MAX_KEY} characters.", field="idempotency_key")
        return once.Request(operator_id, key, what, digest)

    async def earlier(self, request: once.Request, *, sure: bool = False) -> tuple[int, Any] | None:
        """Status and body of the answer to an earlier request under the same key, None when there was none; with ``sure`` there is one that
        may not be on disk yet. Raises :class:`Conflict` when the key was for something else, and DoneBefore when its answer was lost."""
        until = self._clock.monotonic() + PATIENCE
        while True:
            async with self._db.read() as session:
                row = await session.scalar(
                    select(RequestKey).where(col(RequestKey.operator_id) == request.operator_id, col(RequestKey.key) == request.key)
                )
            if row is None and not sure:
                return None
            if row and (row.what, row.digest) != (request.what, request.digest):
                raise Conflict("This idempotency key was used for another request.", code="idempotency_key_reused", field="idempotency_key")
            if row and row.answer is not None:
                return row.status or 200, self._open(row)
            if self._clock.monotonic() > until:
                raise once.DoneBefore if row else Unavailable("Another request under this key was under way and came to nothing.", after=1)
            await asyncio.sleep(0.05)  # the first one has had its effect, and is answered any moment

    async def keep(self, request: once.Request, status: int, body: Any) -> None:
        """Remember the answer; a key whose request wrote nothing is remembered with it."""
        text = json.dumps(_without_secrets(body))
        sealed = self._box.seal(text.encode() if len(text) <= LONGEST_ANSWER else b"null", f"request_key/answer/{request.id}")
        async with self._db.write() as session:
            if not request.stored:
                values = {"operator_id": request.operator_id, "key": request.key, "what": request.what, "digest": request.digest}
                await session.execute(insert_ignore(session, RequestKey).values(id=request.id, **values, created_at=self._clock.now()))
            await session.execute(update(RequestKey).where(col(RequestKey.id) == request.id).values(status=status, answer=sealed))

    async def sweep(self) -> None:
        """Forget what is old, and the oldest of who has too many."""
        async with self._db.write() as session:
            await session.execute(delete(RequestKey).where(col(RequestKey.created_at) < self._clock.now() - KEPT))
            counts = select(col(RequestKey.operator_id)).group_by(col(RequestKey.operator_id)).having(func.count() > MOST_KEYS)
            for operator_id in (await session.scalars(counts)).all():
                newest = select(col(RequestKey.id)).where(col(RequestKey.operator_id) == operator_id)
                oldest = await session.scalar(newest.order_by(col(RequestKey.id).desc()).offset(MOST_KEYS).limit(1))
                mine = col(RequestKey.operator_id) == operator_id
                await session.execute(delete(RequestKey).where(mine, col(RequestKey.id) <= oldest))

    def _open(self, row: RequestKey) -> Any:
        try:
            return json.loads(self._box.open(row.answer or "", f"request_key/answer/{row.id}"))
        except CryptoError:
            raise once.DoneBefore from None


def _without_secrets(body: Any) -> Any:
    """``body`` with what is told once taken out."""
    if isinstance(body, dict):
        return {name: None if name in TOLD_ONCE and isinstance(value, str) else _without_secrets(value) for name, value in body.items()}
    return [_without_secrets(each) for each in body] if isinstance(body, list) else body
