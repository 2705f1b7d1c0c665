"""What text may be: the one place that knows which characters no database, no UTF-8 and no JSON takes, and leaves them out.

Everything that comes from outside passes here once, where it enters: what engines tell (domain/storable.py), what the API and the pages are
given (api/route.py, ui/guard.py), what providers and endpoints answer. Behind those places text can be stored as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def clean(text: str) -> str:
    """``text`` without NUL, and with U+FFFD in place of each half of a surrogate pair that stands alone; halves that belong together are
    joined."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def is_clean(text: str) -> bool:
    """Whether nothing in ``text`` has to be left out."""
    return clean(text) == text


def clean_all(value: Any) -> Any:
    """``value`` as JSON and forms have it, with every text in it cleaned, the names of its fields too. Other things stay as they are."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean_all(name): clean_all(part) for name, part in value.items()}
        case list():
            return [clean_all(part) for part in value]
        case tuple():
            return tuple(clean_all(part) for part in value)
        case _:
            return value


def first_unclean(pairs: Iterable[tuple[str, str]]) -> str | None:
    """The (cleaned) name of the first of these named values that has something to be left out; None when all are clean."""
    return next((clean(name) for name, value in pairs if not (is_clean(name) and is_clean(value))), None)
