"""Programs of this repository as processes of their own, started in a moment.

Each is a fork of one process that has imported what they need (multiprocessing's fork server): what runs is the program as it stands, in
a process that can be told, stopped and killed like any other, only without 4 seconds of imports each time. Tests that are about the start
itself, and the proofs at full size, start the command that users type.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

import psutil

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.preloaded"])


class Running(Protocol):
    """A started program; it leads a process group of its own."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it runs."""

    def wait(self, timeout: float) -> int:
        """Wait until it ended. Raises :class:`subprocess.TimeoutExpired`."""


def start(module: str, *arguments: str, log: Path, env: Mapping[str, str] | None = None, files: int = 0) -> Running:
    """Run ``python -m module arguments`` in the repository's folder; what it prints is added to ``log``. It does not outlive the process
    of the tests. ``files``: how many it may have open."""
    process = _forks.Process(target=_run, args=(module, arguments, str(log), dict(os.environ if env is None else env), files))
    process.start()
    return _Fork(process)


def start_command(module: str, *arguments: str, log: Path, env: Mapping[str, str] | None = None, files: int = 0) -> Running:
    """The same with a Python of its own, as users start it."""
    limited = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
    with log.open("ab") as output:
        return subprocess.Popen(
            [*limited, sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def prctl(option: int, value: int) -> None:
    """Set one of Linux's switches of a process. Elsewhere nothing happens: what is left running then stays."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has looked after yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # also if it ended while it was looked at
        return False


def kill_group(process: Running) -> None:
    """SIGKILL to it and everything it started, as far as it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


class _Fork:
    """A process of the fork server, seen like one of :mod:`subprocess`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self._process.exitcode


def _run(module: str, arguments: tuple[str, ...], log: str, env: dict[str, str], files: int) -> None:
    """In the fork: become the program."""
    if files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.setsid()
    parent = os.getppid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the tests ended before the line above
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
