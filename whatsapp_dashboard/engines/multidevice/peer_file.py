"""For development and tests only: what a protocol peer on this machine writes about itself, to be used in place of WhatsApp."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a protocol peer listens: its proxy's URL, the file of its certificate authority, its root key."""

    proxy: str
    ca: str
    root_key: bytes

    @classmethod
    def read(cls, file: Path) -> Peer:
        """What the peer wrote about itself. Raises OSError, KeyError or ValueError when it cannot be used."""
        told = json.loads(file.read_text(encoding="utf-8"))
        return cls(str(told["proxy"]), str(told["ca"]), bytes.fromhex(told["root_key"]))
