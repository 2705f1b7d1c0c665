"""The dashboard on a computer whose clock is wrong: ``python -m tests.support.wrong_clock`` reads again and again from the file
``WRONG_CLOCK`` by how many seconds. What counts seconds, as event loops do, goes on as it is."""

from __future__ import annotations

import os
import runpy
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval

from whatsapp_dashboard.core import clock

_file = Path(os.environ["WRONG_CLOCK"])


class WrongTime(datetime):
    """Says the wrong time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """The time now, as the computer has it."""
        return datetime.now(tz) + timedelta(seconds=int(_file.read_text()))


for module in (clock, apscheduler.executors.base, apscheduler.schedulers.base, apscheduler.triggers.interval):
    module.datetime = WrongTime  # type: ignore[attr-defined]

if __name__ == "__main__":
    runpy.run_module("whatsapp_dashboard.serve", run_name="__main__", alter_sys=True)
