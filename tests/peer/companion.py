"""A linked device for tests: the real client library (whatsmeow) in a process of its own, without our engine around it.

``python -m tests.peer.companion --peer DIR/peer.json --store FILE`` prints one JSON object a line: ``{"qr": text}``, ``{"login": outcome}``
and ``{"event": number, "body": base64}``; it takes JSON lines ``{"ask": "me" | "contacts"}`` and ``{"send": number, "text": text}``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


class CompanionProcess:
    """The parent's side; an async context manager."""

    def __init__(self, peer: Path, store: Path) -> None:
        """``peer`` is the peer's descriptor, ``store`` a file that may exist: then the device is linked already."""
        self._arguments = ["--peer", str(peer), "--store", str(store)]
        self._ca = json.loads(peer.read_text(encoding="utf-8"))["ca"]
        self._seen: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.peer.companion", *self._arguments),
            cwd=ROOT,
            env={**os.environ, "SSL_CERT_FILE": self._ca, "NEONIZE_BOT_TAG": "off"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.startswith(b"{"):
                async with self._news:
                    self._seen.append(json.loads(line))
                    self._news.notify_all()

    async def wait_for(self, what: str, number: int | None = None) -> Any:
        """The next line with ``what`` (an event with this number); each is given once. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while True:
                for place, line in enumerate(self._seen):
                    if what in line and (number is None or line[what] == number):
                        del self._seen[place]
                        return base64.b64decode(line["body"]) if number is not None else line[what]
                await self._news.wait()

    async def _tell(self, **command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def ask(self, name: str) -> Any:
        """The own push name (``me``), or the address book (``contacts``: number -> full name)."""
        await self._tell(ask=name)
        return await self.wait_for(name)

    async def send(self, number: str, text: str) -> str:
        """Write to somebody; the id."""
        await self._tell(send=number, text=text)
        return str(await self.wait_for("sent"))


def _run(peer: Path, store: Path) -> None:
    """The child's side."""
    from whatsapp_dashboard.engines.multidevice.host.book import jid_of
    from whatsapp_dashboard.engines.multidevice.host.library import Client, packed
    from whatsapp_dashboard.engines.multidevice.host.peer import trust
    from whatsapp_dashboard.engines.multidevice.host.protos import companion_pb, e2e_pb, neonize_pb

    told = json.loads(peer.read_text(encoding="utf-8"))
    trust(bytes.fromhex(told["root_key"]))
    out = threading.Lock()

    def say(**line: Any) -> None:
        with out:
            print(json.dumps(line), flush=True)

    client = Client(
        f"companion.{time.monotonic_ns()}",
        f"{store}?_foreign_keys=on&_journal_mode=WAL&_busy_timeout=10000&_x=",
        device=companion_pb.DeviceProps(os="Companion", platformType=companion_pb.DeviceProps.CHROME, requireFullSync=False),
        proxy=told["proxy"],
        on_qr=lambda text: say(qr=text),
        on_login=lambda outcome: say(login=outcome),
        on_event=lambda code, body: say(event=code, body=base64.b64encode(body).decode()),
        on_end=lambda error: say(end=error),
        on_log=lambda entry: print(entry.Message, file=sys.stderr),
    )
    client.start()
    for line in sys.stdin:
        command = json.loads(line)
        if "send" in command:
            to, message = jid_of(f"{command['send']}@s.whatsapp.net"), e2e_pb.Message(conversation=command["text"])
            answer = client.ask("SendMessage", neonize_pb.SendMessageReturnFunction, *packed(to), *packed(message))
            say(sent=answer.SendResponse.ID)
        elif command["ask"] == "me":
            say(me=client.ask("GetMe", neonize_pb.Device).PushName)
        else:
            contacts = client.ask("GetAllContacts", neonize_pb.ContactsGetAllContactsReturnFunction).Contact
            say(contacts={one.JID.User: one.Info.FullName for one in contacts if one.Info.FullName})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.peer.companion")
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    given = parser.parse_args()
    _run(given.peer, given.store)
    os._exit(0)
