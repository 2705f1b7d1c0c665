"""Processes that are killed while they set aside, queue, send and settle: the ledger adds up, each answer is paid once (CRED-1, DUR-1)."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from functools import partial
from operator import ge
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from tests.credits.conftest import Chat, Till
from tests.support.waiting import until
from whatsapp_dashboard.models import CreditEntry, Message, Reply

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400
START_SECONDS = 60


async def start(url: str, seed: int) -> asyncio.subprocess.Process:
    """A teller that waits to be told to begin (:func:`begin`)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.credits.teller", url, str(seed),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    assert line == b"ready\n"
    return process


def begin(process: asyncio.subprocess.Process) -> None:
    """Starting takes seconds: the first of two must not have done everything when the second stands."""
    assert process.stdin is not None
    process.stdin.write(b"begin\n")


async def killed_again_and_again(till: Till, chat: Chat, *, questions: int, kills: int) -> None:
    """Tellers (two at once on PostgreSQL) share the questions; a third more than there are credits for."""
    dice = random.Random(20261125)
    await till.fill(questions)
    await till.settlement.follower.stop()
    for _ in range(questions):
        await chat.question()
    open_ = questions
    for number in range(kills):
        running = [await start(till.db.url, number * 10 + place) for place in range(1 if till.db.is_sqlite else 2)]
        for process in running:
            begin(process)
        await until(lambda: _pending(till), partial(ge, open_ - dice.randint(1, questions // (2 * kills))), pause=0.005)
        await asyncio.sleep(dice.uniform(0, 0.03))  # or the kill would always come just after an answer
        for process in running:
            process.kill()
            await process.wait()
        await till.check()
        open_ = await _pending(till)
    assert 0 < open_ < questions, "they were killed while there was something to do"
    last = await start(till.db.url, 4711)
    begin(last)
    assert last.stdout is not None
    assert (await asyncio.wait_for(last.stdout.read(), 120)).endswith(b"done\n")
    assert await last.wait() == 0
    await till.clock.advance(2 * DAY)
    await till.settlement.sweep()

    balance = await till.check()
    assert balance.held == 0
    async with till.db.read() as session:
        debits = select(col(CreditEntry.related_id)).where(col(CreditEntry.type) == "debit")
        billed = Counter((await session.scalars(debits)).all())
        answers = select(Message).where(col(Message.direction) == "outgoing")
        sent = {row.id for row in await session.scalars(answers) if row.status in ("sent", "delivered") and not row.unconfirmed}
    assert set(billed.values()) == {1}, "nobody pays twice"
    assert set(billed) == sent, "every answer that was sent is paid, no other is"
    assert balance.balance == questions - 2 * len(billed)
    assert len(billed) <= questions // 2
    print(f"\n{kills} kills, {open_} of {questions} questions open at the last: {len(billed)} answers paid, {balance.balance} credits left")


async def _pending(till: Till) -> int:
    async with till.db.read() as session:
        return await session.scalar(select(func.count()).select_from(Reply).where(col(Reply.state) == "pending")) or 0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_tellers_that_are_killed_bill_every_answer_once(till: Till, chat: Chat) -> None:
    """CRED-1, CRED-2, DUR-1."""
    await killed_again_and_again(till, chat, questions=200, kills=4)


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_tellers_that_are_killed_forty_times_bill_every_answer_once(till: Till, chat: Chat) -> None:
    """CRED-1, CRED-2, DUR-1 at full size."""
    await killed_again_and_again(till, chat, questions=3_000, kills=40)
