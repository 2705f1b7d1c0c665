"""Linking: rotating QR codes and pairing codes, as WhatsApp shows them (ACC-3)."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"
"""Letters and digits that nobody confuses; WhatsApp's codes use the same."""


@dataclass(slots=True)
class Timings:
    """Seconds; the defaults are WhatsApp's, except for the ticks, which are quick."""

    qr_first: float = 60
    qr_next: float = 20
    qr_count: int = 6
    pairing: float = 180
    delivered_after: float = 0.15
    """From our send to the contact's second tick."""
    read_after: float | None = None
    """From the second tick to the blue ones; None: when the contact opens the chat."""


def new_qr_text() -> str:
    """A QR text like WhatsApp's: reference, three keys, and the kind of client."""
    keys = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(3)]
    return f"https://wa.me/settings/linked_devices#2@{base64.b64encode(secrets.token_bytes(66)).decode()},{','.join(keys)},1"


def new_pairing_code() -> str:
    """Eight characters, written XXXX-XXXX."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def plain_code(code: str) -> str:
    """A pairing code as it was typed, without what people put between."""
    return code.replace("-", "").replace(" ", "").upper()


class Waiting:
    """An account that waits to be linked: the code that is valid now, the ones that were, and the pairing code."""

    def __init__(self, timings: Timings, push: Callable[[dict[str, Any]], None]) -> None:
        self._timings = timings
        self._push = push
        self._shown = 0
        self._timer: asyncio.TimerHandle | None = None
        self.current: str | None = None
        self.expires_at = 0.0
        self.expired: set[str] = set()
        self.pairing: tuple[str, str, float] | None = None
        """Code, phone number, and until when."""

    def start(self) -> None:
        """Show the first code."""
        self._rotate()

    def stop(self) -> None:
        """No code is valid any more."""
        if self._timer:
            self._timer.cancel()
        if self.current:
            self.expired.add(self.current)
        self.current = self.pairing = None

    def pair(self, phone: str) -> tuple[str, float]:
        """A new pairing code for the phone with this number."""
        until = time.time() + self._timings.pairing
        self.pairing = (new_pairing_code(), phone, until)
        return self.pairing[0], until

    def _rotate(self) -> None:
        if self.current:
            self.expired.add(self.current)
        if self._shown >= self._timings.qr_count:
            self.current = None
            self._push({"t": "qr_expired"})
            return
        seconds = self._timings.qr_first if self._shown == 0 else self._timings.qr_next
        self._shown += 1
        self.current, self.expires_at = new_qr_text(), time.time() + seconds
        last = self._shown == self._timings.qr_count
        self._push({"t": "qr", "text": self.current, "expires_at": self.expires_at, "last": last})
        self._timer = asyncio.get_running_loop().call_later(seconds, self._rotate)
