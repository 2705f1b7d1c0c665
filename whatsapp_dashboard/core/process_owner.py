"""Who owns what is leased or claimed in the database: a process, named so that others can tell whether it still lives."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

import psutil


def make_owner() -> str:
    """A name for this process that no other process ever has, and that tells its machine and process id."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(8)}"


def _machine() -> str:
    """This machine (or container) since its last start."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return hashlib.blake2b(f"{boot}/{socket.gethostname()}".encode(), digest_size=8).hexdigest()


def is_dead(owner: str) -> bool:
    """Whether ``owner`` was a process of this machine that is gone. Owners on other machines are given the benefit of the doubt."""
    machine, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if machine != _machine() or not pid.isdigit():
        return False
    return int(pid) == os.getpid() or not psutil.pid_exists(int(pid))
