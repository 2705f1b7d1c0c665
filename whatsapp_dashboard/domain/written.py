"""What people paste, in plain signs: no invisible ones, and the digits, spaces and dashes of every script as ASCII (MSG-2)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_UNSEEN = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Signs without a look that Unicode does not count as format characters: joiners, fillers, variation selectors."""
_LOOKALIKES = {
    **dict.fromkeys("−‒⁃˗⁻₋ーｰ➖⎯─━", "-"),  # dashes that are none by their category
    **dict.fromkeys("·•․‧∙・･．。｡。", "."),
    **dict.fromkeys("／⁄∕", "/"),
    **dict.fromkeys("（﹙", "("),
    **dict.fromkeys("）﹚", ")"),
    **dict.fromkeys("［", "["),
    **dict.fromkeys("］", "]"),
    **dict.fromkeys("＋﹢➕", "+"),
    **dict.fromkeys("～∼⁓", "~"),
    **dict.fromkeys("＠﹫", "@"),
    **dict.fromkeys("：﹕", ":"),
    **dict.fromkeys("＿", "_"),
    "\u2800": " ",  # an empty Braille cell
}


def readable(text: str) -> str:
    """``text`` in plain signs, without space at its ends; everything else stays as it is."""
    plain = text if text.isascii() else "".join(map(_plain, text))
    return re.sub(r"\s", " ", plain).strip()


@lru_cache(maxsize=1_024)
def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in _LOOKALIKES:
        return _LOOKALIKES[sign]
    kind = unicodedata.category(sign)
    if kind == "Cf" or sign in _UNSEEN:
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(sign))
    if kind == "Pd":
        return "-"
    return " " if sign.isspace() or kind.startswith("Z") else sign
