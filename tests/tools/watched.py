"""Run a command and let nothing outlive it: ``python -m tests.tools.watched COMMAND ...``.

What it starts, directly or not, ends with it. Anything that is still there a moment later is named and killed, and the run has failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import psutil

from tests.support.processes import PR_SET_CHILD_SUBREAPER, alive, prctl

GRACE_SECONDS = 10
"""How long processes that see their parent end may take to end themselves."""


def main(command: list[str]) -> int:
    """Run ``command``; its exit code, or 1 when it left something running."""
    # Orphans become children of this process instead of the system's first one.
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    child = os.posix_spawn(command[0], command, os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command by itself
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    code = None
    while code is None:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
    left = _left_after(GRACE_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.Error):
            print(f"Still running after the end, and killed: {process.pid} {' '.join(process.cmdline())}", file=sys.stderr)
            process.kill()
    return code or (1 if left else 0)


def _left_after(seconds: float) -> list[psutil.Process]:
    """What still runs when everything had ``seconds`` to end."""
    deadline = time.monotonic() + seconds
    while left := [process for process in psutil.Process().children(recursive=True) if alive(process.pid)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
