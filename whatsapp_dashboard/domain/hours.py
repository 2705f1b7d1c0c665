"""Hours of a week in a time zone: when something is done, and when not. Pure."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from whatsapp_dashboard.domain.time_zones import time_zones

_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


class DayHours(BaseModel):
    """When the bot answers on one weekday, as ``HH:MM``. A day that ends before or when it begins goes on after midnight."""

    model_config = ConfigDict(extra="forbid")

    open: bool = True
    begins: Annotated[str, Field(pattern=_TIME)] = "09:00"
    ends: Annotated[str, Field(pattern=_TIME)] = "18:00"


class Hours(BaseModel):
    """Answering hours in a time zone; while they are off the bot answers at any time."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = False
    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    """IANA name. The daily limits of the AI count in it too."""
    days: Annotated[list[DayHours], Field(min_length=7, max_length=7)] = Field(
        default_factory=lambda: [DayHours(open=weekday < 5) for weekday in range(7)]
    )
    """Monday first."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in time_zones():
            raise ValueError(f"{value!r} is not a time zone such as Europe/Madrid or Asia/Kolkata")
        return value

    def is_open(self, now: datetime) -> bool:
        """Whether the bot answers at ``now`` (any time zone)."""
        if not self.enabled:
            return True
        local = now.astimezone(ZoneInfo(self.timezone))
        today, yesterday = self.days[local.weekday()], self.days[(local.weekday() - 1) % 7]
        clock = local.time()
        if today.open:
            begins, ends = time.fromisoformat(today.begins), time.fromisoformat(today.ends)
            if begins <= clock and (clock < ends or ends <= begins):
                return True
        begins, ends = time.fromisoformat(yesterday.begins), time.fromisoformat(yesterday.ends)
        return yesterday.open and ends <= begins and clock < ends

    def day_start(self, now: datetime) -> datetime:
        """The midnight before ``now`` in this time zone: where daily limits begin to count."""
        local = now.astimezone(ZoneInfo(self.timezone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0)
