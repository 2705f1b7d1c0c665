"""Which deliveries this process works on: claimed by one conditional statement under a claim id, so no two processes have the same.

A claim runs out unless it is renewed; a result counts only while its claim is the valid one (HOOK-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import TextClause, bindparam, exists, or_, select, text, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.process_owner import is_dead, make_owner
from whatsapp_dashboard.core.utc_datetime import UtcDateTime
from whatsapp_dashboard.models import WebhookDelivery, WebhookEvent
from whatsapp_dashboard.webhooks.lanes import Claimed
from whatsapp_dashboard.webhooks.recent import RecentBodies
from whatsapp_dashboard.webhooks.schedule import Probe

log = structlog.get_logger(__name__)

CLAIM_SECONDS = 60.0
RENEW_BELOW_SECONDS = 40.0
_BATCH = 400
_CLAIM_LOCK = 0x574148434C  # "WAHCL": claims of several processes one after the other, for the order within a conversation
_COLUMNS = "id, webhook_id, event_id, event_type, conversation_id, attempts, tries, replays, seq, next_try_at"
_FAR = timedelta(days=3_650)
AT_ONCE = 100
"""Webhooks that one statement looks at, at most: SQLite takes 500 parts."""


class Claims:
    """Claims and gives back deliveries for one process."""

    def __init__(self, db: Database, clock: Clock, recent: RecentBodies | None = None) -> None:
        self._db = db
        self._clock = clock
        self.owner = make_owner()
        self._count = 0
        self._recent = recent or RecentBodies()

    async def take(self, rooms: Mapping[str, int], probes: Mapping[str, Probe] | None = None) -> dict[str, list[Claimed]]:
        """Claim up to so many due deliveries of each webhook (at most :data:`AT_ONCE` webhooks): retries whose time has come first,
        then new ones in the order of their events.

        For the webhooks in ``probes`` a retry need not be due.
        """
        now, probes = self._clock.now(), probes or {}
        rows = await self._look(rooms, probes, now)
        chosen: dict[str, list[Any]] = {}
        # The retries of a webhook first, then the new ones, each in the order of their events.
        for row in sorted(rows, key=lambda row: (_later(row, probes.get(row.webhook_id)), row.seq)):
            mine = chosen.setdefault(row.webhook_id, [])
            if len(mine) < rooms[row.webhook_id]:
                mine.append(row)
        if not chosen:
            return {}
        self._count += 1
        claim_id = f"{self.owner}/{self._count}"
        taken = await self._mark([row.id for mine in chosen.values() for row in mine], claim_id, now)
        bodies = await self._load({row.event_id for mine in chosen.values() for row in mine if row.id in taken})
        found: dict[str, list[Claimed]] = {}
        for webhook_id, mine in chosen.items():
            here = [row for row in mine if row.id in taken and row.event_id in bodies]  # else deleted at this moment
            found[webhook_id] = [_claimed(row, claim_id, bodies[row.event_id]) for row in here]
        return found

    async def due(self, webhooks: Mapping[str, bool]) -> set[str]:
        """Which of these webhooks (True: it is to be probed now) have a delivery that nobody has claimed although its time has come."""
        found: set[str] = set()
        names = list(webhooks)
        for some in (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)):
            probes = {name: Probe.RETRY for name in some if webhooks[name]}
            found |= {row.webhook_id for row in await self._look(dict.fromkeys(some, 1), probes, self._clock.now())}
        return found

    async def _look(self, rooms: Mapping[str, int], probes: Mapping[str, Probe], now: datetime) -> list[Any]:
        """Due deliveries of each webhook: up to so many retries, and as many new ones."""
        found: list[Any] = []
        for oldest in (False, True):
            some = {name: room for name, room in rooms.items() if (probes.get(name) is Probe.OLDEST) is oldest}
            if some:
                async with self._db.read() as session:
                    found += (await session.execute(_due(len(some), oldest=oldest), _parameters(some, probes, now))).all()
        return found

    async def give_back(self, items: Sequence[Claimed]) -> None:
        """Let others have what was claimed and not begun."""
        if not items:
            return
        async with self._db.write() as session:
            for claim_id, ids in _by_claim(items).items():
                mine = update(WebhookDelivery).where(col(WebhookDelivery.id).in_(ids), col(WebhookDelivery.claim_id) == claim_id)
                await session.execute(mine.values(state="pending", claim_id=None, claimed_until=None))

    async def renew(self, held: set[str]) -> None:
        """Prolong claims that would run out soon: their endpoint is slow. Only of deliveries in ``held``, which is what really is under
        way or waits here: a claim that was lost on the way runs out like that of a dead process."""
        now = self._clock.now()
        soon = col(WebhookDelivery.claimed_until) < now + timedelta(seconds=RENEW_BELOW_SECONDS)
        ours = col(WebhookDelivery.claim_id).startswith(self.owner + "/", autoescape=True)
        old = select(col(WebhookDelivery.id)).where(col(WebhookDelivery.state) == "delivering", soon, ours)
        async with self._db.read() as session:
            kept = [ident for ident in await session.scalars(old) if ident in held]
        for some in (kept[start : start + _BATCH] for start in range(0, len(kept), _BATCH)):
            mine = update(WebhookDelivery).where(col(WebhookDelivery.id).in_(some), col(WebhookDelivery.state) == "delivering", ours)
            async with self._db.write() as session:
                await session.execute(mine.values(claimed_until=now + timedelta(seconds=CLAIM_SECONDS)))

    async def retry_now(self) -> None:
        """Whatever waits for a later try is due now."""
        now = self._clock.now()
        async with self._db.write() as session:
            waiting = col(WebhookDelivery.state) == "pending", col(WebhookDelivery.next_try_at) > now
            await session.execute(update(WebhookDelivery).where(*waiting).values(next_try_at=now))

    async def free_expired(self) -> None:
        """Give free what processes hold that died or hang, and what was lost in this one."""
        late = col(WebhookDelivery.claimed_until) < self._clock.now()
        async with self._db.read() as session:
            held = col(WebhookDelivery.state) == "delivering"
            found = list(await session.scalars(select(col(WebhookDelivery.id)).where(held, late).limit(_BATCH)))
        if found:
            log.warning("claims of deliveries ran out; they are taken anew", count=len(found), first=found[0])
            await self._free(late)

    async def free_dead_owners(self) -> None:
        """At the start: free what killed processes of this machine still hold, so that a restart need not wait."""
        async with self._db.read() as session:
            held = select(col(WebhookDelivery.claim_id)).where(col(WebhookDelivery.state) == "delivering").distinct()
            owners = {claim.rpartition("/")[0] for claim in await session.scalars(held) if claim}
        dead = [owner for owner in owners if owner != self.owner and (self._db.is_sqlite or is_dead(owner))]
        if dead:
            await self._free(or_(*(col(WebhookDelivery.claim_id).startswith(owner + "/", autoescape=True) for owner in dead)))

    async def free_own(self) -> None:
        """At the end: give back all that is still claimed."""
        await self._free(col(WebhookDelivery.claim_id).startswith(self.owner + "/", autoescape=True))

    async def _free(self, which: Any) -> None:
        async with self._db.write() as session:
            held = update(WebhookDelivery).where(col(WebhookDelivery.state) == "delivering", which)
            await session.execute(held.values(state="pending", claim_id=None, claimed_until=None))

    async def _mark(self, ids: list[str], claim_id: str, now: datetime) -> set[str]:
        wanted = [col(WebhookDelivery.id).in_(ids), col(WebhookDelivery.state) == "pending"]
        async with self._db.write() as session:
            if not self._db.is_sqlite:
                await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})
                free = select(col(WebhookDelivery.id)).where(*wanted, ~self._another_has_its_conversation())
                wanted = [col(WebhookDelivery.id).in_(free.with_for_update(skip_locked=True))]
            marked = (
                update(WebhookDelivery)
                .where(*wanted)
                .values(state="delivering", claim_id=claim_id, claimed_until=now + timedelta(seconds=CLAIM_SECONDS))
                .returning(col(WebhookDelivery.id))
                .execution_options(synchronize_session=False)
            )
            return set((await session.execute(marked)).scalars())

    def _another_has_its_conversation(self) -> Any:
        other = aliased(WebhookDelivery)
        return exists().where(
            col(other.webhook_id) == col(WebhookDelivery.webhook_id),
            col(other.conversation_id) == col(WebhookDelivery.conversation_id),
            col(other.state) == "delivering",
            ~col(other.claim_id).startswith(self.owner + "/", autoescape=True),
        )

    async def _load(self, event_ids: set[str]) -> dict[str, bytes]:
        found = self._recent.get(event_ids)
        missing = event_ids - found.keys()
        if missing:
            columns = select(col(WebhookEvent.id), col(WebhookEvent.body)).where(col(WebhookEvent.id).in_(missing))
            async with self._db.read() as session:
                read = {ident: body.encode() for ident, body in await session.execute(columns)}
            self._recent.add(read)
            found |= read
        return found


def _claimed(row: Any, claim_id: str, body: bytes) -> Claimed:
    return Claimed(
        id=row.id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        event_type=row.event_type,
        conversation_id=row.conversation_id,
        attempts=row.attempts,
        tries=row.tries,
        replays=row.replays,
        claim_id=claim_id,
        body=body,
    )


def _by_claim(items: Iterable[Claimed]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.claim_id, []).append(item.id)
    return found


def _later(row: Any, probe: Probe | None) -> bool:
    """Whether a delivery comes after those of the other kind: retries go before new ones, unless probed otherwise."""
    return probe is not Probe.OLDEST and (row.next_try_at is None) != (probe is Probe.FRESH)


@lru_cache(maxsize=64)
def _due(many: int, *, oldest: bool = False) -> TextClause:
    """One statement for ``many`` webhooks; each part reads its own index and stops at its limit, except that the ``oldest`` retry is
    looked for among all retries of an endpoint: few fail before it is left alone."""
    order = "seq" if oldest else "next_try_at, seq"
    parts = []
    for n in range(many):
        scope = f"webhook_id = :w{n} AND state = 'pending'"
        retries = f"{scope} AND next_try_at IS NOT NULL AND next_try_at <= :t{n} ORDER BY {order}"
        fresh = f"{scope} AND next_try_at IS NULL ORDER BY seq"
        for which in (retries, fresh):
            part = f"SELECT * FROM (SELECT {_COLUMNS} FROM webhook_delivery WHERE {which} LIMIT :n{n}) AS p"  # noqa: S608 - only numbers
            parts.append(part)
    return text(" UNION ALL ".join(parts)).bindparams(*(bindparam(f"t{n}", type_=UtcDateTime()) for n in range(many)))


def _parameters(rooms: Mapping[str, int], probes: Mapping[str, Probe], now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for n, (webhook_id, room) in enumerate(rooms.items()):
        found[f"w{n}"], found[f"n{n}"] = webhook_id, room
        found[f"t{n}"] = now + _FAR if webhook_id in probes else now
    return found
