"""The customers' phones: real, independent WhatsApp clients that talk to the protocol peer (ENG-1, ENG-6).

They are Baileys clients, many in one node process of their own; see ``tests/peer/baileys/README.md``.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.peer.customer import Customer, jid_of
from tests.peer.customer_process import PhoneError, PhoneProcess
from tests.peer.customer_records import StreamReport, report_from_raw
from tests.support.waiting import PATIENCE
from whatsapp_dashboard.domain.ids import Address

Scan = Callable[[str, str, str], Awaitable[Any]]
"""What links a phone: the text of its QR code, the number and the name of its owner."""


class Stream:
    """Customers who write numbered texts to one number, while it runs."""

    def __init__(self, process: PhoneProcess, number: int) -> None:
        self._process = process
        self._number = number

    async def report(self, wait: float = 0.0) -> StreamReport:
        """How far it is; waits up to ``wait`` seconds until all is written and answered."""
        raw = await self._process.call("stream_result", wait + PATIENCE, stream=self._number, wait_ms=int(wait * 1000))
        return report_from_raw(raw)


class Customers:
    """A process with any number of customers' phones; an async context manager.

    ``descriptor`` is what the peer wrote (``websocket`` and ``root_key`` are used); ``scan`` is the simulated owner's phone.
    """

    def __init__(self, descriptor: Mapping[str, Any], scan: Scan, *, log: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="customers-")
        log = log or Path(self._folder.name) / "customers.log"
        self.process = PhoneProcess(descriptor["websocket"], descriptor["root_key"], log, self._on_event)
        self._scan = scan
        self._customers: dict[str, Customer] = {}
        self._scans: dict[str, asyncio.Task[Any]] = {}
        self._streams = itertools.count(1)

    def __getitem__(self, name: str) -> Customer:
        return self._customers[name]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Switch the phones on. Raises :class:`PhoneError` when Baileys is missing."""
        await self.process.start()

    async def stop(self) -> None:
        """Switch all phones off; nothing is left running."""
        for scan in self._scans.values():
            scan.cancel()
        await asyncio.gather(*self._scans.values(), return_exceptions=True)
        await self.process.stop()
        self._folder.cleanup()

    async def add(self, name: str, number: str, display: str = "", timeout: float = PATIENCE) -> Customer:
        """Give a customer a phone and link it. Raises :class:`PhoneError` when it is not connected after ``timeout`` seconds."""
        customer = Customer(self.process, name, number, display or name.title())
        if name in self._customers:
            raise PhoneError(f"there is a customer named {name} already")
        self._customers[name] = customer
        await self.process.call("add", name=name, display=customer.display)
        await customer.wait_state("open", timeout)
        return customer

    async def add_many(self, people: Mapping[str, str], at_once: int = 4, timeout: float = PATIENCE) -> list[Customer]:
        """Link several customers, name -> number, a few at a time."""
        gate = asyncio.Semaphore(at_once)

        async def one(name: str, number: str) -> Customer:
            async with gate:
                return await self.add(name, number, timeout=timeout)

        return list(await asyncio.gather(*(one(name, number) for name, number in people.items())))

    async def stream(
        self, names: Sequence[str], *, to: str | Address, count: int, per_second: float = 0.0, prefix: str = "stream", answers: int = 1
    ) -> Stream:
        """Let each customer write ``count`` texts ``<prefix>-<name>-<6 digits>``, ``per_second`` each (0: as fast as it goes).

        An answer belongs to the text that it contains; it is complete when each text has ``answers`` of them.
        """
        number = next(self._streams)
        order = {"to": jid_of(to), "count": count, "per_second": per_second, "text_prefix": prefix, "answers": answers}
        await self.process.call("stream", stream=number, names=list(names), **order)
        return Stream(self.process, number)

    def _on_event(self, event: Mapping[str, Any]) -> None:
        name = event["name"]
        customer = self._customers[name]
        if event["event"] == "state":
            customer.became(event["state"])
        elif event["event"] == "qr" and (name not in self._scans or self._scans[name].done()):
            self._scans[name] = asyncio.create_task(self._link(customer, event["qr"]))

    async def _link(self, customer: Customer, qr: str) -> None:
        try:
            await self._scan(qr, customer.number, customer.display)
        except Exception as reason:
            customer.failed(reason)
