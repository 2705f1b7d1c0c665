"""What the AI of accounts did: the log of calls, what they add up to, and what an answer was made of (API-3, AI-5, AI-6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from whatsapp_dashboard.ai.views import CallFilters, Outcome
from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.api.routes.ai import TraceOut
from whatsapp_dashboard.api.routes.deliveries import Cursor, Limit
from whatsapp_dashboard.errors import NotFound

router = Router(prefix="/api", tags=["ai"])


class CallOut(BaseModel):
    """One call of the log. `cost_micros` is in millionths of a US dollar, null when the price is not known."""

    model_config = ConfigDict(from_attributes=True)

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


class CallPageOut(BaseModel):
    """Calls, newest first."""

    items: list[CallOut]
    next_cursor: str


class UsageLineOut(BaseModel):
    """Calls added up."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    model: str
    calls: int
    ok: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    p95_ms: int | None


class UsageOut(BaseModel):
    """What the calls of some days add up to."""

    model_config = ConfigDict(from_attributes=True)

    total: UsageLineOut
    by_model: list[UsageLineOut]
    by_day: list[UsageLineOut]


def _filters(  # noqa: PLR0917 - FastAPI fills them by name
    account_id: Annotated[str, Query(max_length=64)] = "",
    outcome: Annotated[Literal["", "ok", "failed"], Query(description="Without it: all, cancelled ones too")] = "",
    purpose: Literal["", "reply", "try", "test"] = "",
    provider: Annotated[str, Query(max_length=32, description="A kind of provider, such as groq")] = "",
    since: Annotated[AwareDatetime | None, Query(description="With a time zone: 2026-01-31T00:00:00Z")] = None,
    until: AwareDatetime | None = None,
) -> CallFilters:
    return CallFilters(account_id, outcome, purpose, provider, since, until)


@router.get("/ai/calls")
async def calls(
    who: Who, services: Services, filters: Annotated[CallFilters, Depends(_filters)], cursor: Cursor = "", limit: Limit = 50
) -> CallPageOut:
    """The log of calls to providers, newest first (AI-6)."""
    page = await services.ai_log.page(who, filters, cursor=cursor, limit=limit)
    return CallPageOut(items=[CallOut.model_validate(row) for row in page.rows], next_cursor=page.cursor)


@router.get("/ai/usage")
async def usage(
    who: Who, services: Services, account_id: Annotated[str, Query(max_length=64)] = "", days: Annotated[int, Query(ge=1, le=366)] = 30
) -> UsageOut:
    """Calls, tokens and costs of the last days, by model and by day."""
    return UsageOut.model_validate(await services.ai_log.usage(who, account_id=account_id, days=days))


@router.get("/messages/{message_id}/ai-trace")
async def trace(message_id: str, who: Who, services: Services) -> TraceOut:
    """What an outgoing message was made of: the providers asked, the passages used (AI-5)."""
    found = await services.ai_log.trace(who, message_id)
    if found is None:
        raise NotFound("This message was not made by AI.", code="no_trace")
    return TraceOut.model_validate(found)
