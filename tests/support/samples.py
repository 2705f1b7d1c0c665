"""Small files made on the spot: a picture and a sound."""

from __future__ import annotations

import io
import math
import struct
import wave
import zlib


def picture(width: int, height: int, hue: int = 0) -> bytes:
    """A PNG with a gradient."""
    rows = b"".join(
        b"\0" + bytes(c for x in range(width) for c in ((x * 255 // width + hue) % 256, y * 255 // height, (180 + hue) % 256))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound(seconds: int) -> bytes:
    """A WAV with a tone."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"".join(struct.pack("<h", int(9_000 * math.sin(i / 6))) for i in range(8_000 * seconds)))
    return made.getvalue()
