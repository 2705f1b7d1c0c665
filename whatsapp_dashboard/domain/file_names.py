"""Names of files and the types that belong to their endings (MSG-9). Pure: the same on every machine, whatever its own list says."""

from __future__ import annotations

import re
from pathlib import PurePath

UNKNOWN = "application/octet-stream"

_TYPES = """
application/pdf pdf
application/msword doc dot
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.openxmlformats-officedocument.wordprocessingml.template dotx
application/vnd.ms-word.document.macroEnabled.12 docm
application/vnd.ms-excel xls xlt
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.spreadsheetml.template xltx
application/vnd.ms-excel.sheet.macroEnabled.12 xlsm
application/vnd.ms-excel.sheet.binary.macroEnabled.12 xlsb
application/vnd.ms-powerpoint ppt pps pot
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.presentationml.slideshow ppsx
application/vnd.ms-powerpoint.presentation.macroEnabled.12 pptm
application/vnd.ms-outlook msg
application/vnd.ms-publisher pub
application/vnd.visio vsd
application/vnd.ms-visio.drawing vsdx
application/x-msi msi
application/x-ole-storage ole
application/vnd.oasis.opendocument.text odt
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.graphics odg
application/vnd.apple.pages pages
application/vnd.apple.numbers numbers
application/vnd.apple.keynote key
application/rtf rtf
application/epub+zip epub
application/x-mobipocket-ebook mobi
application/vnd.android.package-archive apk
application/java-archive jar
application/vnd.google-earth.kmz kmz
application/vnd.google-earth.kml+xml kml
application/gpx+xml gpx
application/geo+json geojson
application/zip zip
application/gzip gz tgz
application/x-7z-compressed 7z
application/x-rar-compressed rar
application/x-tar tar
application/x-bzip2 bz2
application/x-xz xz
application/zstd zst
application/json json
application/x-ndjson ndjson jsonl
application/xml xml xsd xsl
application/yaml yaml yml
application/toml toml
application/sql sql
application/javascript js mjs
application/x-sh sh
application/postscript ps eps ai
application/x-sqlite3 sqlite
application/x-pkcs12 p12 pfx
application/pkcs7-mime p7m
application/x-x509-ca-cert cer crt der
application/x-pem-file pem
application/acad dwg
image/vnd.dxf dxf
model/stl stl
application/x-bittorrent torrent
application/x-msdownload exe
application/wasm wasm
message/rfc822 eml
text/plain txt text log ini cfg conf
text/csv csv
text/tab-separated-values tsv
text/markdown md markdown
text/calendar ics
text/vcard vcf
text/html html htm
text/css css
text/vtt vtt
application/x-subrip srt
image/jpeg jpg jpeg jpe
image/png png
image/gif gif
image/webp webp
image/heic heic
image/heif heif
image/avif avif
image/tiff tif tiff
image/bmp bmp
image/svg+xml svg
image/x-icon ico
image/vnd.adobe.photoshop psd
audio/mpeg mp3
audio/mp4 m4a m4b
audio/aac aac
audio/amr amr
audio/ogg ogg oga opus
audio/x-wav wav
audio/x-flac flac
audio/midi mid midi
audio/x-aiff aif aiff
audio/x-ms-wma wma
video/mp4 mp4
video/x-m4v m4v
video/3gpp 3gp 3gpp
video/quicktime mov qt
video/webm webm
video/x-matroska mkv
video/x-msvideo avi
video/mpeg mpg mpeg
video/x-ms-wmv wmv
video/x-flv flv
"""
_ENDINGS = {kind: endings for kind, *endings in (line.split() for line in _TYPES.strip().splitlines())}
_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}
_OTHER_NAMES = {
    "audio/mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/wav": "audio/x-wav",
    "audio/flac": "audio/x-flac",
    "image/jpg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "text/x-vcard": "text/vcard",
    "text/x-markdown": "text/markdown",
    "text/xml": "application/xml",
    "text/json": "application/json",
    "text/javascript": "application/javascript",
    "text/yaml": "application/yaml",
    "application/x-yaml": "application/yaml",
    "application/csv": "text/csv",
    "application/x-zip-compressed": "application/zip",
    "application/x-gzip": "application/gzip",
    "application/vnd.rar": "application/x-rar-compressed",
    "application/x-pdf": "application/pdf",
}
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}", re.IGNORECASE)
_ENDING = re.compile(r"\.(?=[0-9]*[a-z])[a-z0-9]{1,10}$", re.IGNORECASE)
_CALLED = {"image": "picture", "video": "video", "audio": "audio", "text/vcard": "contact", "text/calendar": "event", UNKNOWN: "file"}
_OPEN = ("text/", "application/octet-stream", "application/zip", "application/gzip", "application/x-ole-storage", "application/json")
"""Types that files with many endings have: an ending that is not known here may well be the right one."""


def bare_type(mimetype: str) -> str:
    """``mimetype`` in small letters, without parameters, under its usual name; empty when it is none."""
    kind = mimetype.partition(";")[0].strip()
    if not _TYPE.fullmatch(kind):
        return ""
    low = kind.lower()
    known = next((name for name in _ENDINGS if name.lower() == low), low) if low.endswith("12") else low  # macroEnabled.12
    return _OTHER_NAMES.get(known, known)


def type_of_name(filename: str) -> str:
    """The type that goes with the ending of a name; empty when it has none that is known."""
    return _BY_ENDING.get(PurePath(filename).suffix[1:].lower(), "")


def ending_of(mimetype: str) -> str:
    """The ending (without its dot) of files of a type; empty when none is known."""
    return _ENDINGS.get(bare_type(mimetype), [""])[0]


def full_name(filename: str, mimetype: str) -> str:
    """A name under which the file opens: the given one, with the ending of its type where it has none; one is made up without any."""
    ending = ending_of(mimetype) or ("" if filename.strip(". ") else "bin")
    stem = filename.rstrip(". ")
    if not stem.strip(". ") or (stem.startswith(".") and _BY_ENDING.get(stem[1:].lower())):
        kind = bare_type(mimetype) or UNKNOWN
        called = _CALLED.get(kind) or _CALLED.get(kind.partition("/")[0], "document")
        return f"{called}.{ending or 'bin'}"
    if type_of_name(stem) or not ending or (_ENDING.search(stem) and bare_type(mimetype).startswith(_OPEN)):
        return stem
    return f"{stem}.{ending}"
