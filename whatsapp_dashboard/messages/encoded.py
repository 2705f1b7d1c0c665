"""Files that come as text: base64 of either alphabet, wrapped or not, and ``data:`` URIs (API-3)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from whatsapp_dashboard.errors import Invalid

FIELD = "media.base64"
SCHEME = "data:"
_SPACE = b" \t\r\n\f\v"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_NO_SIGN = re.compile(rb"[^A-Za-z0-9+/=\s]")
_HEAD_LENGTH = 1_000
"""What stands before the comma of a data: URI is shorter."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The bytes, and what a ``data:`` URI says of them; empty where it says nothing."""

    data: bytes
    mimetype: str = ""
    filename: str = ""


def is_data_uri(text: str) -> bool:
    """Whether ``text`` is a ``data:`` URI rather than plain base64 or another address."""
    return text[:100].lstrip()[: len(SCHEME)].lower() == SCHEME


def decode(text: str) -> Decoded:
    """Read base64 or a ``data:`` URI. Raises :class:`Invalid` that says at which character it stops being one."""
    if not is_data_uri(text):
        return Decoded(_base64(text, 0))
    start = text.lower().index(SCHEME) + len(SCHEME)
    comma = text.find(",", start, start + _HEAD_LENGTH)
    if comma < 0:
        raise _bad("The data: URI has no comma; it looks like data:image/png;base64,iVBORw0...")
    kind, *parameters = [part.strip() for part in text[start:comma].split(";")]
    names = dict(part.split("=", 1) for part in parameters if "=" in part)
    filename = unquote(names.get("filename") or names.get("name") or "").strip('"')
    is_base64 = any(part.lower() == "base64" for part in parameters)
    return Decoded(_base64(text[comma + 1 :], comma + 1) if is_base64 else unquote_to_bytes(text[comma + 1 :]), kind, filename)


def _base64(text: str, before: int) -> bytes:
    """``before`` is how many characters of what was given stand in front of ``text``."""
    if "%" in text:  # '+', '/' and '=' are written so in addresses
        plain, shift = unquote(text), None
    else:
        plain, shift = text, before
    try:
        given = plain.encode("ascii").translate(_STANDARD)
    except UnicodeEncodeError as error:
        raise _bad(_at(plain, error.start, shift)) from None
    if found := _NO_SIGN.search(given):
        raise _bad(_at(plain, found.start(), shift))
    packed = given.translate(None, _SPACE)
    signs = packed.rstrip(b"=")
    if b"=" in signs:
        where = given.index(b"=")
        raise _bad(f"media.base64 ends at character {where + 1 + (shift or 0)} (“=”), but goes on behind it: send one file at a time.")
    if len(signs) % 4 == 1:
        raise _bad(f"media.base64 is cut off: its {len(signs)} characters do not make whole bytes. Was all of it sent?")
    return base64.b64decode(signs + b"=" * (-len(signs) % 4))


def _at(text: str, index: int, shift: int | None) -> str:
    where = f"at character {index + 1 + (shift or 0)}"
    return f"media.base64 has “{text[index]}” {where}, which is not a sign of base64 (A-Z, a-z, 0-9, + and /, or - and _)."


def _bad(text: str) -> Invalid:
    return Invalid(text, code="bad_base64", field=FIELD)
