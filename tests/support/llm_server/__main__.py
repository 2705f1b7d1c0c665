"""The server as a process of its own: prints ``{"address": ..., "urls": {...}}`` and runs until it is stopped.

``/control`` of the address tells it how to behave, see :meth:`LlmServer._control`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from tests.support.llm_server.server import LlmServer


async def main(port: int) -> None:
    """Serve until a signal."""
    done = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, done.set)
    async with LlmServer(port) as server:
        print(json.dumps({"address": server.address, "urls": {kind: server.url(kind) for kind in server.wires}}), flush=True)
        await done.wait()


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
asyncio.run(main(parser.parse_args().port))
