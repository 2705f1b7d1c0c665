"""A peer, and the customers Carla and Dev with real phones, kept for many tests: they live in a thread with an event loop of its own,
so that tests with loops of their own can use them."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.peer.client import PeerClient
from tests.peer.customer import Customer
from tests.peer.customers import Customers
from tests.peer.process import PeerProcess
from tests.support.waiting import PATIENCE

T = TypeVar("T")
CARLA, DEV = "34600111222", "919812345678"
_numbers = itertools.count(12025550100)


class Stage:
    """Open at the first use; close it when the last test is done."""

    _open: Stage | None = None

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._folder = Path(tempfile.mkdtemp(prefix="wa-stage-"))
        self.process = PeerProcess(self._folder)
        self.peer: PeerClient
        self.customers: Customers

    @classmethod
    def get(cls) -> Stage:
        """The stage of this test run."""
        if cls._open is None:
            cls._open = cls()
            cls._open._start()
        return cls._open

    @classmethod
    def close(cls) -> None:
        """End it, if it was opened."""
        stage, cls._open = cls._open, None
        if stage is not None:
            asyncio.run_coroutine_threadsafe(stage._end(), stage._loop).result(PATIENCE)
            stage._loop.call_soon_threadsafe(stage._loop.stop)
            stage._thread.join(5)
            stage.process.stop()
            shutil.rmtree(stage._folder, ignore_errors=True)

    def new_number(self) -> str:
        """A number that nobody had before."""
        return str(next(_numbers))

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the stage's loop, from any other loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    @property
    def carla(self) -> Customer:
        """A customer."""
        return self.customers["carla"]

    @property
    def dev(self) -> Customer:
        """Another one."""
        return self.customers["dev"]

    def _start(self) -> None:
        self.process.start()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._enter(), self._loop).result(PATIENCE)

    async def _enter(self) -> None:
        self.peer = PeerClient(self.process.info["control"])
        self.customers = Customers(self.process.info, self.peer.scan)
        await self.customers.start()
        await self.customers.add("carla", CARLA, "Carla")
        await self.customers.add("dev", DEV, "Dev")

    async def _end(self) -> None:
        await self.customers.stop()
        await self.peer.close()
