"""Documents of every kind: read, split, indexed in the background, changed, deleted (AI-5)."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st
from pypdf import PdfWriter
from sqlalchemy import func, select
from sqlmodel import col

from tests.knowledge.conftest import Library
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.core.dialling import Refused
from whatsapp_dashboard.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from whatsapp_dashboard.knowledge import indexing, worker
from whatsapp_dashboard.knowledge.splitting import LONGEST, split
from whatsapp_dashboard.models import KnowledgeDocument, KnowledgePassage


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF with these lines of text, written as PDF 1.4 by hand: no library here makes text."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects += [
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, line in enumerate(pages):
        content = f"BT /F1 12 Tf 50 700 Td ({line}) Tj ET".encode("latin-1")
        about = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R"
        objects += [f"<< /Type /Page {about} >>".encode(), b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)]
    out, places = io.BytesIO(b""), []
    out.write(b"%PDF-1.4\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    if not password:
        return out.getvalue()
    writer = PdfWriter(clone_from=io.BytesIO(out.getvalue()))
    writer.encrypt(password, algorithm="AES-256")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "question"),
    [
        ("hours.txt", b"The bakery opens at seven.", "When does the bakery open?"),
        ("hours.md", b"# Bakery\n\n## Hours\n\nOpen from seven.", "bakery hours"),
        ("prices.csv", b"product;price\nrye bread;4.20\nbaguette;1.80\n", "price of rye bread"),
        (
            "page.html",
            b"<html><title>T</title><nav>menu</nav><body><h1>Bakery</h1><p>Rye bread daily.</p><script>x</script></body>",
            "rye bread",
        ),
        ("latin.txt", "Das Geschäft öffnet früh.".encode("latin-1"), "geschaft"),
        ("wide.txt", "\ufeffThe café opens.".encode("utf-16"), "cafe"),
        ("menu.pdf", pdf("Rye bread costs four euros.", "Baguettes are baked at six."), "when are baguettes baked"),
    ],
)
async def test_each_kind_of_file_is_found_by_what_it_says(library: Library, name: str, data: bytes, question: str) -> None:
    """AI-5: text, Markdown, CSV, HTML and PDF, in the usual encodings."""
    row = await library.ready(await library.knowledge.add_file(library.cast.ben, data, name))
    assert (row.state, row.reason) == ("ready", "")
    assert row.passages >= 1
    assert await library.titles(question) == [name]
    async with library.db.read() as session:
        assert (await session.get_one(KnowledgeDocument, row.id)).raw is None


async def test_what_belongs_to_the_page_and_not_to_the_text_is_left_out(library: Library) -> None:
    """AI-5: menus, scripts and styles of a web page."""
    page = b"<body><nav>shipping menu</nav><style>.x{}</style><main><p>We bake.</p></main><script>steal()</script></body>"
    row = await library.ready(await library.knowledge.add_file(library.cast.ben, page, "a.html"))
    (passage,) = (await library.knowledge.get(library.cast.vic, row.id)).passages
    assert passage.text == "We bake."


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("scan.pdf", pdf(""), "no text in it"),
        ("locked.pdf", pdf("secret", password="x"), "locked with a password"),
        ("broken.pdf", b"%PDF-1.7\n" + b"garbage" * 50, "damaged"),
        ("blank.txt", b"  \n \n", "no text"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(library: Library, name: str, data: bytes, words: str) -> None:
    """AI-5: the row stays, with the reason."""
    row = await library.ready(await library.knowledge.add_file(library.cast.ben, data, name))
    assert row.state == "failed"
    assert words in row.reason


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("empty.txt", b"", Invalid),
        ("picture.png", b"\x89PNG\r\n\x1a\n123", Invalid),
        ("letter.docx", b"PK\x03\x04more", Invalid),
        ("program.txt", b"\x7fELF\x00\x00", Invalid),
        ("fake.pdf", b"not a pdf", Invalid),
        ("huge.txt", b"x" * (2 * 2**20 + 1), TooLarge),
    ],
)
async def test_what_is_no_text_is_refused_at_once(library: Library, name: str, data: bytes, error: type[Exception]) -> None:
    """AI-5: by its bytes, not by its name."""
    with pytest.raises(error):
        await library.knowledge.add_file(library.cast.ben, data, name)


async def test_the_same_file_twice_is_refused_and_named(library: Library) -> None:
    """AI-5: under another name too."""
    await library.knowledge.add_file(library.cast.ben, b"The same words.", "one.txt")
    with pytest.raises(Conflict, match=r"one\.txt"):
        await library.knowledge.add_file(library.cast.ben, b"The same words.", "two.txt")


async def test_a_document_that_takes_for_ever_ends_and_the_next_one_is_indexed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """AI-5: reading happens in a process of its own, with a limit."""
    monkeypatch.setattr(worker, "SECONDS", 0.01)
    slow = await library.ready(await library.knowledge.add_file(library.cast.ben, pdf("x"), "slow.pdf"))
    assert "could not be read and indexed within" in slow.reason
    monkeypatch.setattr(worker, "SECONDS", 60)
    assert (await library.ready(await library.knowledge.add_file(library.cast.ben, pdf("y"), "next.pdf"))).state == "ready"


async def test_what_waits_when_the_program_ends_is_indexed_at_the_next_start(library: Library) -> None:
    """AI-5, DUR-4: also what was begun; what ends the program each time is left alone after some tries."""
    await library.knowledge.indexer.stop()
    waiting = await library.knowledge.add_file(library.cast.ben, b"Waiting words.", "w.txt")
    begun = await library.knowledge.add_file(library.cast.ben, b"Begun words.", "b.txt")
    deadly = await library.knowledge.add_file(library.cast.ben, b"Deadly words.", "d.txt")
    async with library.db.write() as session:
        (await session.get_one(KnowledgeDocument, begun.id)).state = "indexing"
        bad = await session.get_one(KnowledgeDocument, deadly.id)
        bad.state, bad.tries = "indexing", indexing.MAX_TRIES
    await library.knowledge.indexer.start()
    assert (await library.ready(waiting)).state == "ready"
    assert (await library.ready(begun)).state == "ready"
    assert "left alone" in (await library.ready(deadly)).reason


async def test_while_a_document_is_indexed_again_its_old_passages_are_found(library: Library) -> None:
    """AI-5: nothing disappears in between, nor when it fails."""
    document = await library.write("Saffron", "Saffron costs nine euros.")
    await library.knowledge.indexer.stop()
    assert (await library.knowledge.reindex(library.cast.ben, document.id)).state == "pending"
    assert await library.titles("saffron") == ["Saffron"]
    await library.knowledge.update(library.cast.ben, document.id, title="Spices")
    await library.knowledge.indexer.start()
    assert (await library.ready(document)).title == "Spices"
    assert await library.titles("spices") == ["Spices"]


async def test_a_text_that_was_written_here_can_be_written_anew(library: Library) -> None:
    """AI-5: files cannot, nor can it become the same as another one."""
    knowledge, ben = library.knowledge, library.cast.ben
    document = await library.write("Saffron", "Saffron costs nine euros.")
    other = await library.write("Nutmeg", "Nutmeg costs two euros.")
    assert (await knowledge.get(library.cast.vic, document.id)).text == "Saffron costs nine euros."
    with pytest.raises(Conflict, match="Nutmeg"):
        await knowledge.update(ben, document.id, text="Nutmeg costs two euros.")
    with pytest.raises(Invalid):
        await knowledge.update(ben, document.id, text=" \n ")
    assert (await knowledge.update(ben, other.id, text="Nutmeg costs two euros.")).state == "ready", "the same text again is no change"
    row = await knowledge.update(ben, document.id, text="# Spices\n\nCinnamon costs three euros.", title="Spices")
    assert (row.state, row.title) == ("pending", "Spices")
    await library.ready(document)
    assert await library.titles("cinnamon") == ["Spices"]
    assert await library.titles("saffron") == []
    file = await library.ready(await knowledge.add_file(ben, b"Pepper.", "pepper.txt"))
    assert (await knowledge.get(ben, file.id)).text is None
    with pytest.raises(Conflict, match="written here"):
        await knowledge.update(ben, file.id, text="Salt.")


async def test_a_long_document_does_not_keep_others_from_writing(library: Library) -> None:
    """AI-5, MSG-5: its passages are written a few at a time."""
    text = "\n\n".join(f"Paragraph {n} tells of saffron. " + "It goes on for quite a while. " * 20 for n in range(2_000))
    document = await library.knowledge.add_text(library.cast.ben, "Long", text)
    others = 0
    while (row := (await library.knowledge.get(library.cast.vic, document.id)).row).state != "ready":
        async with library.db.write():
            others += row.state == "indexing"
    assert row.passages > 10 * indexing.BATCH
    assert others > 10


async def test_passages_that_a_killed_program_left_are_not_found_and_go(library: Library) -> None:
    """AI-5, DUR-1: of a generation that was not ready, and of one that was replaced."""
    document = await library.write("Saffron", "Saffron costs nine euros.")
    stale = {"document_id": document.id, "position": 0, "text": "Old cinnamon.", "head_terms": "", "terms": "old cinnamon", "length": 2}
    async with library.db.write() as session:
        session.add_all(KnowledgePassage(**stale, generation=generation) for generation in (0, 2))
    assert await library.titles("cinnamon") == []
    assert len((await library.knowledge.get(library.cast.vic, document.id)).passages) == 1
    await library.knowledge.indexer.stop()
    await library.knowledge.indexer.start()
    assert (await library.write("Next", "Nutmeg.")).state == "ready"
    async with library.db.read() as session:
        mine = select(func.count()).where(col(KnowledgePassage.document_id) == document.id)
        assert await session.scalar(mine) == 1


async def test_two_indexers_that_take_the_same_document_leave_one_index_of_it(library: Library) -> None:
    """AI-5: on PostgreSQL another process may begin it too."""
    first = library.knowledge.indexer
    second = indexing.Indexer(library.db, first._clock, first._box, first._http, max_bytes=2**20)
    text = "\n\n".join(f"Paragraph {n} tells of saffron. " + "It goes on for quite a while. " * 20 for n in range(400))
    documents = [await library.knowledge.add_text(library.cast.ben, f"Long {n}", f"{text} {n}") for n in range(3)]
    await second.start()
    try:
        for document in documents:
            row = await library.ready(document)
            async with library.db.read() as session:
                fresh = await session.get_one(KnowledgeDocument, document.id)
                mine = select(func.count()).where(
                    col(KnowledgePassage.document_id) == document.id, col(KnowledgePassage.generation) == fresh.generation
                )
                assert await session.scalar(mine) == row.passages > 100
    finally:
        await second.stop()


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A web page that can change."""
    state = {"text": "The <b>first</b> edition about saffron."}

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=f"<title>Our page</title><p>{state['text']}</p>", content_type="text/html")

    async def change(_request: web.Request) -> web.Response:
        state["text"] = "The second edition about cinnamon."
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/page", page), web.post("/change", change)])
    runner = web.AppRunner(app)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    yield f"http://127.0.0.1:{server._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    await runner.cleanup()


