"""When everything that the library holds has been taken from it (DUR-1)."""

from __future__ import annotations

import threading
import time

from tests.support.waiting import PATIENCE
from whatsapp_dashboard.engines.multidevice.host.drain import QUIET_SECONDS, Drain


def timed(drain: Drain, seconds: float) -> float:
    """How long it takes to run dry."""
    began = time.monotonic()
    drain.run_dry(seconds)
    return time.monotonic() - began


def test_quiet_is_the_end() -> None:
    """ACC-4: a stop in which nothing comes is short."""
    assert QUIET_SECONDS <= timed(Drain(), 20) < 10


def test_while_events_come_or_are_written_down_it_is_not_quiet() -> None:
    """DUR-1: a slow disk makes neither the one that is being written nor those behind it disappear."""
    drain, done, began = Drain(), [], threading.Event()

    def library() -> None:
        for number in range(3):
            with drain.taking():
                began.set()
                time.sleep(2 * QUIET_SECONDS)
                done.append(number)
            time.sleep(QUIET_SECONDS / 4)

    thread = threading.Thread(target=library)
    thread.start()
    assert began.wait(PATIENCE)
    drain.run_dry(PATIENCE)
    assert done == [0, 1, 2]
    thread.join(PATIENCE)


def test_a_write_that_never_ends_is_not_waited_for_without_end() -> None:
    """SEC-9: a host ends, whatever its disk does."""
    drain = Drain()
    with drain.taking():
        assert 1 <= timed(drain, 1.0) < 10
