"""What files are told to be, under which names they go out and are offered, for the kinds that people send (MSG-9, MSG-1)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import file_samples as files
from tests.support.clock import MovableClock
from tests.support.file_samples import archive, movie, opus, webp
from tests.support.pipeline import Pipeline, pipeline
from whatsapp_dashboard.api.routes.media import INLINE
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.file_names import UNKNOWN, full_name
from whatsapp_dashboard.domain.messages import Content, MediaRef, MessageType
from whatsapp_dashboard.messages.media_types import choose_type, sniff, type_to_send
from whatsapp_dashboard.models import Media

OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX, PPTX = (f"{OFFICE}{part}" for part in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation"))
APK = "application/vnd.android.package-archive"
HTML, SVG = b"<!doctype html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"

TABLE: list[tuple[bytes, str, str, str, str]] = [
    # bytes, name, given type -> type, name
    (files.DOCX, "offer.docx", "", DOCX, "offer.docx"),
    (files.DOCX, "", "", DOCX, "document.docx"),
    (files.DOCX, "offer", "application/zip", DOCX, "offer.docx"),
    (files.DOCX, "macros.docm", "", "application/vnd.ms-word.document.macroEnabled.12", "macros.docm"),
    (files.XLSX, "", UNKNOWN, XLSX, "document.xlsx"),
    (files.PPTX, "", "", PPTX, "document.pptx"),
    (files.APK, "", "", APK, "document.apk"),
    (files.EPUB, "book", "", "application/epub+zip", "book.epub"),
    (files.ODT, "", "", "application/vnd.oasis.opendocument.text", "document.odt"),
    (archive("a.txt"), "", "", "application/zip", "document.zip"),
    (archive("a.txt"), "menu.docx", "", DOCX, "menu.docx"),
    (archive("a.txt"), "x", XLSX, XLSX, "x.xlsx"),
    (archive("a.txt"), "photos.jpg", "image/jpeg", "application/zip", "photos.jpg"),
    (files.OLE, "old.xls", "", "application/vnd.ms-excel", "old.xls"),
    (files.OLE, "letter", "application/msword", "application/msword", "letter.doc"),
    (files.PDF, "", "", "application/pdf", "document.pdf"),
    (files.PDF, "invoice", "", "application/pdf", "invoice.pdf"),
    (files.PDF, "Invoice Dr.Smith", "", "application/pdf", "Invoice Dr.Smith.pdf"),
    (files.PDF, "report.php", "text/html", "application/pdf", "report.php.pdf"),
    (files.PDF, "invoice.", "", "application/pdf", "invoice.pdf"),
    (files.PDF, ".pdf", "", "application/pdf", "document.pdf"),
    (b"\r\n\xef\xbb\xbf" + files.PDF, "x.bin", "", "application/pdf", "x.bin.pdf"),
    (files.LATIN, "prices.csv", "", "text/csv", "prices.csv"),
    (files.LATIN, "prices.csv", "application/vnd.ms-excel", "text/csv", "prices.csv"),
    (files.LATIN, "", "text/csv; charset=iso-8859-1", "text/csv", "document.csv"),
    (files.LATIN, "prices.txt", "", "text/plain", "prices.txt"),
    (files.LATIN, "prices.unknown", "", UNKNOWN, "prices.unknown"),
    ("Größe;Preis\n".encode(), "prices.csv", "text/plain", "text/csv", "prices.csv"),
    (b"\xef\xbb\xbf" + "Größe;Preis\n".encode(), "", "text/csv", "text/csv", "document.csv"),
    (files.UTF16.encode("utf-16"), "people.csv", "", "text/csv", "people.csv"),
    (files.UTF16.encode("utf-16"), "", "", "text/plain", "document.txt"),
    (files.UTF16.encode("utf-16-le"), "people.csv", "", "text/csv", "people.csv"),
    (files.UTF16.encode("utf-16-be"), "notes.txt", "", "text/plain", "notes.txt"),
    (files.UTF16.encode("utf-32"), "notes.txt", "", "text/plain", "notes.txt"),
    (b"BMW;Audi\n1;2\n", "cars.csv", "", "text/csv", "cars.csv"),
    (b"MZ and other towns", "towns.txt", "", "text/plain", "towns.txt"),
    (b"# Title\n", "README.md", "", "text/markdown", "README.md"),
    (b'{"a": 1}', "data.json", "", "application/json", "data.json"),
    (b'{"a": 1}', "data", "application/json", "application/json", "data.json"),
    (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "", "", "text/vcard", "contact.vcf"),
    (b"BEGIN:VCALENDAR\r\n", "", "", "text/calendar", "event.ics"),
    ("BEGIN:VCARD\r\nFN:José\r\n".encode("latin-1"), "jose.vcf", "", "text/vcard", "jose.vcf"),
    (b"Hello", "", "", "text/plain", "document.txt"),
    (b"print(1)\n", "tool.py", "", "text/plain", "tool.py"),
    (b"a = 1\n", "Makefile", "", "text/plain", "Makefile.txt"),
    (HTML, "page.html", "", "text/html", "page.html"),
    (HTML, "page", "text/html", "text/html", "page.html"),
    (HTML, "page.html", "image/png", "text/html", "page.html"),
    (HTML, "cat.jpg", "image/jpeg", "text/plain", "cat.jpg"),
    (SVG, "logo.svg", "", "image/svg+xml", "logo.svg"),
    (files.MP3, "", "", "audio/mpeg", "audio.mp3"),
    (files.MP3_LOW, "song.mp3", "", "audio/mpeg", "song.mp3"),
    (files.ID3, "song", "", "audio/mpeg", "song.mp3"),
    (movie(b"M4A "), "", "", "audio/mp4", "audio.m4a"),
    (movie(b"isom", b"mp42"), "memo.m4a", "", "audio/mp4", "memo.m4a"),
    (movie(b"mp42"), "", "audio/x-m4a", "audio/mp4", "audio.m4a"),
    (movie(b"isom"), "", "", "video/mp4", "video.mp4"),
    (movie(b"3gp4"), "", "", "video/3gpp", "video.3gp"),
    (movie(b"qt  "), "", "", "video/quicktime", "video.mov"),
    (opus(), "", "", "audio/ogg", "audio.ogg"),
    (opus(), "voice.opus", "audio/opus", "audio/ogg", "voice.opus"),
    (files.AMR, "", "", "audio/amr", "audio.amr"),
    (movie(b"heic", b"mif1"), "", "", "image/heic", "picture.heic"),
    (movie(b"mif1", b"heic"), "IMG_1", "", "image/heic", "IMG_1.heic"),
    (movie(b"avif"), "", "", "image/avif", "picture.avif"),
    (webp(moving=True), "", "", "image/webp", "picture.webp"),
    (webp(moving=False), "a", "", "image/webp", "a.webp"),
    (files.JPEG, "", "", "image/jpeg", "picture.jpg"),
    (files.JPEG, "page.html", "text/html", "image/jpeg", "page.html"),
    (files.BMP, "", "", "image/bmp", "picture.bmp"),
    (files.EXE, "setup", "", "application/x-msdownload", "setup.exe"),
    (b"\x00\x01\x02\x03", "cat.jpg", "image/jpeg", UNKNOWN, "cat.jpg"),
    (b"\x00\x01\x02\x03", "plan.dwg", "", "application/acad", "plan.dwg"),
    (b"\x00\x01\x02\x03", "", "application/x-custom", "application/x-custom", "document.bin"),
    (b"\x00\x01\x02\x03", "", "not a type", UNKNOWN, "file.bin"),
    (b"\x00\x01\x02\x03", "blob", "", UNKNOWN, "blob"),
]


@pytest.mark.parametrize(("data", "name", "said", "type", "full"), TABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_every_file_goes_out_as_what_it_is_under_a_name_that_opens(data: bytes, name: str, said: str, type: str, full: str) -> None:
    """MSG-9, MSG-1: bytes first; where they do not decide, the given type or the name's ending; the name ends as its type does."""
    assert type_to_send(data, name, said) == type
    assert full_name(name, type) == full


