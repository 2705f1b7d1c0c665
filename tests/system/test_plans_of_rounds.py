"""What is done every few seconds, and at the start, costs the same with a long history (MSG-11, DUR-1)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url

from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.runtime import Runtime

GROWING = "contact|conversation|event|message|parked_event|reply|webhook_attempt|webhook_delivery|webhook_event"
"""Tables with a row for each person, message or event there ever was."""
STEP = re.compile(rf"(SCAN|SEARCH) ({GROWING})\b.*")
UNFINISHED = {
    "ix_conversation_bot_paused_until", "ix_message_queued", "ix_message_unproven", "ix_reply_pending", "ix_webhook_delivery_claimed",
}  # fmt: skip
"""Indexes of what still has to be done; to go through one is to look at nothing else."""
FOUND = re.compile(r"\((\w+=\?|rowid>\?|created_at<\?)\)")
"""One row, those that are new, or those old enough to be deleted."""
LAST = "ORDER BY event.seq DESC"


async def test_what_is_unfinished_is_found_by_the_indexes_of_that(tmp_path: Path) -> None:
    """MSG-11, DUR-1: not in the order of the primary key, in which everything would be looked at that there ever was."""
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if re.search(rf"(FROM|UPDATE) ({GROWING})\b", statement):
            asked.setdefault(statement, parameters)

    running = Runtime(Settings(data_dir=tmp_path, _env_file=None))  # type: ignore[call-arg]
    for engine in (running.db.engine, running.db.writer_engine):
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    await running.start()
    for job in running.scheduler.get_jobs():
        await job.func()
    await running.stop()
    with closing(sqlite3.connect(str(make_url(running.db.url).database))) as connection:
        plans = {one: [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {one}", given)] for one, given in asked.items()}
    steps = [(step, statement) for statement, plan in plans.items() for step in plan if STEP.match(step) and LAST not in statement]
    assert {word for step, _ in steps for word in step.split()} >= UNFINISHED
    assert not [found for found in steps if not UNFINISHED & set(found[0].split()) and not FOUND.search(found[0])]
