"""WhatsApp's binary XML: nodes with attributes, and the dictionary of common words (version 3)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TOKENS = json.loads((Path(__file__).parent / "tokens.json").read_text(encoding="utf-8"))
_SINGLE: list[str] = _TOKENS["s"]
_DOUBLE: list[list[str]] = _TOKENS["d"]

LIST_EMPTY, DICTIONARY_0, DICTIONARY_3 = 0, 236, 239
AD_JID, LIST_8, LIST_16, JID_PAIR, HEX_8 = 247, 248, 249, 250, 251
BINARY_8, BINARY_20, BINARY_32, NIBBLE_8 = 252, 253, 254, 255
_DEVICE_SERVERS = {0: "s.whatsapp.net", 1: "lid", 128: "hosted", 129: "hosted.lid"}
_NIBBLES, _HEX = "0123456789-.\0\0\0\0", "0123456789ABCDEF"


@dataclass(frozen=True, slots=True)
class JID:
    """An address: a person's, a device's, a group's or a server's."""

    user: str
    server: str = "s.whatsapp.net"
    device: int = 0

    def __str__(self) -> str:
        user = f"{self.user}:{self.device}" if self.device else self.user
        return f"{user}@{self.server}" if user else self.server

    @property
    def bare(self) -> JID:
        """Without the device."""
        return JID(self.user, self.server)

    @classmethod
    def read(cls, text: str) -> JID:
        """``user:device@server`` as text."""
        user, _, server = text.rpartition("@")
        name, _, device = user.partition(":")
        return cls(name, server, int(device or 0))


SERVER = JID("", "s.whatsapp.net")


@dataclass(slots=True)
class Node:
    """A tag, its attributes, and nothing, bytes or nodes inside."""

    tag: str
    attrs: dict[str, Any] = field(default_factory=dict)
    content: bytes | list[Node] | None = None

    def children(self, tag: str | None = None) -> list[Node]:
        """The nodes inside, all or those called ``tag``."""
        inside = self.content if isinstance(self.content, list) else []
        return [node for node in inside if tag is None or node.tag == tag]

    def child(self, *path: str) -> Node | None:
        """The first node at the end of a path of tags."""
        node: Node | None = self
        for tag in path:
            node = next(iter(node.children(tag)), None) if node else None
        return node

    def data(self, *path: str) -> bytes:
        """The bytes inside the node at ``path``. Raises KeyError when there are none."""
        node = self.child(*path)
        if node is None or not isinstance(node.content, bytes):
            raise KeyError("/".join((self.tag, *path)))
        return node.content

    def __str__(self) -> str:
        attributes = "".join(f' {name}="{value}"' for name, value in self.attrs.items())
        if isinstance(self.content, list):
            return f"<{self.tag}{attributes}>{''.join(str(node) for node in self.content[:8])}</{self.tag}>"
        return f"<{self.tag}{attributes}/>" if self.content is None else f"<{self.tag}{attributes}>[{len(self.content)} B]</{self.tag}>"


def encode(node: Node) -> bytes:
    """A node as it goes over the wire, uncompressed and without the dictionary, which readers do not ask for."""
    return b"\0" + _encode(node)


def decode(frame: bytes) -> Node:
    """A node from the wire. Raises EOFError, IndexError or KeyError for what is none."""
    return _Decoder(zlib.decompress(frame[1:]) if frame[0] & 2 else frame[1:]).node()


def _raw(data: bytes) -> bytes:
    size = len(data)
    if size < 1 << 8:
        return bytes((BINARY_8, size)) + data
    if size < 1 << 20:
        return bytes((BINARY_20, size >> 16 & 15, size >> 8 & 255, size & 255)) + data
    return bytes((BINARY_32,)) + size.to_bytes(4, "big") + data


def _list(size: int) -> bytes:
    if size == 0:
        return bytes((LIST_EMPTY,))
    return bytes((LIST_8, size)) if size < 1 << 8 else bytes((LIST_16,)) + size.to_bytes(2, "big")


def _value(value: Any) -> bytes:
    if isinstance(value, JID):
        if value.device:
            return bytes((AD_JID, 1 if value.server == "lid" else 0, value.device)) + _raw(value.user.encode())
        user = _raw(value.user.encode()) if value.user else bytes((LIST_EMPTY,))
        return bytes((JID_PAIR,)) + user + _raw(value.server.encode())
    if isinstance(value, bytes):
        return _raw(value)
    if isinstance(value, list):
        return _list(len(value)) + b"".join(_encode(node) for node in value)
    return _raw(str(value).encode())


def _encode(node: Node) -> bytes:
    attributes = [(name, value) for name, value in node.attrs.items() if value is not None and value != ""]
    parts = [_list(1 + 2 * len(attributes) + (node.content is not None)), _raw(node.tag.encode())]
    for name, value in attributes:
        parts += (_raw(name.encode()), _value(value))
    if node.content is not None:
        parts.append(_value(node.content))
    return b"".join(parts)


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise EOFError
        self._at += size
        return found

    def _number(self, size: int = 1) -> int:
        return int.from_bytes(self._take(size), "big")

    def _list_size(self, tag: int) -> int:
        return {LIST_EMPTY: lambda: 0, LIST_8: self._number, LIST_16: lambda: self._number(2)}[tag]()

    def _packed(self, tag: int) -> str:
        alphabet = _NIBBLES if tag == NIBBLE_8 else _HEX
        size = self._number()
        text = "".join(alphabet[byte >> 4] + alphabet[byte & 15] for byte in self._take(size & 127))
        return text[:-1] if size >> 7 else text

    def _binary(self, tag: int) -> bytes:
        if tag == BINARY_8:
            return self._take(self._number())
        return self._take(self._number(3) & 0xFFFFF if tag == BINARY_20 else self._number(4))

    def value(self, *, text: bool = True) -> Any:
        """Whatever comes next; bytes as text unless told otherwise."""
        tag = self._number()
        if tag == LIST_EMPTY:
            return None
        if tag in (LIST_8, LIST_16):
            return list(self._nodes(self._list_size(tag)))
        if tag in (BINARY_8, BINARY_20, BINARY_32):
            data = self._binary(tag)
            return data.decode() if text else data
        if DICTIONARY_0 <= tag <= DICTIONARY_3:
            return _DOUBLE[tag - DICTIONARY_0][self._number()]
        if tag == JID_PAIR:
            user, server = self.value(), self.value()
            return JID(user or "", server)
        if tag == AD_JID:
            kind, device = self._number(), self._number()
            return JID(self.value(), _DEVICE_SERVERS.get(kind, "s.whatsapp.net"), device)
        return self._packed(tag) if tag in (HEX_8, NIBBLE_8) else _SINGLE[tag]

    def _nodes(self, count: int) -> Iterator[Node]:
        for _ in range(count):
            yield self.node()

    def node(self) -> Node:
        """The next node."""
        size = self._list_size(self._number())
        tag = self.value()
        attributes: dict[str, Any] = {}
        for _ in range((size - 1) >> 1):
            name = self.value()
            attributes[name] = self.value()
        return Node(tag, attributes, self.value(text=False) if size % 2 == 0 else None)
