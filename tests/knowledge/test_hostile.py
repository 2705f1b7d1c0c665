"""Documents that are made to stop the program (AI-5)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.knowledge.conftest import Library
from tests.knowledge.test_documents import pdf
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.knowledge import worker
from whatsapp_dashboard.knowledge.splitting import split
from whatsapp_dashboard.knowledge.terms import terms

SIZE = 300_000
_WORDS = random.Random(1)
CPU_SECONDS = 3


def _packed_pdf(size: int) -> bytes:
    """A page whose text is this large, and small on disk."""
    packed = zlib.compress(b"BT /F1 12 Tf " + b"(" + b"a" * 80 + b") Tj T* " * (size // 8) + b" ET", 9)
    plain = pdf("@")
    begin, end = plain.index(b"<< /Length", plain.index(b"/Contents")), plain.rindex(b"\nendstream")
    return plain[:begin] + b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed) + packed + plain[end:]


DOCUMENTS = {
    "heading.md": b"# a" + b" " * SIZE + b"b",
    "headings.md": b"# a #" * (SIZE // 5),
    "one-word.txt": b"x" * SIZE,
    "one-sentence.txt": b"word " * (SIZE // 5),
    "words.txt": b" ".join(b"%x" % _WORDS.getrandbits(48) for _ in range(SIZE // 14)),
    "ligatures.txt": "\ufdfa".encode() * (SIZE // 3),
    "lines.md": b"#\n" * (SIZE // 2),
    "fences.md": b"```\n# a\n" * (SIZE // 8),
    "tags.html": b"<p>a" * (SIZE // 4),
    "closed.html": b"<div>a</div><script></script>" * (SIZE // 30),
    "deep.html": b"<div>" * (SIZE // 5) + b"deep",
    "table.html": b"<table>" + b"<tr><td>a<td>b" * (SIZE // 14),
    "comments.html": b"text <!--" * (SIZE // 9),
    "broken.html": b"<a " * (SIZE // 3),
    "declarations.html": b"<![" * (SIZE // 3),
    "wide.csv": b"a," * (SIZE // 4) + b"\n" + b"1\n" * (SIZE // 4),
    "named.csv": b"n" * (SIZE // 3) + b"\n" + b"1\n" * (SIZE // 4),
    "quotes.csv": b'"a' * (SIZE // 2),
    "packed.pdf": _packed_pdf(200_000_000),
}


class Heartbeat:
    """Beats in the event loop, and knows how much processor time this process took between two beats at most: how busy the machine is does
    not matter, and neither does what other processes do."""

    worst_seconds = 0.0

    async def beat(self) -> None:
        """Until cancelled."""
        while True:
            before = time.process_time()
            await asyncio.sleep(0.01)
            self.worst_seconds = max(self.worst_seconds, time.process_time() - before)


@contextlib.asynccontextmanager
async def heartbeat() -> AsyncIterator[Heartbeat]:
    """One that beats during the block."""
    heart = Heartbeat()
    task = asyncio.create_task(heart.beat())
    yield heart
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_hostile_document_stops_nobody_and_ends_with_passages_or_a_reason(
    library: Library, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AI-5, MSG-5: the event loop goes on while it is read, split and indexed; what takes too much says so."""
    monkeypatch.setattr(worker, "CPU_SECONDS", CPU_SECONDS)
    async with heartbeat() as heart:
        row = await library.ready(await library.knowledge.add_file(library.cast.ben, DOCUMENTS[name], name))
        assert await library.titles("anything at all") is not None
    assert heart.worst_seconds < 2
    if row.state == "ready":
        assert row.passages > 0
    else:
        assert any(
            words in row.reason for words in ("within 3 seconds", "too much memory", "damaged", "no text", "more than")
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_hostile_text_that_is_written_here_stops_nobody(library: Library) -> None:
    """AI-5: the same for what comes by the page or the API, where it is a million characters long."""
    async with heartbeat() as heart:
        row = await library.write("Long", "# a" + " " * 500_000 + "b\n\n" + "word " * 90_000)
    assert (row.state, row.reason) == ("ready", "")
    assert heart.worst_seconds < 2


@pytest.mark.parametrize("kind", ["memory", "time"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_document_over_the_limits_says_which(library: Library, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AI-5: time or memory; and the next document is indexed."""
    with monkeypatch.context() as patch:
        patch.setattr(worker, *(("MEMORY", 150 * 2**20) if kind == "memory" else ("CPU_SECONDS", 1)))
        data = DOCUMENTS["tags.html"] * 5 if kind == "memory" else b"<a " * SIZE  # a minute on any machine
        row = await library.ready(await library.knowledge.add_file(library.cast.ben, data, "a.html"))
    assert row.state == "failed"
    assert ("too much memory" if kind == "memory" else "within 1 seconds") in row.reason
    assert (await library.write("Next", "words")).state == "ready"


@pytest.mark.parametrize(
    ("line", "heading"),
    [("# C#", "C#"), ("## a ##", "a"), ("# a # #", "a #"), ("#\ta", "a"), ("####### a", ""), ("#a", ""), ("# ", ""), ("# ##", "")],
)
def test_headings_are_those_of_markdown(line: str, heading: str) -> None:
    """AI-5: one to six signs, a space, and a row of signs at the end that stands apart is left out."""
    assert [part.heading for part in split(f"{line}\n\ntext", "markdown")] == [heading]


def test_a_word_without_end_is_a_term_and_not_stemmed() -> None:
    """AI-5: nobody looks for it, and a stemmer may take for ever."""
    assert terms("runnings" * 1_000) == ["runnings" * 1_000]


@pytest.mark.parametrize("asked_by", ["who lives", "who has died"])
def test_nothing_is_read_for_a_program_that_has_ended_before_its_reader_began(asked_by: str) -> None:
    """DUR-1, AI-5: killed at once after a document was handed over, it leaves nobody behind who computes for minutes."""
    parent = os.getpid() if asked_by == "who lives" else os.getppid()
    wanted = {"kind": "text", "title": "Menu", "read": True, "memory": worker.MEMORY, "seconds": 60, "parent": parent}
    command, given = [sys.executable, "-m", "whatsapp_dashboard.knowledge.worker"], json.dumps(wanted).encode() + b"\nWe bake at six."
    done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=True)
    assert (b"We bake at six." in done.stdout) is (asked_by == "who lives")
    assert done.stderr == b""
