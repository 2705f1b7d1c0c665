"""Login sessions: issued, checked, rolled, listed, ended (SEC-2)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.models import LoginSession, Operator

LIFETIME = timedelta(hours=24)
"""A session ends this long after its last use."""
ROLL_AFTER = timedelta(minutes=5)
"""How much of the lifetime may be used up before the row is written again."""
CACHE_SECONDS = 1.0
"""How long a checked session is believed; ending one in this process is seen at once all the same."""
BROWSER = "browser"
TOKEN = "token"  # noqa: S105  (a kind of session, no secret)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as its owner sees it in the list."""

    id: str
    kind: str
    user_agent: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Issued:
    """A new session. ``token`` is the secret; it exists only here and in the browser's cookie."""

    token: str
    session_id: str
    principal: Principal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Checked:
    principal: Principal
    kind: str
    user_agent: str
    token_hash: str
    expires_at: datetime
    last_seen_at: datetime
    at: float


class Sessions:
    """The login sessions of all operators."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._cache: dict[str, _Checked] = {}
        self._ids: dict[str, str] = {}
        self._generation = 0
        self.on_ended: list[Callable[[set[str]], None]] = []
        """Called with the ids of sessions that have just ended, so that their sockets are closed."""

    async def issue(self, session: AsyncSession, operator: Operator, *, kind: str, ip: str, user_agent: str) -> Issued:
        """Make a session in this write. Each log-in gets a new secret, so a planted one is worth nothing (fixation)."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        row = LoginSession(
            operator_id=operator.id,
            token_hash=_hash(token),
            kind=kind,
            user_agent=user_agent[:512],
            ip=ip[:64],
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
        )
        session.add(row)
        await session.flush()
        return Issued(token, row.id, _principal(operator, row.id), row.expires_at)

    async def by_token(self, token: str, user_agent: str) -> Principal | None:
        """Who holds this cookie, or None. The cookie works only in the browser it was given to."""
        hashed = _hash(token)
        session_id = self._ids.get(hashed)
        found = self._cached(session_id) if session_id else None
        if found is None:
            found = await self._read(col(LoginSession.token_hash) == hashed)
        if found is None or found.kind != BROWSER or found.user_agent != user_agent[:512]:
            return None
        await self._roll(found)
        return found.principal

    async def by_id(self, session_id: str, *, roll: bool = True) -> Principal | None:
        """Who the session belongs to, or None when it has ended. ``roll`` counts this look as use."""
        found = self._cached(session_id) or await self._read(col(LoginSession.id) == session_id)
        if found is None:
            return None
        if roll:
            await self._roll(found)
        return found.principal

    async def of_operator(self, operator_id: str, current: str) -> list[SessionInfo]:
        """The running sessions of one operator, newest use first."""
        async with self._db.read() as session:
            rows = await session.scalars(
                select(LoginSession)
                .where(col(LoginSession.operator_id) == operator_id, col(LoginSession.expires_at) > self._clock.now())
                .order_by(col(LoginSession.last_seen_at).desc())
            )
            return [SessionInfo(r.id, r.kind, r.user_agent, r.ip, r.created_at, r.last_seen_at, r.id == current) for r in rows]

    async def end(self, *conditions: ColumnElement[bool]) -> set[str]:
        """End every session that matches all ``conditions`` on :class:`LoginSession`; returns their ids."""
        async with self._db.write() as session:
            ended = set(await session.scalars(delete(LoginSession).where(*conditions).returning(col(LoginSession.id))))
        self.forget(ended)
        for listener in self.on_ended if ended else ():
            listener(ended)
        return ended

    async def prune(self) -> None:
        """End the sessions whose time is over."""
        await self.end(col(LoginSession.expires_at) <= self._clock.now())

    def forget(self, session_ids: Iterable[str] | None = None) -> None:
        """Believe nothing about these sessions (or any) that was read before this moment."""
        self._generation += 1
        if session_ids is None:
            self._cache.clear()
            self._ids.clear()
            return
        for session_id in session_ids:
            dropped = self._cache.pop(session_id, None)
            if dropped:
                self._ids.pop(dropped.token_hash, None)

    def _cached(self, session_id: str) -> _Checked | None:
        found = self._cache.get(session_id)
        fresh = found is not None and self._clock.monotonic() - found.at < CACHE_SECONDS
        return found if found is not None and fresh and found.expires_at > self._clock.now() else None

    async def _read(self, condition: ColumnElement[bool]) -> _Checked | None:
        generation = self._generation
        async with self._db.read() as session:
            result = await session.execute(
                select(LoginSession, Operator)
                .join(Operator, col(Operator.id) == col(LoginSession.operator_id))
                .where(
                    condition,
                    col(LoginSession.expires_at) > self._clock.now(),
                    col(Operator.disabled).is_(False),
                )
            )
            pair = result.one_or_none()
        if pair is None or generation != self._generation:
            # Something ended while we were reading: what was read may be about it, so it is neither kept nor believed.
            return None if pair is None else await self._read(condition)
        row, operator = pair
        found = _Checked(
            _principal(operator, row.id),
            row.kind,
            row.user_agent,
            row.token_hash,
            row.expires_at,
            row.last_seen_at,
            self._clock.monotonic(),
        )
        if len(self._cache) > 10_000:
            self.forget()
        self._cache[row.id] = found
        self._ids[row.token_hash] = row.id
        return found

    async def _roll(self, found: _Checked) -> None:
        now = self._clock.now()
        if now - found.last_seen_at < ROLL_AFTER:
            return
        async with self._db.write() as session:
            await session.execute(
                update(LoginSession)
                .where(col(LoginSession.id) == found.principal.session_id)
                .values(last_seen_at=now, expires_at=now + LIFETIME)
            )
        self.forget([found.principal.session_id])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _principal(operator: Operator, session_id: str) -> Principal:
    return Principal(operator.id, operator.workspace_id, operator.username, Role(operator.role), session_id)
