"""From a file to its text (AI-5). Runs in a process of its own (worker.py): a file may be made to take for ever, or all memory."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain, count
from typing import Any

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.text import clean

MAX_CHARACTERS = 5_000_000
MAX_PAGES = 3_000
KINDS = {"txt": "text", "text": "text", "md": "markdown", "markdown": "markdown", "csv": "csv", "pdf": "pdf", "html": "html", "htm": "html"}
"""By the ending of a file's name."""

_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\x7fELF")
"""How office files, pictures, archives and programs begin."""
_KEPT = "\n\t\u200c\u200d"
"""Signs that do not print and still matter: joiners shape Persian and Indian words."""
_WASTE = ("script", "style", "noscript", "template", "svg", "nav", "header", "footer", "aside", "form", "iframe", "button")
_BLOCKS = (
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "tr",
    "td",
    "th",
    "div",
    "section",
    "article",
    "br",
    "dt",
    "dd",
    "blockquote",
    "pre",
)


_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))


def kind_of(filename: str, mimetype: str, data: bytes) -> str:
    """What a file is, by its bytes first. Raises :class:`Invalid` for a kind that has no text."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = KINDS.get(ending) or {"text/html": "html", "text/csv": "csv", "text/markdown": "markdown", "application/pdf": "pdf"}.get(
        mimetype
    )
    if kind == "pdf":
        raise Invalid("This is called a PDF, and is none.", code="bad_file", field="file")
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16 has zero bytes, and says so
    binary = data.startswith(_BINARY) or (b"\x00" in data[:4_000] and not marked)
    if binary or (kind is None and ending and not mimetype.startswith("text/")):
        raise Invalid("Only text, Markdown, CSV, HTML and PDF files can be read. Save it as one of these.", code="bad_file", field="file")
    return kind or "text"


def decoded(data: bytes) -> str:
    """Text of unknown encoding: UTF-8, UTF-16 with its mark, else Western European."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read(kind: str, data: bytes) -> tuple[str, str]:
    """The text of a file, and the title it gives itself (often empty). Raises :class:`Invalid` with what is wrong with it."""
    text, title = {"pdf": _pdf, "html": _html, "csv": _csv}.get(kind, _plain)(data)
    text = tidy(text)
    if not text:
        raise Invalid("There is no text in it. Scanned pages are pictures: export a PDF with text, or write it here.", code="no_text")
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"It has more than {MAX_CHARACTERS:,} characters. Split it into several documents.", code="too_long")
    return text, " ".join(clean(title).split())[:255]


def tidy(text: str) -> str:
    """Without signs that do not print, trailing spaces, and more than one empty line."""
    text = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    lines = (_printable(line).rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _printable(line: str) -> str:
    return line if line.isprintable() else "".join(sign for sign in line if sign in _KEPT or sign.isprintable())


def _plain(data: bytes) -> tuple[str, str]:
    return decoded(data), ""


def _csv(data: bytes) -> tuple[str, str]:
    """Each row as "column: value" lines, rows apart by an empty line."""
    text = decoded(data)
    csv.field_size_limit(1 << 20)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Invalid(f"The CSV cannot be read: {error}.", code="bad_file") from None
    if len(rows) < 2:
        return text, ""
    names = [name or f"column {number}" for number, name in enumerate(rows[0], 1)]
    blocks: list[str] = []
    length = 0
    for row in rows[1:]:
        named = zip(chain(names, (f"column {number}" for number in count(len(names) + 1))), row, strict=False)
        blocks.append("\n".join(f"{name}: {' '.join(value.split())}" for name, value in named if value))
        length += len(blocks[-1])
        if length > MAX_CHARACTERS:  # a long name stands in every row
            break
    return "\n\n".join(blocks), ""


def _html(data: bytes) -> tuple[str, str]:
    from bs4 import BeautifulSoup
    from bs4.exceptions import ParserRejectedMarkup

    try:
        soup = BeautifulSoup(data, "html.parser")
    except (ParserRejectedMarkup, RecursionError, AssertionError, ValueError) as error:
        raise Invalid(f"The page is damaged: {str(error)[:200] or type(error).__name__}.", code="bad_file") from None
    title = soup.title.get_text() if soup.title else ""
    body = soup.find("main") or soup.find("article") or soup.body or soup
    lines = (" ".join(line.split()) for line in _text_of(body).split("\n"))
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)), title


def _text_of(element: Any) -> str:
    """What is read of an element: blocks on lines of their own, headings marked. Each part is looked at once: the library's own ways to
    change a page look through all neighbours each time."""
    from bs4.element import CData, NavigableString, Tag

    said: list[str] = []
    left: list[Any] = [element]
    while left:
        part = left.pop()
        if not isinstance(part, Tag):
            if type(part) in (NavigableString, CData, str):
                said.append(part)
            continue
        if part.name in _WASTE:
            continue
        if part.name in _BLOCKS:
            said.append("\n")
            left.append(" " if part.name in ("td", "th") else "\n")
        if part.name in _HEADINGS:
            said.append("#" * int(part.name[1]) + " ")
        left += reversed(part.contents)
    return "".join(said)


def _pdf(data: bytes) -> tuple[str, str]:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Invalid("The PDF is locked with a password. Save it without one.", code="locked_file")
        if len(reader.pages) > MAX_PAGES:
            raise Invalid(f"The PDF has more than {MAX_PAGES:,} pages. Split it.", code="too_long")
        pages, length = [], 0
        for page in reader.pages:
            pages.append(page.extract_text())
            length += len(pages[-1])
            if length > MAX_CHARACTERS:
                break
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        raise Invalid(f"The PDF is damaged: {str(error)[:200] or type(error).__name__}.", code="bad_file") from None
    return "\n\n".join(pages), title
