"""The delivery log of webhooks: look, and send again (API-3, HOOK-6, HOOK-8)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.webhooks.views import DeliveryFilters, DeliveryState

router = Router(prefix="/api/webhooks/deliveries", tags=["webhooks"])

Cursor = Annotated[str, Query(max_length=200, description="`next_cursor` of the page before; empty for the newest")]
Limit = Annotated[int, Query(ge=1, le=200)]


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint. `held` says why one that is due does not go out: `paused`, `failing`, `off` or `quiet`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    url: str
    account_id: str | None
    account_name: str | None
    conversation_id: str | None
    state: DeliveryState
    attempts: int
    replays: int
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    last_status: int | None
    last_error: str
    last_ms: int | None
    held: str


class DeliveryPageOut(BaseModel):
    """A page of the log."""

    items: list[DeliveryOut]
    next_cursor: str


class AttemptOut(BaseModel):
    """One request and what came back; the body is its first 4 KB."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    number: int
    round: int
    started_at: datetime
    ms: int
    succeeded: bool
    status: int | None
    error: str
    address: str
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str
    response_truncated: bool


class DeliveryDetailOut(DeliveryOut):
    """A delivery with the exact body of its request and all attempts, newest first."""

    body: str
    tries: list[AttemptOut]


class Replayed(BaseModel):
    """How many deliveries were queued again."""

    replayed: int


class Matching(Given):
    """Which finished deliveries to send again; what is absent does not filter."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"state": "dead"}, {"webhook_id": "...", "since": "2026-01-31T10:00:00Z"}]}
    )

    state: Annotated[str, Field(max_length=64)] = ""
    event: Annotated[str, Field(max_length=100)] = ""
    webhook_id: Annotated[str, Field(max_length=64)] = ""
    account_id: Annotated[str, Field(max_length=64)] = ""
    event_id: Annotated[str, Field(max_length=64)] = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def _filters(  # noqa: PLR0917 - FastAPI fills them by name
    state: Annotated[str, Query(max_length=64, description="pending, delivering, succeeded, dead, or waiting (the first two)")] = "",
    event: Annotated[str, Query(max_length=100)] = "",
    webhook_id: Annotated[str, Query(max_length=64)] = "",
    account_id: Annotated[str, Query(max_length=64)] = "",
    event_id: Annotated[str, Query(max_length=64, description="What receivers see as `webhook-id`")] = "",
    since: Annotated[AwareDatetime | None, Query(description="With a time zone: 2026-01-31T00:00:00Z")] = None,
    until: AwareDatetime | None = None,
) -> DeliveryFilters:
    return DeliveryFilters(state, event, webhook_id, account_id, event_id, since, until)


@router.get("")
async def list_deliveries(
    who: Who, services: Services, filters: Annotated[DeliveryFilters, Depends(_filters)], cursor: Cursor = "", limit: Limit = 50
) -> DeliveryPageOut:
    """The delivery log, newest first."""
    return await page_of(services, who, filters, cursor, limit)


@router.post("/replay")
async def replay_matching(given: Matching, who: Who, services: Services) -> Replayed:
    """Send all finished deliveries again that match, under the same event ids. Those still waiting go out by themselves."""
    values = given.model_dump()
    return Replayed(replayed=await services.deliveries.replay_matching(who, DeliveryFilters(event_type=values.pop("event"), **values)))


@router.get("/{delivery_id}")
async def get_delivery(delivery_id: str, who: Who, services: Services) -> DeliveryDetailOut:
    """One delivery: the exact body, and every attempt with its answer."""
    detail = await services.deliveries.get(who, delivery_id)
    tries = [AttemptOut.model_validate(attempt) for attempt in detail.attempts]
    return DeliveryDetailOut(**DeliveryOut.model_validate(detail.row).model_dump(), body=detail.body, tries=tries)


@router.post("/{delivery_id}/replay")
async def replay(delivery_id: str, who: Who, services: Services) -> DeliveryOut:
    """Send it again under the same event id; one that waits for its retry goes at once. 409 while it is under way."""
    return DeliveryOut.model_validate(await services.deliveries.replay(who, delivery_id))


async def page_of(services: Services, who: Who, filters: DeliveryFilters, cursor: str, limit: int) -> DeliveryPageOut:
    """A page of the log."""
    page = await services.deliveries.page(who, filters, cursor=cursor, limit=limit)
    return DeliveryPageOut(items=[DeliveryOut.model_validate(row) for row in page.rows], next_cursor=page.next_cursor)
