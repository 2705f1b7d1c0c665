"""What is done every few seconds, and at the start, costs the same with a long history (MSG-11, DUR-1)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url

from tests.support.clock import MovableClock
from tests.support.pipeline import pipeline
from whatsapp_dashboard.core.db import Database

STEP = re.compile(r"(SCAN|SEARCH) (message|reply)\b.*")
UNFINISHED = re.compile(r"USING (COVERING )?INDEX ix_(message_queued|message_unproven|reply_pending)\b")


async def test_what_is_unfinished_is_found_by_the_indexes_of_that(sqlite_db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """MSG-11, DUR-1: not in the order of the primary key, in which everything would be looked at that there ever was."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if re.search(r"FROM (message|reply)\b", statement):
            asked.append((statement, parameters))

    async with pipeline(sqlite_db, clock, tmp_path) as house:
        for engine in (sqlite_db.engine, sqlite_db.writer_engine):
            event.listen(engine.sync_engine, "before_cursor_execute", note)
        await house.outbound.start()
        await house.outbound.tick()
        await house.replies.tick()
    assert len(asked) >= 3
    with closing(sqlite3.connect(str(make_url(sqlite_db.url).database))) as connection:
        for statement, parameters in asked:
            plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            steps = [step for step in plan if STEP.match(step)]
            assert steps, plan
            assert all(UNFINISHED.search(step) for step in steps), plan
