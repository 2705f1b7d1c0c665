"""One engine host: carries a few sessions and does what the dashboard says, until the dashboard is gone (ENG-2)."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from whatsapp_dashboard.domain.messages import MessageKey
from whatsapp_dashboard.engines.multidevice.host.book import jid_of
from whatsapp_dashboard.engines.multidevice.host.library import LibraryError, packed
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb, neonize_pb
from whatsapp_dashboard.engines.multidevice.host.sends import Outcome, lookup
from whatsapp_dashboard.engines.multidevice.host.session import Session
from whatsapp_dashboard.engines.multidevice.protocol import VERSION, Method
from whatsapp_dashboard.engines.raw import address_from_raw, content_from_raw
from whatsapp_dashboard.engines.wire import CHUNK, Decoder, encode, error_frame
from whatsapp_dashboard.errors import AppError, Permanent, Retryable, Unavailable

log = logging.getLogger(__name__)

THREADS = 96
"""The library's calls block; a send waits for the server, so there must be more threads than sessions can keep busy."""
FINISH_SECONDS = 12.0
"""How long what is being sent may take when the dashboard is gone; longer than the library waits for a lost connection."""

CLOSE_SECONDS = 2.0
"""How long the dashboard waits for a session to be closed; calls under way may take longer, and end in the background."""

Raw = dict[str, Any]
Call = Callable[["Host", str, Raw, bytes], Awaitable[tuple[Raw, bytes]]]


