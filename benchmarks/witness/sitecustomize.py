"""Loaded by Python itself into a program that :mod:`benchmarks.steady` watches closely: on SIGUSR2 it writes down what is in memory.

The program under test knows nothing of it. ``WITNESS_FILE`` names the file; each signal appends one line of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import tracemalloc
from collections import Counter
from types import FrameType

FRAMES = 1
TOP = 400


def _write_down(_signal: int, _frame: FrameType | None) -> None:
    gc.collect()
    kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    places = {str(each.traceback): each.size for each in tracemalloc.take_snapshot().statistics("lineno")[:TOP]}
    with open(os.environ["WITNESS_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"kinds": kinds, "places": places, "traced": tracemalloc.get_traced_memory()[0]}) + "\n")


if os.environ.get("WITNESS_FILE"):
    tracemalloc.start(FRAMES)
    signal.signal(signal.SIGUSR2, _write_down)
