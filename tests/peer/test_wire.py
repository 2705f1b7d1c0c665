"""The peer's codec and handshake, without a client library (ENG-6)."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peer.binary_xml import JID, Node, decode, encode

texts = st.text(st.characters(codec="utf-8", min_codepoint=33), min_size=1, max_size=12)
jids = st.builds(JID, st.text("0123456789", min_size=1, max_size=15), st.sampled_from(["s.whatsapp.net", "lid"]), st.integers(0, 99))
values = texts | jids
leaves = st.builds(Node, texts, st.dictionaries(texts, values, max_size=4), st.none() | st.binary(min_size=1, max_size=300))
nodes = st.recursive(
    leaves, lambda inside: st.builds(Node, texts, st.dictionaries(texts, values, max_size=3), st.lists(inside, min_size=1, max_size=5))
)


@given(nodes)
def test_what_is_encoded_is_decoded_as_it_was(node: Node) -> None:
    """ENG-6."""
    assert decode(encode(node)) == node


def test_large_and_compressed_frames_are_read() -> None:
    """Clients compress, and send files of any size as bytes."""
    node = Node("enc", {"v": "2"}, bytes(range(256)) * 8_000)
    assert decode(encode(node)) == node
    assert decode(b"\x02" + zlib.compress(encode(node)[1:])) == node


@pytest.mark.parametrize("frame", [b"\0", b"\0\xf8", b"\0\xf8\x02\xfc\x05ab"])
def test_what_is_no_node_is_refused(frame: bytes) -> None:
    """Bad input gets an error, not a wrong node."""
    with pytest.raises((EOFError, IndexError, KeyError)):
        decode(frame)


def test_jids_are_written_as_people_write_them() -> None:
    """MSG-2."""
    assert str(JID("34600", "s.whatsapp.net", 3)) == "34600:3@s.whatsapp.net"
    assert JID.read("34600:3@s.whatsapp.net") == JID("34600", "s.whatsapp.net", 3)
    assert JID.read("1203@g.us") == JID("1203", "g.us")