@pytest.mark.parametrize(("data", "name", "said", "type", "full"), TABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_nothing_a_browser_would_run_is_received_as_that_or_ever_shown(data: bytes, name: str, said: str, type: str, full: str) -> None:
    """MSG-9: HTML, SVG and scripts of others are text, and of no such type does a browser show anything in our origin."""
    runnable = {"text/html", "image/svg+xml", "application/xml", "application/javascript", "text/css"}
    assert sniff(data, name, said) == ("text/plain" if type in runnable else type)
    assert not runnable & INLINE


def test_what_is_shown_in_place_is_that_by_its_bytes() -> None:
    """MSG-9: no name and no claim makes a picture, a film or a sound of a file."""
    for data in (HTML, SVG, files.LATIN, b"\x00\x01", archive("a")):
        for said in ("image/jpeg", "image/png", "video/mp4", "audio/mpeg", "audio/ogg"):
            assert type_to_send(data, f"x.{said.partition('/')[2]}", said) not in INLINE
            assert choose_type(type_to_send(data, "", said)) is MessageType.DOCUMENT


def test_an_archive_of_any_size_is_looked_at_quickly_and_a_broken_one_too() -> None:
    """MSG-9: by the list of its names, at most so many of them; what ends early is an archive of no known kind."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for number in range(12_000):
            file.writestr(f"res/{number}", "")
        file.writestr("word/document.xml", "")
    assert type_to_send(made.getvalue()) == "application/zip"
    for length in range(4, len(files.XLSX)):
        assert type_to_send(files.XLSX[:length]) in ("application/zip", XLSX, "text/plain")


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_any_bytes_have_a_type_and_a_name(data: bytes, name: str, said: str) -> None:
    """MSG-9: whatever comes in."""
    kind = type_to_send(data, name, said)
    assert "/" in kind
    assert full_name(name, kind).strip(". ")
    assert sniff(data, name, said)


@pytest.fixture
async def house(db: Database, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """A pipeline with one account."""
    async with pipeline(db, clock, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "data", "claimed", "name", "type", "offered"),
    [
        (MessageType.VOICE, opus(), "audio/ogg; codecs=opus", "", "audio/ogg", "audio.ogg"),
        (MessageType.STICKER, webp(moving=True), "image/webp", "", "image/webp", "picture.webp"),
        (MessageType.IMAGE, files.JPEG, "image/jpeg", "", "image/jpeg", "picture.jpg"),
        (MessageType.DOCUMENT, files.PDF, "application/pdf", "", "application/pdf", "document.pdf"),
        (MessageType.DOCUMENT, files.LATIN, "text/csv", "", "text/csv", "document.csv"),
        (MessageType.DOCUMENT, files.DOCX, "application/zip", "Offer", DOCX, "Offer.docx"),
        (MessageType.DOCUMENT, HTML, "text/html", "", "text/plain", "document.txt"),
    ],
)
async def test_what_comes_without_a_name_is_offered_under_one(
    house: Pipeline, kind: MessageType, data: bytes, claimed: str, name: str, type: str, offered: str
) -> None:
    """MSG-9: what is stored is what the sender said; the download has an ending that opens it."""
    house.engine.files["it"] = data
    await house.receive(content=Content(kind, media=MediaRef({"file": "it"}, claimed, None, name)))

    async def stored() -> list[Media]:
        return await house.rows(Media, state="stored")

    (media,) = await house.until(stored)
    assert (media.mimetype, media.filename) == (type, name)
    assert (await house.store.open(house.cast.vic, media.id)).filename == offered


async def test_a_document_to_send_is_stored_with_a_name(house: Pipeline) -> None:
    """MSG-1: a picture has none on WhatsApp and needs none."""
    pdf = await house.store.stage(files.PDF, "")
    assert (pdf.type, pdf.mimetype, pdf.filename) == (MessageType.DOCUMENT, "application/pdf", "document.pdf")
    csv = await house.store.stage(files.LATIN, "", given="text/csv")
    assert (csv.type, csv.mimetype, csv.filename) == (MessageType.DOCUMENT, "text/csv", "document.csv")
    picture = await house.store.stage(files.JPEG, "")
    assert (picture.type, picture.mimetype, picture.filename) == (MessageType.IMAGE, "image/jpeg", "")
    named = await house.store.stage(files.JPEG, "cat")
    assert named.filename == "cat.jpg"
    long = await house.store.stage(files.PDF, "x" * 300)
    assert (len(long.filename), long.filename[-4:]) == (255, ".pdf")
