"""How other processes are spoken to (the sandbox world, the engine hosts): frames over a Unix socket, each a JSON object and
optional bytes.

A frame is two big-endian lengths (JSON, bytes), the JSON, the bytes. The first frame of a connection is a ``hello`` with
the version; the other side answers with ``welcome`` or an error and from then on with a ``reply`` or ``error`` for each ``call``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

from whatsapp_dashboard import errors
from whatsapp_dashboard.errors import AppError, Permanent, Retryable, Unavailable

VERSION = 1
CHUNK = 1 << 18
MAX_JSON = 16 << 20
MAX_BYTES = 128 << 20
_HEAD = struct.Struct("!II")

Frame = tuple[dict[str, Any], bytes]


def encode(message: dict[str, Any], data: bytes = b"") -> bytes:
    """One frame, ready for the socket."""
    return encode_text(json.dumps(message, ensure_ascii=False, separators=(",", ":")), data)


def encode_text(text: str, data: bytes = b"") -> bytes:
    """One frame of an object that is JSON already."""
    head = text.encode("utf-8", "surrogatepass")
    return b"".join((_HEAD.pack(len(head), len(data)), head, data))


class Decoder:
    """Cuts what comes from a socket into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[Frame]:
        """All frames that ``chunk`` completes. Raises ValueError when the other side does not speak this protocol."""
        self._buffer += chunk
        frames: list[Frame] = []
        start, end = 0, len(self._buffer)
        while end - start >= _HEAD.size:
            text, data = _HEAD.unpack_from(self._buffer, start)
            if text > MAX_JSON or data > MAX_BYTES:
                raise ValueError("the frame is too large")
            first = start + _HEAD.size
            if end - first < text + data:
                break
            message = json.loads(self._buffer[first : first + text].decode("utf-8", "surrogatepass"))
            if not isinstance(message, dict):
                raise ValueError("a frame must hold an object")
            frames.append((message, bytes(self._buffer[first + text : first + text + data])))
            start = first + text + data
        del self._buffer[:start]
        return frames


def error_frame(call_id: int | None, error: AppError) -> dict[str, Any]:
    """An error as a frame; :func:`read_error` makes the same error of it again."""
    after = getattr(error, "after", None)
    return {
        "t": "error",
        "id": call_id,
        "kind": type(error).__name__,
        "message": error.message,
        "code": error.code,
        "field": error.field,
        "after": after,
    }


def read_error(frame: dict[str, Any]) -> AppError:
    """The error a frame carries."""
    kind = getattr(errors, str(frame.get("kind")), None)
    message, code = str(frame.get("message", "")), frame.get("code")
    if kind is Retryable:
        return Retryable(message, after=frame.get("after"), code=code)
    if isinstance(kind, type) and issubclass(kind, AppError) and kind is not errors.TooMany:
        return kind(message, code=code, field=frame.get("field"))
    return Permanent(message, code=code)


class Line:
    """Our end of a connection; ``other`` names who is at the other end, for people."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, other: str) -> None:
        self._reader = reader
        self._writer = writer
        self._other = other
        self._decoder = Decoder()
        self._calls: dict[int, asyncio.Future[Frame]] = {}
        self._next = 0
        self._task: asyncio.Task[None] | None = None
        self.welcome: dict[str, Any] = {}
        self.closed = False

    @classmethod
    async def open(
        cls,
        path: str | socket.socket,
        hello: dict[str, Any],
        on_push: Callable[[dict[str, Any]], None],
        on_close: Callable[[], None],
        *,
        other: str,
        timeout: float = 10,
    ) -> Line:
        """Connect to the socket at ``path``, or over ``path`` when it is a connected socket, and introduce ourselves within
        ``timeout`` seconds. ``on_push`` gets what the other side says unasked.

        Raises :class:`Unavailable` when nobody answers, and what the other side refuses us with.
        """
        try:
            async with asyncio.timeout(timeout):
                streams = (
                    await asyncio.open_unix_connection(path, limit=1 << 20)
                    if isinstance(path, str)
                    else await asyncio.open_unix_connection(sock=path, limit=1 << 20)
                )
                line = cls(*streams, other)
                try:
                    return await line._introduce(hello, on_push, on_close)
                except BaseException:
                    line._writer.close()
                    raise
        except (OSError, TimeoutError, ValueError):
            raise Unavailable(f"The {other} does not answer.", code="unreachable") from None

    async def _introduce(self, hello: dict[str, Any], on_push: Callable[[dict[str, Any]], None], on_close: Callable[[], None]) -> Line:
        self._writer.write(encode({"t": "hello", "v": VERSION, **hello}))
        frames: list[Frame] = []
        while not frames:
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                raise OSError("closed")
            frames = self._decoder.feed(chunk)
        (first, _), rest = frames[0], frames[1:]
        if first.get("t") == "error":
            raise read_error(first)
        self.welcome = first
        self._task = asyncio.create_task(self._read(rest, on_push, on_close), name=f"line to the {self._other}")
        return self

    async def call(self, method: str, args: dict[str, Any] | None = None, data: bytes = b"") -> Frame:
        """Ask; returns the answer and its bytes. Raises the other side's error, or :class:`Unavailable` when the line breaks."""
        if self.closed:
            raise Unavailable(f"The connection to the {self._other} is lost.", code="offline")
        self._next += 1
        call_id = self._next
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._calls[call_id] = future
        try:
            self._writer.write(encode({"t": "call", "id": call_id, "m": method, "a": args or {}}, data))
            frame, data = await future
        finally:
            self._calls.pop(call_id, None)
        return frame.get("r") or {}, data

    def post(self, message: dict[str, Any]) -> None:
        """Say something that needs no answer."""
        if not self.closed:
            self._writer.write(encode(message))

    async def close(self) -> None:
        """End the connection; safe to call twice."""
        self._break()
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, frames: list[Frame], on_push: Callable[[dict[str, Any]], None], on_close: Callable[[], None]) -> None:
        try:
            while True:
                for frame, data in frames:
                    self._take(frame, data, on_push)
                chunk = await self._reader.read(CHUNK)
                if not chunk:
                    break
                frames = self._decoder.feed(chunk)
        except (OSError, ValueError):
            pass
        self._break()
        on_close()

    def _take(self, frame: dict[str, Any], data: bytes, on_push: Callable[[dict[str, Any]], None]) -> None:
        if frame["t"] not in ("reply", "error"):
            on_push(frame)
            return
        future = self._calls.get(frame["id"])
        if future is None or future.done():
            return
        if frame["t"] == "reply":
            future.set_result((frame, data))
        else:
            future.set_exception(read_error(frame))

    def _break(self) -> None:
        self.closed = True
        self._writer.close()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(Unavailable(f"The connection to the {self._other} is lost.", code="offline"))
        self._calls.clear()
