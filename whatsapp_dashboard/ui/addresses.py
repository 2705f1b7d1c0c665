"""A page's filters in its address, so that a view can be linked to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

_LONGEST = 300


def filters_of(parameters: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The filters ``names`` in the query of an address; unknown names are dropped."""
    return {name: value[:_LONGEST] for name in names if (value := parameters.get(name, ""))}


def address_of(path: str, filters: Mapping[str, str], names: Iterable[str], cursor: str = "") -> str:
    """The address of the page at ``path`` with these filters."""
    query = {name: filters[name] for name in names if filters.get(name)}
    if cursor:
        query["cursor"] = cursor
    return path + ("?" + urlencode(query) if query else "")
