"""``{{variable}}`` in the text of a reply (FLOW-4). Names are looked up in a table; nothing is ever evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\{\{\s*([\w.]{1,64})\s*\}\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each variable replaced by its value; an unknown name becomes empty. Values are not looked into again."""
    return _VARIABLE.sub(lambda found: values.get(found[1], ""), text)
