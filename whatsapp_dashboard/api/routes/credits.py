"""Credits: balance, ledger, top-up, price (API-3, CRED-1, CRED-2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.once import IdempotencyKey
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.api.routes.deliveries import Cursor, Limit
from whatsapp_dashboard.credits.ledger_csv import csv_header, csv_row
from whatsapp_dashboard.credits.views import LedgerFilters

router = Router(prefix="/api/credits", tags=["credits"])


class CreditsOut(BaseModel):
    """What the workspace has. `held` is set aside for answers under way. With a `price` of 0 billing is off. `low`: fewer than 20
    answers are left."""

    model_config = ConfigDict(from_attributes=True)

    balance: int
    held: int
    available: int
    price: int
    answers_left: int | None
    exhausted: bool
    low: bool


class EntryOut(BaseModel):
    """One line of the ledger."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    at: datetime
    type: str
    amount: int
    balance_before: int
    balance_after: int
    description: str
    related_type: str
    related_id: str | None
    operator: str
    contact: str
    conversation_id: str | None


class LedgerOut(BaseModel):
    """Lines, newest first."""

    items: list[EntryOut]
    next_cursor: str


class DayOut(BaseModel):
    """One day: credits `spent` by answers, `added`, and `taken` away by corrections; the `balance` at its end."""

    model_config = ConfigDict(from_attributes=True)

    day: str
    spent: int
    added: int
    taken: int
    balance: int


class TopUp(Given):
    """Credits to add."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"amount": 1_000, "description": "Invoice 2026-17"}]})

    amount: int
    description: Annotated[str, Field(max_length=1_000)] = ""


class Adjustment(Given):
    """A correction, with its reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"amount": -20, "description": "Tests of November"}]})

    amount: int
    description: Annotated[str, Field(max_length=1_000)]


class PriceChange(Given):
    """What an answer costs; 0 turns billing off."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"price": 2}]})

    price: int


def _filters(
    type: Literal["", "credit", "debit"] = "", since: AwareDatetime | None = None, until: AwareDatetime | None = None
) -> LedgerFilters:
    return LedgerFilters(type, since, until)


Filters = Annotated[LedgerFilters, Depends(_filters)]


@router.get("")
async def state(who: Who, services: Services) -> CreditsOut:
    """What the workspace has."""
    return CreditsOut.model_validate(await services.credits.state(who))


@router.patch("")
async def set_price(given: PriceChange, who: Who, services: Services) -> CreditsOut:
    """Say what an answer costs from now on. For owners."""
    return CreditsOut.model_validate(await services.credits.set_price(who, given.price))


@router.get("/ledger")
async def ledger(who: Who, services: Services, filters: Filters, cursor: Cursor = "", limit: Limit = 50) -> LedgerOut:
    """The ledger, newest first."""
    page = await services.credits.ledger(who, filters, cursor=cursor, limit=limit)
    return LedgerOut(items=[EntryOut.model_validate(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get("/ledger.csv", response_class=StreamingResponse)
async def export(who: Who, services: Services, filters: Filters) -> StreamingResponse:
    """The matching lines as CSV."""
    await services.credits.ledger(who, filters, limit=1)  # a refusal must come before the answer has begun

    async def stream() -> AsyncIterator[str]:
        yield csv_header()
        async for row in services.credits.everything(who, filters):
            yield csv_row(row)

    return StreamingResponse(stream(), media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="credits.csv"'})


@router.get("/daily")
async def daily(
    who: Who, services: Services, days: Annotated[int, Query(ge=1, le=366)] = 30, zone: Annotated[str, Query(max_length=64)] = "UTC"
) -> list[DayOut]:
    """What was spent and added on each of the last days in a time zone such as `Europe/Madrid`, and the balance at its end."""
    return [DayOut.model_validate(day) for day in await services.credits.daily(who, days, zone)]


@router.post("/top-up", status_code=201)
async def top_up(given: TopUp, who: Who, services: Services, key: IdempotencyKey = None) -> EntryOut:
    """Add credits. For owners."""
    row = await services.credits.top_up(who, given.amount, description=given.description, idempotency_key=key)
    return EntryOut.model_validate(row)


@router.post("/adjust", status_code=201)
async def adjust(given: Adjustment, who: Who, services: Services, key: IdempotencyKey = None) -> EntryOut:
    """Correct the balance, up or down. For owners."""
    row = await services.credits.adjust(who, given.amount, description=given.description, idempotency_key=key)
    return EntryOut.model_validate(row)
