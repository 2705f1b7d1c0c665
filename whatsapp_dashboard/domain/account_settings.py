"""The settings of one account, validated on every read and write. Every limit is visible and may be changed (ACC-11)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import phonenumbers
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from whatsapp_dashboard.domain.hours import Hours


class Pacing(BaseModel):
    """Human-like gaps between sends of one account, in milliseconds (MSG-6). Both 0 turns pacing off."""

    model_config = ConfigDict(extra="forbid")

    min_ms: Annotated[int, Field(ge=0, le=60_000)] = 600
    max_ms: Annotated[int, Field(ge=0, le=60_000)] = 1_800
    typing: bool = True
    """Show "typing..." before an automatic reply, for about as long as the gap."""

    @model_validator(mode="after")
    def _ordered(self) -> Pacing:
        if self.max_ms < self.min_ms:
            raise ValueError("the longest pause must not be shorter than the shortest one")
        return self


class Governor(BaseModel):
    """The safety governor that protects a number from being restricted (ACC-11)."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    new_contacts_per_day: Annotated[int, Field(ge=0, le=100_000)] = 50
    """First messages to people who never wrote, in any 24 hours."""
    warm_up_days: Annotated[int, Field(ge=0, le=90)] = 7
    """For this long after linking, the daily limit grows from a tenth to the whole."""
    check_number_first: bool = True
    """Ask whether the number is on WhatsApp before a first message."""


class AutoReply(BaseModel):
    """One fixed answer to messages of people; ``{{contact.name}}``, ``{{contact.phone}}`` and ``{{message}}`` are filled in."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = False
    text: Annotated[str, Field(max_length=4_096)] = ""
    every_minutes: Annotated[int, Field(ge=0, le=43_200)] = 720
    """A conversation gets it at most once in this time; 0: in answer to each message."""
    hours: Hours = Field(default_factory=Hours)
    """When it is sent; while they are off at any time."""
    outside_hours: bool = False
    """Send it outside of the hours instead: a message for when nobody is there."""

    @model_validator(mode="after")
    def _has_text(self) -> AutoReply:
        if self.enabled and not self.text.strip():
            raise ValueError("write the text of the reply before turning it on")
        return self

    @model_validator(mode="after")
    def _is_sent_at_some_time(self) -> AutoReply:
        if self.outside_hours and not self.hours.enabled:
            raise ValueError("turn the hours on before the reply is only sent outside of them")
        return self

    def is_due(self, now: datetime) -> bool:
        """Whether the hours let it be sent at ``now``."""
        return self.hours.is_open(now) != self.outside_hours


class AnswerLimits(BaseModel):
    """How many automatic answers, of whatever kind, one conversation gets before it is handed to people; 0: no limit."""

    model_config = ConfigDict(extra="forbid")

    per_minute: Annotated[int, Field(ge=0, le=10_000)] = 6
    per_hour: Annotated[int, Field(ge=0, le=10_000)] = 30
    per_day: Annotated[int, Field(ge=0, le=10_000)] = 100


class AccountSettings(BaseModel):
    """Everything an operator may tune on one account."""

    model_config = ConfigDict(extra="forbid")

    default_country: str | None = None
    """ISO 3166 alpha-2; numbers without a country code are read as numbers of this country (MSG-2)."""
    auto_reply: AutoReply = AutoReply()
    takeover_minutes: Annotated[int, Field(ge=1, le=10_080)] = 240
    """How long bots stay silent after a person wrote (AI-8)."""
    answer_groups: bool = False
    """Whether bots answer in groups (ACC-8)."""
    answer_own_numbers: bool = False
    """Whether bots answer numbers of the same workspace: two bots could answer each other."""
    answer_limits: AnswerLimits = AnswerLimits()
    answer_recovered_minutes: Annotated[int, Field(ge=0, le=1_440)] = 10
    """Messages that waited while the account was offline are answered only up to this age (ACC-10)."""
    resend_unconfirmed: bool = False
    """Send a message again by itself when it is in doubt whether WhatsApp has it; the contact may get it twice."""
    pacing: Pacing = Pacing()
    governor: Governor = Governor()

    @field_validator("default_country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if not value:
            return None
        code = value.strip().upper()
        if code not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{value!r} is not a country code such as ES or IN")
        return code
