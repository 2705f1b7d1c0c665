"""For development and tests only: lets this process talk to a protocol peer on this machine in place of WhatsApp's servers.

The library trusts WhatsApp's root key only; it is replaced in the memory of this process, and nowhere else.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_WHATSAPP_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")


def trust(root_key: bytes) -> None:
    """Let the loaded library take ``root_key`` for WhatsApp's. Raises RuntimeError when its own key was not found."""
    replaced = 0
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if "neonize-" not in line or " rw" not in line:
            continue
        low, high = (int(value, 16) for value in line.split(" ", 1)[0].split("-"))
        memory = ctypes.string_at(low, high - low)
        at = memory.find(_WHATSAPP_ROOT)
        while at >= 0:
            ctypes.memmove(low + at, root_key, len(_WHATSAPP_ROOT))
            replaced += 1
            at = memory.find(_WHATSAPP_ROOT, at + 1)
    if not replaced:
        raise RuntimeError("WhatsApp's root key was not found in the library; this version cannot talk to a peer")
