"""What pages and the API give and get of the AI of accounts: settings, providers, calls, traces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from whatsapp_dashboard.domain.ai_settings import AiSettings

KEPT = "••••"
"""As a key in a change: the stored one stays. Keys are write-only (AI-9)."""


class Outcome(StrEnum):
    """How a call to a provider ended, or why none was made."""

    OK = "ok"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    NETWORK = "network"
    BAD_ANSWER = "bad_answer"
    EMPTY = "empty"
    REFUSED = "refused"
    INVALID = "invalid"
    BLOCKED = "blocked_address"
    CANCELLED = "cancelled"
    """A person took over, or the contact wrote more, before the answer was there."""
    RESTING = "resting"
    """Not asked: it failed lately and is left alone for a while (AI-3)."""
    BUSY = "busy"
    """Not asked: all its turns were taken for too long."""


@dataclass(frozen=True, slots=True)
class KindView:
    """A kind of provider that can be chosen (AI-2)."""

    name: str
    title: str
    default_url: str
    url_needed: bool
    url_editable: bool
    needs_key: bool
    lists_models: bool
    model_word: str
    """What its ``model`` field holds: "Model" or "Agent ID"."""
    default_model: str
    key_help_url: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as its provider lists it. None: not known."""

    id: str
    name: str
    takes_images: bool | None
    takes_audio: bool | None


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """What an operator decides about one provider of an account."""

    kind: str
    model: str
    label: str = ""
    """Empty: the title of the kind."""
    url: str = ""
    """Empty: the provider's own address."""
    key: str = ""
    """``KEPT`` in a change keeps the stored one; empty removes it."""
    takes_images: bool | None = None
    takes_audio: bool | None = None
    concurrency: int = 20
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ProviderView:
    """One provider of an account, in the order in which they are asked. The key never leaves: only whether there is one, and its end."""

    id: str
    kind: str
    kind_title: str
    label: str
    model: str
    url: str
    has_key: bool
    key_hint: str
    takes_images: bool | None
    takes_audio: bool | None
    concurrency: int
    enabled: bool
    resting_until: datetime | None
    """It failed lately and is left alone until then (AI-3)."""
    last_error: str
    last_ok_at: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """What the account's bot has done since midnight in its time zone."""

    answers: int
    tokens: int
    cost_usd: float
    """As far as costs are known."""
    limit_reached: bool


@dataclass(frozen=True, slots=True)
class AiConfigView:
    """How the AI of one account answers. An account without a stored configuration has the defaults, off."""

    account_id: str
    account_name: str
    enabled: bool
    settings: AiSettings
    providers: tuple[ProviderView, ...]
    today: Today
    open_now: bool
    """Whether its answering hours have it answer now."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One provider on the way to an answer: asked, or passed over (:attr:`Outcome.RESTING`, :attr:`Outcome.BUSY`)."""

    provider_id: str
    label: str
    kind: str
    model: str
    outcome: Outcome
    error: str
    """In words; empty when it answered. Never holds the key."""
    ms: int
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    """Millionths of a US dollar."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage of the knowledge base that the model was given (AI-5)."""

    document_id: str
    title: str
    heading: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Trace:
    """What an answer was made of."""

    kind: Literal["answer", "failure", "media"]
    """``failure`` and ``media``: the account's text was said instead of an answer."""
    steps: tuple[StepView, ...]
    passages: tuple[PassageView, ...]
    question_ids: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TryTurn:
    """One line of the "try it" chat."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class TryResult:
    """The bot's line, or (``text`` empty) nothing; with what it was made of."""

    text: str
    trace: Trace
    ms: int


@dataclass(frozen=True, slots=True)
class TestResult:
    """How asking one provider one question went."""

    ok: bool
    ms: int
    answer: str
    error: str
    outcome: Outcome
    model: str
    blocked_host: str = ""
    """With :attr:`Outcome.BLOCKED`: what an owner could allow."""


@dataclass(frozen=True, slots=True)
class CallFilters:
    """Which calls of the log (AI-6); None and empty mean all."""

    account_id: str = ""
    outcome: Literal["", "ok", "failed"] = ""
    purpose: Literal["", "reply", "try", "test"] = ""
    provider_kind: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call of the log."""

    id: str
    at: datetime
    account_id: str
    account_name: str
    conversation_id: str | None
    message_id: str | None
    provider_label: str
    provider_kind: str
    model: str
    purpose: str
    outcome: Outcome
    error: str
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    ms: int


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, newest first; ``cursor`` is empty on the last page."""

    rows: tuple[CallRow, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Calls added up: of one provider and model, or of one day."""

    label: str
    model: str
    calls: int
    ok: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the calls of some days add up to (AI-6)."""

    total: UsageLine
    by_model: tuple[UsageLine, ...]
    by_day: tuple[UsageLine, ...] = field(default=())
    """``label`` is the day, ``2026-11-25``, in UTC; days without calls are there too."""
