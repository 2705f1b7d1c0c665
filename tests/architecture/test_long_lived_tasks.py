"""What runs as long as the program is a SteadyTask; every other task has a reason to end (ACC-6)."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "whatsapp_dashboard"
_BEGUN = re.compile(r"\b(?:create_task|ensure_future)\(")
ENDS = {
    "accounts/pool.py": "a session, restarted by the pool's own supervision and adopted again when its task is gone",
    "accounts/supervisor.py": "a wait of seconds",
    "core/cancelling.py": "what its caller waits for",
    "core/db.py": "one commit, one proof",
    "core/dialling.py": "one look-up",
    "core/keyed_worker.py": "the jobs of one key",
    "core/steady.py": "the mechanism itself",
    "engines/delivery.py": "one event",
    "engines/multidevice/client.py": "a session, supervised by the pool",
    "engines/multidevice/host/server.py": "one answer in an engine host",
    "engines/multidevice/host/session.py": "a session in an engine host",
    "engines/multidevice/host_process.py": "the output of one child process",
    "engines/multidevice/hosts.py": "the start and the end of one host",
    "engines/sandbox/client.py": "a session, supervised by the pool",
    "engines/wire.py": "one connection",
    "messages/downloads.py": "one file",
    "messages/inbound.py": "what was submitted; begun again with the next event",
    "messages/sender.py": "an account's sends while it is ready; catches everything itself",
    "messages/settling.py": "what was handed over; tries again itself",
    "replies/router.py": "one answer",
    "serving/acceptor.py": "the beginning of one connection",
    "ui/guard.py": "one message of one socket",
    "webhooks/lanes.py": "one request",
}
"""File to what its tasks are."""


def test_every_task_that_may_end_is_known() -> None:
    """ACC-6, DUR-1: a loop begun with create_task dies silently at its first error."""
    begun = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if _BEGUN.search(path.read_text())}
    assert begun - ENDS.keys() == set(), "make it a SteadyTask, or say why it may end"
    assert ENDS.keys() - begun == set(), "they begin no task any more"
