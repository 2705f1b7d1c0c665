"""What ``null`` says in a setting or a body: a field that knows null takes it; for every other field it is absent (API-1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel


def without_nulls(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` without the nulls that ``model`` has no use for, in groups of fields too. Names it does not know stay, to be refused."""
    left: dict[str, Any] = {}
    for name, value in given.items():
        field = model.model_fields.get(name)
        kind: Any = field.annotation if field else Any
        if value is None and not _takes_null(kind):
            continue
        group = isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, Mapping)
        left[name] = without_nulls(kind, value) if group else value
    return left


def _takes_null(kind: Any) -> bool:
    return kind is Any or NoneType in get_args(kind)
