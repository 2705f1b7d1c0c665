"""What a file is by its bytes alone (MSG-9): its own type, a container that several types use, or text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import filetype

from whatsapp_dashboard.domain.file_names import bare_type

HEAD = 8_192
ZIP, OLE, MP4 = "application/zip", "application/x-ole-storage", "video/mp4"
_OFFICE = "application/vnd.openxmlformats-officedocument."
IN_ZIP = frozenset(
    {
        *(_OFFICE + part for part in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")),
        *(_OFFICE + part for part in ("wordprocessingml.template", "spreadsheetml.template", "presentationml.slideshow")),
        *(f"application/vnd.ms-{part}.macroEnabled.12" for part in ("word.document", "excel.sheet", "powerpoint.presentation")),
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        "application/vnd.ms-visio.drawing",
        *(f"application/vnd.oasis.opendocument.{part}" for part in ("text", "spreadsheet", "presentation", "graphics")),
        *(f"application/vnd.apple.{part}" for part in ("pages", "numbers", "keynote")),
        "application/epub+zip",
        "application/vnd.android.package-archive",
        "application/java-archive",
        "application/vnd.google-earth.kmz",
    }
)
"""Types whose files are ZIP archives."""
IN_OLE = frozenset(
    {
        "application/msword",
        *(f"application/vnd.{part}" for part in ("ms-excel", "ms-powerpoint", "ms-outlook", "ms-publisher", "visio")),
        "application/x-msi",
    }
)
"""Types whose files are OLE compound documents, as older Office programs write them."""
_ENTRIES = 5_000
"""How many names of an archive are looked at."""
_FOLDERS = {
    b"word": f"{_OFFICE}wordprocessingml.document",
    b"xl": f"{_OFFICE}spreadsheetml.sheet",
    b"ppt": f"{_OFFICE}presentationml.presentation",
}
_MIMETYPE_ENTRY = re.compile(rb"(?s:PK\x03\x04.{26})mimetype(?:.{0,64}?)(application/[\w.+-]+?)(?=PK|\x00)", re.DOTALL)
_BRANDS = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4V ": "video/x-m4v",
    b"qt  ": "video/quicktime",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"crx ": "image/x-canon-cr3",
}
_SHORT_MARKS = frozenset({"image/bmp", "application/x-msdownload", "application/x-bzip2", "application/x-shockwave-flash", "audio/mpeg"})
"""Known by two or three letters, with which a text may begin as well."""
_TEXT_MARKS = ((b"BEGIN:VCARD", "text/vcard"), (b"BEGIN:VCALENDAR", "text/calendar"))
_BOMS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b") | {127}


def recognised(data: bytes) -> str:
    """The type that the bytes prove, :data:`ZIP` and :data:`OLE` for archives of no known kind; empty when they prove none."""
    head = data[:HEAD]
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _guess(head) if _guess(head) in IN_OLE else OLE
    if data.startswith(b"PK\x03\x04"):
        return _inside(data)
    if head[4:8] == b"ftyp":
        return _brand(head)
    if is_text(head):
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].upper()
        for mark, kind in _TEXT_MARKS:
            if text.startswith(mark):
                return kind
    guess = _guess(head)
    if guess in _SHORT_MARKS and _reads(head):
        return ""
    if not guess and b"%PDF-" in head[:1_024] and not is_text(head):
        return "application/pdf"  # some programs write a few bytes before it
    return guess or ("audio/mpeg" if _is_mp3(head) else "")


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is text beyond doubt: UTF-8, or what begins with the mark of UTF-16 or UTF-32."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            width = 4 if encoding == "utf-32" else 2
            return _decodes(head[: len(head) // width * width], encoding)
    return b"\x00" not in head and _decodes(head, "utf-8")


def may_be_text(head: bytes) -> bool:
    """Whether it could be text of an encoding without marks: Latin-1 and its kin, or UTF-16 as some programs write it."""
    if not _CONTROLS.intersection(head):
        return True
    even, odd = head[0::2], head[1::2]
    high, low = (even, odd) if even.count(0) > odd.count(0) else (odd, even)
    return high.count(0) > 0.6 * len(high) and not low.count(0)


def is_textual(mimetype: str) -> bool:
    """Whether files of this type are text."""
    return mimetype.startswith("text/") or mimetype.endswith(("+json", "+xml")) or mimetype in _TEXTUAL


_TEXTUAL = frozenset(
    {"message/rfc822", "application/x-ndjson", "application/x-subrip", "application/x-pem-file", "application/x-sh"}
    | {f"application/{name}" for name in ("json", "xml", "yaml", "toml", "sql", "javascript", "postscript")}
)


def _guess(head: bytes) -> str:
    kind = filetype.guess(head)
    mimetype = bare_type(str(kind.mime)) if kind else ""
    return "" if mimetype == "application/octet-stream" else mimetype


def _inside(data: bytes) -> str:
    """What an archive is, by the names of its entries."""
    said = _MIMETYPE_ENTRY.match(data[:HEAD])
    if said and bare_type(said[1].decode()) in IN_ZIP:
        return bare_type(said[1].decode())
    names = set(_names(data))
    if b"[Content_Types].xml" in names:
        folders = {name.partition(b"/")[0] for name in names}
        return next((kind for folder, kind in _FOLDERS.items() if folder in folders), ZIP)
    if b"AndroidManifest.xml" in names:
        return "application/vnd.android.package-archive"
    return ZIP


def _names(data: bytes) -> Iterator[bytes]:
    """The names in the list at the end of a ZIP file; none when there is no such list."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or end + 16 > len(data):
        return
    place = end - int.from_bytes(data[end + 12 : end + 16], "little")
    for _ in range(_ENTRIES):
        if place < 0 or data[place : place + 4] != b"PK\x01\x02":
            return
        name, extra, comment = (int.from_bytes(data[place + at : place + at + 2], "little") for at in (28, 30, 32))
        yield data[place + 46 : place + 46 + name]
        place += 46 + name + extra + comment


def _brand(head: bytes) -> str:
    brand = head[8:12]
    if brand.startswith(b"3g"):
        return "video/3gpp"
    if brand in (b"mif1", b"msf1"):  # says itself, further on, which kind of picture it is
        others = head[16 : int.from_bytes(head[:4], "big")]
        return next((_BRANDS[mark] for mark in (b"heic", b"heix", b"hevc", b"avif", b"avis") if mark in others), _BRANDS[brand])
    return _BRANDS.get(brand, MP4)


def _is_mp3(head: bytes) -> bool:
    """The mark of a frame of MPEG audio, layer III, with a bit rate and a sampling rate that there are."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _reads(head: bytes) -> bool:
    return is_text(head) and not _CONTROLS.intersection(head)


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4 and len(head) >= HEAD - 3  # a character cut at the end of the head
    return True
