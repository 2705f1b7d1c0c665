"""Somebody else's text may hold a secret of ours: an endpoint that echoes what it got. Secrets are masked before the text is kept, shown or
logged, in every form in which they usually come back (SEC-7)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from urllib.parse import quote, quote_plus

MASK = "••••"
SHORTEST = 4
"""What is shorter is no secret, and would be found everywhere."""
_SHORTEST_INSIDE = 8
"""A piece of base64 that does not begin where the secret begins must be as long as this."""
_SCHEME = re.compile(r"^(?:bearer|basic|token|apikey|api-key|key|digest)[ :=]+([^\s:=]\S*)$", re.IGNORECASE)


def masked(text: str, secrets: Iterable[str], *, cut: bool = False) -> str:
    """``text`` without ``secrets``. ``cut``: the text ends in the middle, perhaps of a secret."""
    wanted = tuple(secret for secret in secrets if len(secret) >= SHORTEST)
    if not wanted or not text:
        return text
    pattern, forms = _finder(wanted)
    text = pattern.sub(MASK, text)
    if cut:
        begun = max((_begun(text, form) for form in forms), default=0)
        text = text[: len(text) - begun] + MASK if begun else text
    return text


def values_of(header: str) -> tuple[str, ...]:
    """What is secret in the value of a header: all of it, and of ``Bearer abc`` or ``Basic dXNlcjpwdw==`` what the scheme carries."""
    found = [header]
    if match := _SCHEME.match(header):
        found.append(match[1])
        try:
            user, _, password = base64.b64decode(match[1], validate=True).decode("ascii").partition(":")
        except (ValueError, binascii.Error):
            pass
        else:
            found += [part for part in (f"{user}:{password}", password) if part.isprintable()]
    return tuple(found)


@lru_cache(maxsize=512)
def _finder(secrets: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return re.compile("|".join(re.escape(form) for form in forms), re.IGNORECASE), tuple(forms)


def _forms(secret: str) -> set[str]:
    inner = json.dumps(secret)[1:-1]
    found = {
        secret,
        inner,
        json.dumps(inner)[1:-1],
        inner.replace("/", "\\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        secret.encode().hex(),
    }
    for raw, offset in product({secret.encode(), inner.encode()}, range(3)):
        # Base64 of a longer text that holds the secret: only signs that depend on nothing else.
        sure = base64.b64encode(bytes(offset) + raw).decode().rstrip("=")
        lead, tail = (0, 2, 3)[offset], (offset + len(raw)) % 3
        piece = sure[lead : len(sure) - 1 if tail else len(sure)]
        if len(piece) >= _SHORTEST_INSIDE or (offset == 0 and len(piece) >= SHORTEST):
            found |= {piece, piece.translate(str.maketrans("+/", "-_")), quote(piece, safe="")}
    if len(secret) >= _SHORTEST_INSIDE:
        found.add(base64.b64encode(secret.encode()).decode())
    return {form for form in found if len(form) >= SHORTEST}


def _begun(text: str, form: str) -> int:
    """How many signs at the end of ``text`` are the beginning of ``form``."""
    for length in range(min(len(form) - 1, len(text)), SHORTEST - 1, -1):
        if text.endswith(form[:length]):
            return length
    return 0