async def test_a_url_is_fetched_named_after_its_page_and_fetched_anew_on_request(library: Library, site: str) -> None:
    """AI-5: "index again" of a URL asks the server."""
    import httpx

    document = await library.ready(await library.knowledge.add_url(library.cast.ben, f"{site}/page"))
    assert (document.title, document.kind, document.state) == ("Our page", "html", "ready")
    assert await library.titles("saffron edition") == ["Our page"]
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        await client.post(f"{site}/change")
    await library.knowledge.update(library.cast.ben, document.id, title="A page")
    await library.ready(document)
    assert await library.titles("saffron edition") == ["A page"], "a new title fetches nothing"
    await library.knowledge.update(library.cast.ben, document.id, title="Our page")
    await library.knowledge.reindex(library.cast.ben, document.id)
    await library.ready(document)
    assert await library.titles("cinnamon") == ["Our page"]
    assert await library.titles("saffron") == []
    with pytest.raises(Conflict):
        await library.knowledge.add_url(library.cast.ben, f"{site}/page")


async def test_a_url_that_fails_says_why_and_one_in_a_private_network_is_refused(library: Library, site: str) -> None:
    """AI-5, HOOK-7."""
    row = await library.ready(await library.knowledge.add_url(library.cast.ben, f"{site}/nothing"))
    assert (row.state, "404" in row.reason) == ("failed", True)
    with pytest.raises(Refused):
        await library.knowledge.add_url(library.cast.ben, "http://192.168.1.1/page")
    with pytest.raises(Invalid):
        await library.knowledge.add_url(library.cast.ben, "ftp://example.org")


