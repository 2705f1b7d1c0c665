"""Files that come as text are read in every way programs write them, and a fault says where it is (API-3)."""

from __future__ import annotations

import base64
import contextlib
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.encoded import Decoded, decode, is_data_uri

DATA = bytes(range(256)) + b"\xfb\xff\xfe"
PLAIN = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("="),
        base64.urlsafe_b64encode(DATA).decode(),
        base64.urlsafe_b64encode(DATA).decode().rstrip("="),
        "\r\n".join(textwrap.wrap(PLAIN, 76)) + "\r\n",
        f"  \t{PLAIN[:7]} {PLAIN[7:]}\n",
        PLAIN.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    ],
    ids=["standard", "no padding", "url-safe", "url-safe, no padding", "wrapped", "spaces", "percent"],
)
def test_base64_is_read_however_it_is_written(text: str) -> None:
    """API-3: both alphabets, with and without padding, with line breaks; the same behind the head of a data: URI."""
    assert decode(text) == Decoded(DATA)
    assert decode(f"data:image/png;base64,{text}") == Decoded(DATA, "image/png")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data:,Hello%2C%20World%21", Decoded(b"Hello, World!")),
        ("data:text/csv;charset=utf-8,a;b%0A1;2", Decoded(b"a;b\n1;2", "text/csv")),
        ("data:text/plain;charset=iso-8859-1,caf%E9", Decoded(b"caf\xe9", "text/plain")),
        ("DATA:text/plain;charset=UTF-8;BASE64,SGk", Decoded(b"Hi", "text/plain")),
        ("\n data:;base64,SGk=", Decoded(b"Hi")),
        ("data:application/pdf;name=men%C3%BA.pdf;base64,SGk=", Decoded(b"Hi", "application/pdf", "menú.pdf")),
        ('data:application/pdf; filename="a b.pdf"; base64,SGk=', Decoded(b"Hi", "application/pdf", "a b.pdf")),
        ("data:text/plain,ünï", Decoded("ünï".encode(), "text/plain")),
        ("data:image/png;base64,", Decoded(b"", "image/png")),
    ],
)
def test_a_data_uri_tells_bytes_type_and_name(text: str, expected: Decoded) -> None:
    """API-3: base64 or percent signs, parameters in any order."""
    assert is_data_uri(text)
    assert decode(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SGVs!G8=", "has “!” at character 5,"),
        ("SGVs\nbG8=\n…", "has “…” at character 11,"),
        ("data:image/png;base64,SGV€", "has “€” at character 26,"),
        ("SGVsb", "is cut off: its 5 characters"),
        ("SGk=\nSGk=", "ends at character 4 (“=”), but goes on behind it"),
        ("data:image/png;base64", "has no comma"),
        ("https://example.org/a.png", "has “:” at character 6,"),
        ("/tmp/photo.png", "has “.” at character 11,"),
    ],
)
def test_what_is_no_base64_is_told_with_the_place(text: str, words: str) -> None:
    """API-1: the answer says at which character it stops being base64."""
    with pytest.raises(Invalid) as refusal:
        decode(text)
    assert words in refusal.value.message
    assert (refusal.value.code, refusal.value.field) == ("bad_base64", "media.base64")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """API-1: nothing else than bytes or a refusal comes of it."""
    with contextlib.suppress(Invalid):
        assert isinstance(decode(text).data, bytes)