class Host:
    """The sessions of this process and the line to the dashboard."""

    def __init__(self, sock: socket.socket, proxy: str) -> None:
        self._sock = sock
        self._proxy = proxy
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starts = 0
        self._hung = 0
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Serve until the dashboard closes the line or dies; then finish what is being sent, and end."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._sock, limit=1 << 20)
        try:
            await self._serve(reader)
        except OSError as error:
            # A dashboard that is killed with frames of ours unread resets the line instead of ending it.
            log.info("the line to the dashboard broke: %s", error)
        finally:
            await self._finish()

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        decoder = Decoder()
        greeted = False
        while chunk := await reader.read(CHUNK):
            for frame, data in decoder.feed(chunk):
                if not greeted:
                    greeted = True
                    self._greet(frame)
                else:
                    self._take(frame, data)

    def _greet(self, frame: Raw) -> None:
        if frame.get("v") != VERSION:
            self._say(error_frame(None, Permanent(f"This host speaks version {VERSION}, not {frame.get('v')}.")))
            return
        self._say({"t": "welcome", "v": VERSION})

    def _take(self, frame: Raw, data: bytes) -> None:
        if frame["t"] == "stored":
            if session := self._sessions.get(frame["s"]):
                session.stored(frame["n"])
            return
        task = asyncio.create_task(self._answer(frame, data))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, frame: Raw, data: bytes) -> None:
        arguments = frame["a"]
        try:
            answer, answered = await _CALLS[Method(frame["m"])](self, arguments.get("s", ""), arguments, data)
            self._say({"t": "reply", "id": frame["id"], "r": answer}, answered)
        except AppError as error:
            self._say(error_frame(frame["id"], error))
        except LibraryError as error:
            self._say(error_frame(frame["id"], Retryable(f"WhatsApp's library refused it: {str(error)[:200]}")))
        except Exception as error:
            log.exception("%s failed", frame["m"])
            self._say(error_frame(frame["id"], Retryable(f"The engine failed ({type(error).__name__}).")))

    def _say(self, frame: Raw, data: bytes = b"") -> None:
        if self._writer and not self._writer.is_closing():
            self._writer.write(encode(frame, data))

    async def _finish(self) -> None:
        """The dashboard is gone: what is being sent gets its entry in the journal, then every session is let go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        await asyncio.gather(*(session.close() for session in self._sessions.values()), return_exceptions=True)

    def _session(self, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise Unavailable("The account is not connected.", code="offline")
        return session

    def _ready(self, session_id: str) -> Session:
        session = self._session(session_id)
        if not session.connected:
            raise Unavailable("The account is not connected.", code="offline")
        return session

    async def _blocking(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    # -- what can be asked

    async def ping(self, _session: str, _args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """How this process is: memory in bytes, descriptors, threads, sessions, starts so far, and how many sessions the library
        does not let go of."""
        process = psutil.Process()
        with process.oneshot():
            return {
                "rss": process.memory_info().rss,
                "files": process.num_fds(),
                "threads": process.num_threads(),
                "sessions": len(self._sessions),
                "starts": self._starts,
                "hung": self._hung,
            }, b""

    async def open(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Begin to connect a session."""
        if session_id in self._sessions:
            await self.close(session_id, {}, b"")
        secret = base64.b64decode(args["secret"])

        def push(frame: Raw) -> None:
            self._say({**frame, "s": session_id})

        session = Session(session_id, Path(args["folder"]), secret, proxy=self._proxy, push=push, threads=self._threads)
        self._sessions[session_id] = session
        self._starts += 1
        try:
            await session.open(linked=args["linked"])
        except BaseException:
            if self._sessions.get(session_id) is session:  # else closed meanwhile, and perhaps another one is here
                del self._sessions[session_id]
            raise
        return {}, b""

    async def close(self, session_id: str, _args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """End a session's connection."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            closing = asyncio.create_task(self._close(session))
            self._tasks.add(closing)
            closing.add_done_callback(self._tasks.discard)
            await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
        return {}, b""

    async def _close(self, session: Session) -> None:
        if not await session.close():
            log.error("the library does not let go of a session")
            self._hung += 1
            self._say({"t": "hung", "s": session.session_id})

    async def logout(self, session_id: str, _args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Unlink the device."""
        await self._ready(session_id).logout()
        return {}, b""

    async def probe(self, session_id: str, _args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """One round trip to WhatsApp."""
        await self._blocking(self._ready(session_id).check)
        return {}, b""

    async def pair(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """A pairing code."""
        code, until = await self._session(session_id).pair(args["phone"])
        return {"code": code, "expires_at": until}, b""

    async def send(self, session_id: str, args: Raw, data: bytes) -> tuple[Raw, bytes]:
        """Send one message."""
        session = self._ready(session_id)
        content = content_from_raw(args["content"], data)
        return _sent(await self._blocking(session.sends.send, args["key"], address_from_raw(args["to"]), content))

    async def react(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Set or remove our reaction."""
        sends = self._ready(session_id).sends
        return _sent(await self._blocking(sends.react, args["key"], _key(args["target"]), args["emoji"]))

    async def edit(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Change a text of ours."""
        sends = self._ready(session_id).sends
        return _sent(await self._blocking(sends.edit, args["key"], _key(args["target"]), args["text"]))

    async def revoke(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Delete for everyone."""
        sends = self._ready(session_id).sends
        return _sent(await self._blocking(sends.revoke, args["key"], _key(args["target"])))

    async def read(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Blue ticks for the senders; messages of one chat and sender go together."""
        session = self._ready(session_id)
        together: dict[tuple[str, str], list[str]] = {}
        for raw in args["messages"]:
            key = _key(raw)
            together.setdefault((str(key.chat), str(key.sender or key.chat)), []).append(key.wa_id)
        for (chat, sender), ids in together.items():
            arguments = (" ".join(ids).encode(), int(args["at"]), *packed(jid_of(chat)), *packed(jid_of(sender)), b"read")
            await self._blocking(session.client.tell, "MarkRead", *arguments)
        return {}, b""

    async def typing(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Show or end "typing..."."""
        session = self._ready(session_id)
        to = str(address_from_raw(args["to"]))
        await self._blocking(session.client.tell, "SendChatPresence", *packed(jid_of(to)), 0 if args["on"] else 1, 0)
        return {}, b""

    async def download(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """The bytes of a received file."""
        session = self._ready(session_id)
        try:
            body = base64.b64decode(args["token"]["message"], validate=True)
            e2e_pb.Message.FromString(body)
        except Exception:
            raise Permanent("This file cannot be fetched: WhatsApp gave no address for it.", code="media_gone") from None
        try:
            answer = await self._blocking(session.client.ask, "DownloadAny", neonize_pb.DownloadReturnFunction, body, len(body))
        except LibraryError as error:
            raise _download_error(str(error)) from None
        return {}, answer.Binary

    async def lookup(self, session_id: str, args: Raw, _data: bytes) -> tuple[Raw, bytes]:
        """Whether a number is on WhatsApp."""
        session = self._ready(session_id)

        def ask() -> Raw:
            exists, jid, name = lookup(session.client, args["phone"])
            alt = session.book.alt(jid) if exists else None
            return {"exists": exists, "jid": jid, "alt": alt, "name": name}

        return await self._blocking(ask), b""


_CALLS: dict[Method, Call] = {method: getattr(Host, method.value) for method in Method}


def _sent(outcome: Outcome) -> tuple[Raw, bytes]:
    return {"wa_id": outcome.wa_id, "at": outcome.at, "in_doubt": outcome.in_doubt}, b""


def _key(raw: Raw) -> MessageKey:
    sender = raw.get("sender")
    return MessageKey(raw["wa_id"], address_from_raw(raw["chat"]), raw["from_me"], address_from_raw(sender) if sender else None)


_GONE = ("404", "410", "403", "not found", "hash", "hmac", "nothing downloadable", "invalid media")


def _download_error(text: str) -> AppError:
    """WhatsApp keeps files for some weeks; what is gone or damaged stays so."""
    low = text.lower()
    if any(
        words in low
        for words in ("404", "410", "403", "not found", "hash", "hmac", "no downloadable", "nothing downloadable", "invalid media")
    ):
        return Permanent("WhatsApp no longer has this file, or it does not match what was announced.", code="media_gone")
    return Retryable(f"WhatsApp did not hand the file over: {text[:200]}", code="download_failed")