async def test_viewers_read_operators_work_and_others_see_nothing(library: Library) -> None:
    """SEC-6."""
    document = await library.write("Ours", "Ours alone.")
    knowledge, vic, mallory = library.knowledge, library.cast.vic, library.cast.mallory
    for attempt in (
        knowledge.add_text(vic, "t", "x"),
        knowledge.add_file(vic, b"x", "x.txt"),
        knowledge.add_url(vic, "https://example.org"),
        knowledge.update(vic, document.id, enabled=False),
        knowledge.reindex(vic, document.id),
        knowledge.delete(vic, document.id),
    ):
        with pytest.raises(Forbidden):
            await attempt
    for attempt in (
        knowledge.get(mallory, document.id),
        knowledge.update(mallory, document.id, title="Mine"),
        knowledge.delete(mallory, document.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await knowledge.list_documents(mallory)).rows == ()


@example("# a", "text")
@given(st.text(alphabet=st.sampled_from("ab .#\n|，。"), max_size=6_000), st.sampled_from(["text", "csv"]))
def test_passages_lose_nothing_and_are_never_too_long(text: str, kind: str) -> None:
    """AI-5: every word of a document is in some passage or heading, whatever it looks like."""
    parts = split(text, kind)
    assert all(part.text.strip() and len(part.text) <= 2 * LONGEST for part in parts)
    kept = "".join(part.text + part.heading for part in parts)
    assert {sign for sign in text if sign in "ab，"} <= set(kept)


def test_headings_stay_with_what_stands_under_them_and_a_row_is_never_cut() -> None:
    """AI-5: so that a passage tells what it is about."""
    parts = split("# A\n\nintro\n\n## B\n\n" + "word " * 600 + "\n\n# C\n\nend", "markdown")
    assert [part.heading for part in parts][:2] == ["A", "A › B"]
    assert parts[-1].heading == "C"
    bare = split(f"# Closed on Mondays\n# Hours\n## Shop\nfrom nine\n# {'l' * 100}\n", "text")
    assert [(part.heading, part.text.strip()[:17]) for part in bare] == [
        ("", "Closed on Mondays"),
        ("Hours › Shop", "from nine"),
        ("l" * 80, "l" * 17),
    ]
    rows = "\n\n".join(f"name: {number}\nprice: {number}" for number in range(200))
    for part in split(rows, "csv"):
        assert all(block.startswith("name: ") and "\nprice: " in block for block in part.text.split("\n\n"))
