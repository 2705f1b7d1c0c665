"""What the worker processes of one test run share: a folder, and what is made in it once by whoever needs it first."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Shared:
    """The folder of one run. The process that makes it also removes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` returned (as JSON keeps it) the first time anybody in this run asked for ``name``; the others wait for it."""
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (made := self.made(name)) is None:
                made = make()
                (self.folder / f"{name}.json").write_text(json.dumps(made))
        return made

    def made(self, name: str) -> Any:
        """What was made under ``name``, or None."""
        try:
            return json.loads((self.folder / f"{name}.json").read_text())
        except FileNotFoundError:
            return None
