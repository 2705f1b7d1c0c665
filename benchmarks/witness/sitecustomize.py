"""Loaded by Python itself into a program that :mod:`benchmarks.steady` watches: it says on signals what only the program itself can know.

The program under test knows nothing of it. ``WITNESS_FILE`` names a file; each signal appends one line of JSON. SIGUSR1: bytes that SQLite
uses, and that the C library's allocator has handed out and keeps free. SIGUSR2, with ``WITNESS_OBJECTS``: what is in Python's memory.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import tracemalloc
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

FRAMES = 1
TOP = 400


class _MallInfo(ctypes.Structure):
    """glibc's ``struct mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


def _sqlite() -> int | None:
    """Bytes SQLite has for all connections; None when it is no library of its own."""
    found = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libsqlite3" in line)
    path = next(found, None)
    if path is None:
        return None
    used = ctypes.CDLL(path).sqlite3_memory_used
    used.restype = ctypes.c_int64
    return int(used())


def _malloc() -> tuple[int | None, int | None]:
    """Bytes handed out and kept free by malloc, in all its arenas; None without glibc."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return None, None
    library.mallinfo2.restype = _MallInfo
    info = library.mallinfo2()
    return info.uordblks + info.hblkhd, info.fordblks


def _append(line: dict[str, Any]) -> None:
    with open(os.environ["WITNESS_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _tell_native(_signal: int, _frame: FrameType | None) -> None:
    used, free = _malloc()
    _append({"sqlite": _sqlite(), "used": used, "free": free})


def _tell_objects(_signal: int, _frame: FrameType | None) -> None:
    gc.collect()
    kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    places = {str(each.traceback): each.size for each in tracemalloc.take_snapshot().statistics("lineno")[:TOP]}
    _append({"kinds": kinds, "places": places, "traced": tracemalloc.get_traced_memory()[0]})


if os.environ.get("WITNESS_FILE"):
    signal.signal(signal.SIGUSR1, _tell_native)
    if os.environ.get("WITNESS_OBJECTS"):
        tracemalloc.start(FRAMES)
        signal.signal(signal.SIGUSR2, _tell_objects)
