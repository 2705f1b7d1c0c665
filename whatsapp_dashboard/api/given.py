"""What bodies of requests have in common: ``null`` is absent (API-1). Every model of a body is a :class:`Given`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, model_validator

from whatsapp_dashboard.domain.nulls import without_nulls


class Given(BaseModel):
    """A body, or a part of one. Many programs write null where they have nothing to say: a field that does not know null keeps what it
    has without it, and one that is needed is said to be missing."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        return without_nulls(cls, given) if isinstance(given, Mapping) else given
