"""Small files of many kinds, as programs write them: by the bytes that tell one from another."""

from __future__ import annotations

import io
import struct
import zipfile

LATIN = "Artículo;Precio\nCafé;1,20 €\n".replace("€", "EUR").encode("latin-1")
UTF16 = "Name,Straße\r\nCarla,Hauptstraße 5\r\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
MP3 = b"\xff\xfb\x90\x64" + bytes(400)
MP3_LOW = b"\xff\xe3\x18\xc4" + bytes(400)
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(400)
AMR = b"#!AMR\n" + bytes(60)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(64)
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(100)
BMP = b"BM" + struct.pack("<IHHI", 200, 0, 0, 54) + bytes(186)


def archive(*names: str, mimetype: str = "", filler: int = 0) -> bytes:
    """A ZIP file with entries of these names, the first of them its ``mimetype`` when it says one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        if mimetype:
            file.writestr("mimetype", mimetype)
        for name in names:
            file.writestr(name, "x" * max(1, filler))
    return made.getvalue()


def movie(brand: bytes, *others: bytes) -> bytes:
    """The beginning of a file of the MP4 family."""
    brands = brand + bytes(4) + b"".join(others)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(64)


def opus() -> bytes:
    """The first page of an OGG file with Opus in it."""
    return b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01\x38\x01" + bytes(60)


def webp(*, moving: bool) -> bytes:
    """A WebP picture, still or animated."""
    chunk = b"VP8X" + struct.pack("<I", 10) + (b"\x02" if moving else b"\x00") + bytes(9) + (b"ANIM" + bytes(10) if moving else b"")
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


CONTENT = "[Content_Types].xml"
DOCX = archive(CONTENT, "_rels/.rels", "word/document.xml", filler=9_000)
XLSX = archive(CONTENT, "xl/workbook.xml", "docProps/app.xml")
PPTX = archive("docProps/app.xml", "ppt/presentation.xml", CONTENT, filler=40_000)
APK = archive("META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex")
EPUB = archive("META-INF/container.xml", mimetype="application/epub+zip")
ODT = archive("content.xml", mimetype="application/vnd.oasis.opendocument.text")
