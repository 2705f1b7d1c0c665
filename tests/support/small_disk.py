"""A folder whose disk can be full."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

MIB = 2**20
_UNLIMITED = resource.RLIM_INFINITY


class SmallDisk:
    """A file system of a few MiB in memory, where the rights to mount one are given. Elsewhere an ordinary folder, and while it is "full"
    the programs that write there may not write any file (a limit of the system: each write fails, with another number)."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "wa-small-disk", str(folder)]
        self.mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, writers: Iterable[psutil.Process]) -> None:
        """Leave not a byte to ``writers``."""
        if not self.mounted:
            _limit(writers, 0)
            return
        with self._filler.open("wb", buffering=0) as file:
            for block in (MIB, 4_096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * block) == block:
                        pass

    def free(self, writers: Iterable[psutil.Process]) -> None:
        """Give the space back."""
        if not self.mounted:
            _limit(writers, _UNLIMITED)
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove it, also while something is still open there."""
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _limit(writers: Iterable[psutil.Process], size: int) -> None:
    for process in writers:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, _UNLIMITED))


def everything_of(pid: int) -> list[psutil.Process]:
    """A process and all it has started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]
