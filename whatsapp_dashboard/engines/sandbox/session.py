"""One connection of an account's engine: what the world owes its device, delivered in order until acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.engines.sandbox.devices import Device
from whatsapp_dashboard.engines.sandbox.linking import Waiting
from whatsapp_dashboard.engines.wire import encode, encode_text

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

WINDOW = 512
"""So many events may be under way to an engine at once."""


class Session:
    """The world's end of an engine's connection. Before the link ``device`` is None and ``waiting`` holds the QR codes."""

    def __init__(self, world: SandboxWorld, writer: asyncio.StreamWriter, label: str) -> None:
        self._world = world
        self._writer = writer
        self.label = label
        self.device: Device | None = None
        self.waiting: Waiting | None = None
        self.typing: dict[str, float] = {}
        """Contacts to whom the account shows "typing...", and until when."""
        self._listening = False
        self._cursor = 0
        self._unacked: dict[int, str | None] = {}
        self._backlog_until = 0
        self._backlog = self._backlog_left = 0

    # -- saying

    @property
    def hung(self) -> bool:
        """Whether the connection is to look alive and be dead."""
        return self.device is not None and self.device.switches.hang

    def write(self, data: bytes) -> None:
        """Send frames, later when the link is slow, never when it hangs."""
        if self.hung or self._writer.is_closing():
            return
        slow = self.device.switches.slow_ms if self.device else 0
        if slow:
            asyncio.get_running_loop().call_later(slow / 1000, self._write_late, data)
        else:
            self._writer.write(data)

    def _write_late(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def push(self, message: dict[str, Any]) -> None:
        """Tell the engine something about the session itself."""
        self.write(encode(message))

    def end(self, cause: str, reason: str, until: float | None = None) -> None:
        """Say why, then close."""
        if not self._writer.is_closing() and not self.hung:
            self._writer.write(encode({"t": "gone", "cause": cause, "reason": reason, "until": until}))
        self.close()

    def close(self) -> None:
        """Close without a word, as a broken line does."""
        self._listening = False
        if self.waiting:
            self.waiting.stop()
        self._writer.close()

    # -- events of the device

    def listen(self) -> int:
        """Begin to deliver: first what waited, then what comes. Returns how much waited."""
        assert self.device is not None
        row = self._world.store.one("SELECT count(*) AS n, coalesce(max(seq), 0) AS last FROM queue WHERE device = ?", self.device.id)
        self._backlog = self._backlog_left = row["n"]
        self._backlog_until = row["last"]
        self._cursor, self._listening = 0, True
        self._unacked.clear()
        if not self._backlog:
            self._world.after(self._caught_up)
        return self._backlog

    def acknowledge(self, seqs: Iterable[int]) -> None:
        """The engine has stored these events: forget them, and let the contacts see their ticks."""
        assert self.device is not None
        store, now = self._world.store, time.time()
        for seq in seqs:
            if seq not in self._unacked:
                continue
            wa_id = self._unacked.pop(seq)
            store.run("DELETE FROM queue WHERE seq = ?", seq)
            if wa_id is not None:
                store.run("UPDATE message SET delivered_at = ? WHERE wa_id = ? AND delivered_at IS NULL", now, wa_id)
            if seq <= self._backlog_until:
                self._backlog_left -= 1
                if not self._backlog_left:
                    self._world.after(self._caught_up)
        self._world.changed(self.device.phone)

    def _caught_up(self) -> None:
        self.push({"t": "caught_up", "count": self._backlog})

    def pump(self) -> None:
        """Deliver what is due, as far as the window allows."""
        room = WINDOW - len(self._unacked)
        if not self._listening or self.hung or room <= 0 or self.device is None:
            return
        rows = self._world.store.all(
            "SELECT seq, event, wa_id FROM queue WHERE device = ? AND seq > ? ORDER BY seq LIMIT ?", self.device.id, self._cursor, room
        )
        if not rows:
            return
        parts = []
        for row in rows:
            seq = self._cursor = row["seq"]
            self._unacked[seq] = row["wa_id"]
            waited = "true" if seq <= self._backlog_until else "false"
            parts.append(encode_text(f'{{"t":"event","seq":{seq},"offline":{waited},"e":{row["event"]}}}'))
        self.write(b"".join(parts))
