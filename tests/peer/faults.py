"""What tests can break on purpose, with a seed so that it breaks the same way each time."""

from __future__ import annotations

import asyncio
import random

PHASES = ("proxy", "tls", "websocket", "server_hello", "success")
"""The steps of a connection in which the server can fall silent, in their order."""


class Faults:
    """Global switches; those of one account are on the account."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.reset()

    def reset(self) -> None:
        """All well."""
        self.delay = 0.0
        self.duplicate = self.reorder = self.drop_acks = 0.0
        self.handshake: str | None = None
        self.outdated = False

    def set(
        self,
        *,
        delay_ms: float = 0,
        duplicate: float = 0,
        reorder: float = 0,
        drop_acks: float = 0,
        handshake: str | None = None,
    ) -> None:
        """Delay each delivery, and do the others with these probabilities; ``handshake`` is one of :data:`PHASES`."""
        if handshake is not None and handshake not in PHASES:
            raise ValueError(f"there is no phase {handshake!r}")
        self.delay, self.duplicate, self.reorder, self.drop_acks, self.handshake = (
            delay_ms / 1_000,
            duplicate,
            reorder,
            drop_acks,
            handshake,
        )

    async def maybe_hang(self, phase: str) -> None:
        """Fall silent for good when told to do so in this phase."""
        if self.handshake == phase:
            await asyncio.Event().wait()

    def happens(self, probability: float) -> bool:
        """Throw the dice."""
        return probability > 0 and self._random.random() < probability
