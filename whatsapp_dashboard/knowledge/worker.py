"""Reads, splits and indexes a document in a process of its own (AI-5): one that is made to take for ever, or all memory, ends that process
and nothing else, and the conversations do not wait meanwhile.

``python -m whatsapp_dashboard.knowledge.worker`` takes a line that says what is wanted and then the document, and gives a line for what
was read and one for each passage.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from whatsapp_dashboard.core.masking import masked
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.knowledge.extraction import read
from whatsapp_dashboard.knowledge.passages import passages

CPU_SECONDS = 120
"""Of processor time for one document: a busy machine makes no document fail."""
SECONDS = 600.0
"""However little of it there was."""
MEMORY = 1 << 30
"""Bytes."""
SMALL = 20_000
"""Characters of a text that is split where it stands: a process would take longer to begin."""
_LINE = 64 * 2**20
"""Bytes of an answer's line: a document's text is one."""
_NICE = 5
_PR_SET_PDEATHSIG = 1
_TOO_LARGE = "It could not be read: it takes too much memory, or is damaged. Split it into several documents."

Rows = list[dict[str, Any]]


async def index_text(text: str, kind: str, title: str) -> Rows:
    """The passages of a text. Raises :class:`Invalid`."""
    if len(text) <= SMALL:
        return await asyncio.to_thread(lambda: list(passages(title, text, kind)))
    _, rows = await _ask({"kind": kind, "title": title, "read": False}, text.encode("utf-8", "replace"))
    return rows


async def index_file(kind: str, data: bytes, title: str, *, rename: bool = False, private: Sequence[str] = ()) -> tuple[str, str, Rows]:
    """The text of a file, its own title (empty unless ``rename``: it is to be called so) and its passages, all without what is
    ``private``. Raises :class:`Invalid`."""
    said, rows = await _ask({"kind": kind, "title": title, "read": True, "rename": rename, "private": list(private)}, data)
    return said["text"], said["title"], rows


async def _ask(wanted: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Rows]:
    rows: Rows = []
    said: dict[str, Any] = {}
    try:
        async with asyncio.timeout(SECONDS), _process() as process:
            question = json.dumps({**wanted, "memory": MEMORY, "seconds": CPU_SECONDS, "parent": os.getpid()}).encode()
            async for line in _answers(process, question + b"\n" + data):
                if "error" in line:
                    raise Invalid(line["error"], code=line["code"])
                if "end" in line:
                    return said, rows
                if said:
                    rows.append(line)
                else:
                    said = line
            code = await process.wait()
    except TimeoutError:
        raise _too_slow(SECONDS) from None
    raise _too_slow(CPU_SECONDS) if code == -signal.SIGXCPU else Invalid(_TOO_LARGE, code="bad_file")


def _too_slow(seconds: float) -> Invalid:
    return Invalid(f"It could not be read and indexed within {seconds:g} seconds. Split it into several documents.", code="too_slow")


@contextlib.asynccontextmanager
async def _process() -> AsyncIterator[asyncio.subprocess.Process]:
    """One that does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "whatsapp_dashboard.knowledge.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, question: bytes) -> AsyncIterator[dict[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has ended already: that it gives no answer says enough
        process.stdin.write(question)
        await process.stdin.drain()
        process.stdin.close()
    while line := await process.stdout.readline():
        try:
            yield json.loads(line)
        except ValueError:
            return  # it ended in the middle of a line


def _work(wanted: dict[str, Any], data: bytes) -> Iterator[dict[str, Any]]:
    text, own = read(wanted["kind"], data) if wanted["read"] else (data.decode(), "")
    text = masked(text, wanted.get("private", ()))
    own = masked(own, wanted["private"]) if wanted.get("rename") else ""
    yield {"text": text if wanted["read"] else "", "title": own}
    yield from passages(own or wanted["title"], text, wanted["kind"])
    yield {"end": True}


def _main() -> None:
    os.nice(_NICE)
    with contextlib.suppress(OSError, AttributeError):  # Linux: it ends with the program that asked, however that ends
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this, which ends it in order
    wanted = json.loads(sys.stdin.buffer.readline() or "{}")
    if os.getppid() != wanted.get("parent"):
        return  # it had ended before this one had said that it wants to know
    resource.setrlimit(resource.RLIMIT_AS, (wanted["memory"], wanted["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (wanted["seconds"], wanted["seconds"] + 1))
    try:
        for line in _work(wanted, sys.stdin.buffer.read()):
            sys.stdout.write(json.dumps(line) + "\n")
    except Invalid as error:
        sys.stdout.write(json.dumps({"error": error.message, "code": error.code}) + "\n")
    except MemoryError:
        sys.stdout.write(json.dumps({"error": _TOO_LARGE, "code": "bad_file"}) + "\n")


if __name__ == "__main__":
    _main()
