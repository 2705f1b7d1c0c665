"""Claims: one owner per delivery at any time, over processes, crashes and time (HOOK-4, DUR-4)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from tests.support.waiting import PATIENCE
from tests.webhooks.conftest import House
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.webhooks.attempt import Outcome
from whatsapp_dashboard.webhooks.claims import CLAIM_SECONDS, Claims
from whatsapp_dashboard.webhooks.lanes import Claimed
from whatsapp_dashboard.webhooks.settling import Settled, settle

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 3
CONVERSATIONS, EACH = 20, 15


async def test_several_processes_never_have_the_same_delivery_and_keep_the_order(postgres_url: str, house_on_postgres: House) -> None:
    """HOOK-4: on PostgreSQL processes share the work; each delivery is claimed once, each conversation in its order."""
    house = house_on_postgres
    await house.fan_out.start()
    hook = await house.hook(house.receivers.url("accept", "a"))
    conversations = [new_id() for _ in range(CONVERSATIONS)]
    for number in range(EACH):
        for conversation in conversations:
            await house.happens(f"{number:03d}", conversation_id=conversation)
    await house.until(pending=CONVERSATIONS * EACH)
    await house.fan_out.stop()
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.webhooks.claimer", postgres_url, hook.id, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    merged: list[tuple[float, list[str]]] = []

    async def read(process: asyncio.subprocess.Process) -> int:
        count = 0
        assert process.stdout is not None
        while line := await process.stdout.readline():
            merged.append((asyncio.get_running_loop().time(), line.decode().split(" ", 2)))
            count += 1
        return count

    async with asyncio.timeout(PATIENCE):
        shares = await asyncio.gather(*(read(process) for process in running))
        assert [await process.wait() for process in running] == [0] * PROCESSES
    counted = Counter(fields[0] for _, fields in merged)
    assert len(counted) == CONVERSATIONS * EACH
    assert set(counted.values()) == {1}, "no delivery was claimed twice"
    assert sum(share > 0 for share in shares) > 1, "the work was shared"
    order: defaultdict[str, list[str]] = defaultdict(list)
    for _, (_, conversation, body) in merged:
        order[conversation].append(json.loads(body)["data"]["body"])
    assert all(texts == sorted(texts) for texts in order.values())


async def test_a_result_with_a_stale_claim_changes_nothing(house: House) -> None:
    """HOOK-4: whoever held a delivery for too long and lost it cannot decide about it any more."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    await house.happens()
    await house.until(pending=1)
    slow, quick = Claims(house.db, house.clock), Claims(house.db, house.clock)
    (stale,) = await _take(slow, hook.id)
    assert await _take(quick, hook.id) == [], "it has an owner"
    await house.clock.advance(CLAIM_SECONDS + 1)
    await quick.free_expired()
    (valid,) = await _take(quick, hook.id)
    for outcome in (_outcome(house, succeeded=True), _outcome(house, succeeded=False)):
        await _settle(house, stale, outcome)
        (row,) = await house.delivery_rows()
        assert (row.state, row.claim_id, row.attempts) == ("delivering", valid.claim_id, 0)
    await slow.give_back([stale])
    (row,) = await house.delivery_rows()
    assert row.claim_id == valid.claim_id
    await _settle(house, valid, _outcome(house, succeeded=True))
    (row,) = await house.delivery_rows()
    assert (row.state, row.attempts) == ("succeeded", 1)


async def test_a_claim_is_renewed_while_its_owner_lives(house: House) -> None:
    """HOOK-4: a slow endpoint does not lose its deliveries to another process."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    await house.happens()
    await house.until(pending=1)
    mine, other = Claims(house.db, house.clock), Claims(house.db, house.clock)
    taken = await _take(mine, hook.id)
    for _ in range(5):
        await house.clock.advance(CLAIM_SECONDS / 2)
        await mine.renew({item.id for item in taken})
        await other.free_expired()
        assert await _take(other, hook.id) == []


async def test_what_a_killed_process_held_is_free_at_the_next_start(house: House) -> None:
    """DUR-4: at once on the same machine, without waiting for the claim to run out."""
    hook = await house.hook(house.receivers.url("accept", "a"))
    await house.webhooks.pause(house.cast.ben, hook.id)
    await house.happens()
    await house.until(pending=1)
    code = "import asyncio,sys;from whatsapp_dashboard.core.process_owner import make_owner;print(make_owner())"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    owner = (await process.communicate())[0].decode().strip()
    dead = Claims(house.db, house.clock)
    dead.owner = owner
    await _take(dead, hook.id)
    fresh = Claims(house.db, house.clock)
    await fresh.free_dead_owners()
    assert len(await _take(fresh, hook.id)) == 1


async def _take(claims: Claims, webhook_id: str) -> list[Claimed]:
    return (await claims.take({webhook_id: 10})).get(webhook_id, [])


async def _settle(house: House, item: Claimed, outcome: Outcome) -> None:
    async with house.db.write() as session:
        await settle(session, [Settled(item, outcome)], lambda _: {})


def _outcome(house: House, *, succeeded: bool) -> Outcome:
    return Outcome(house.clock.now(), 5, succeeded=succeeded, status=204 if succeeded else 500, error="" if succeeded else "No.")
