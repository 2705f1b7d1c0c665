"""Run a protocol peer by hand: ``python -m tests.peer --folder DIR``. It writes ``DIR/peer.json`` and takes commands, one a line:

scan NUMBER QR-TEXT        the owner of NUMBER scans a QR code (the dashboard's API tells its text)
code NUMBER CODE           the owner types a pairing code
passkey NUMBER             WhatsApp links NUMBER only with its passkey from now on
write NUMBER TO TEXT       the owner of NUMBER writes TEXT to the number TO on the phone
drop NUMBER | logout NUMBER
sent NUMBER                what the number's linked devices sent so far
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from tests.peer.client import PeerClient, PeerError
from tests.peer.control import Control
from tests.peer.server import Server


async def _serve(folder: Path, *, verbose: bool) -> None:
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    server = Server()
    await server.start(folder)
    control = Control(server)
    await control.start()
    told = {
        "proxy": f"http://127.0.0.1:{server.proxy_port}",
        "ca": str((folder / "ca.pem").resolve()),
        "root_key": server.identity.root[1].hex(),
        "websocket": f"wss://127.0.0.1:{server.port}/ws/chat",
        "control": f"http://127.0.0.1:{control.port}",
    }
    (folder / "peer.json").write_text(json.dumps(told, indent=2), encoding="utf-8")
    print(f"peer ready: {folder / 'peer.json'}", flush=True)
    end = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, end.set)
    commands = asyncio.create_task(_commands(told["control"])) if sys.stdin.isatty() else None
    await end.wait()
    if commands:
        commands.cancel()
    await control.stop()
    await server.stop()


async def _commands(url: str) -> None:
    print(__doc__, flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with PeerClient(url) as client:
        while line := (await reader.readline()).decode():
            words = line.strip().split(maxsplit=3)
            if words:
                try:
                    print(await _command(client, words) or "done", flush=True)
                except (PeerError, IndexError) as error:
                    print(f"cannot do that: {error}", flush=True)


async def _command(client: PeerClient, words: list[str]) -> Any:
    match words[0]:
        case "scan":
            return await client.scan("".join(words[2:]), words[1])
        case "code":
            return await client.enter_code(words[2], words[1])
        case "passkey":
            return await client.ask_for_passkey(words[1])
        case "write":
            return await client.do("owner_sends", number=words[1], to=words[2], text=words[3])
        case "drop":
            return await client.drop(words[1])
        case "logout":
            return await client.log_out(words[1])
        case "sent":
            return await client.received(words[1])
    return __doc__


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.peer", description="Run a protocol peer on loopback.")
    parser.add_argument("--folder", type=Path, required=True, help="for peer.json and the certificate")
    parser.add_argument("--verbose", action="store_true", help="print every stanza")
    given = parser.parse_args()
    asyncio.run(_serve(given.folder, verbose=given.verbose))


if __name__ == "__main__":
    _main()
