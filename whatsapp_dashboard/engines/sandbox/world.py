"""The sandbox world: plays WhatsApp's servers and the phones, for engines and tests that come over a Unix socket (ENG-5).

It runs inside the dashboard in a thread of its own (:class:`WorldThread`), or as its own process, an outside witness:
``python -m whatsapp_dashboard.engines.sandbox.world --data DIR --socket PATH [--seed N]``.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from pathlib import Path

from whatsapp_dashboard.engines.sandbox.server import SandboxWorld, socket_path_for

_START_SECONDS = 10


class WorldThread:
    """A world inside the dashboard's process, in a thread and event loop of its own, so that its disk never blocks the dashboard."""

    def __init__(self, data_dir: Path, seed: int | None = None) -> None:
        self.socket_path = str(socket_path_for(data_dir))
        self._data_dir = data_dir
        self._seed = seed
        self._thread = threading.Thread(target=self._run, name="sandbox-world", daemon=True)
        self._up = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    async def start(self) -> None:
        """Start and wait until it listens. Raises what kept it from starting."""
        self._thread.start()
        await asyncio.to_thread(self._up.wait, _START_SECONDS)
        if self._failure is not None:
            raise self._failure
        if not self._up.is_set():
            raise RuntimeError("the sandbox world did not start in time")

    async def stop(self) -> None:
        """Stop and wait for the end; safe to call twice."""
        if self._loop and self._end and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            await asyncio.to_thread(self._thread.join, 5)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            self._failure = error
            self._up.set()

    async def _live(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        world = SandboxWorld(self._data_dir, seed=self._seed)
        await world.start()
        self._up.set()
        await self._end.wait()
        await world.stop()


async def _main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m whatsapp_dashboard.engines.sandbox.world", description="Run a sandbox world.")
    parser.add_argument("--data", type=Path, required=True, help="folder for sandbox.db")
    parser.add_argument("--socket", type=Path, help="Unix socket to listen at (default: sandbox.sock in the folder)")
    parser.add_argument("--seed", type=int, help="who lives in a new world (default: 1)")
    given = parser.parse_args(arguments)
    end = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, end.set)
    world = SandboxWorld(given.data, given.socket, given.seed)
    await world.start()
    sys.stdout.write(f"sandbox world listens at {world.socket_path}\n")
    sys.stdout.flush()
    await end.wait()
    await world.stop()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
