"""Messages that are there: look up, export, change (API-3, MSG-8, MSG-11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.api.routes.sending import MessageOut, message_out
from whatsapp_dashboard.messages.log_views import LogFilters

router = Router(prefix="/api", tags=["messages"])


class Reaction(Given):
    """An emoji; empty removes ours."""

    model_config = ConfigDict(extra="forbid")

    emoji: Annotated[str, Field(max_length=64)]


class Edit(Given):
    """The new text."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, Field(max_length=1_000_000)]


class LogPageOut(BaseModel):
    """A page of the message log with the cursors of its neighbours."""

    items: list[dict[str, Any]]
    newer: str | None
    older: str | None
    searched_to: datetime | None


@router.post("/messages/{message_id}/retry", status_code=202)
async def retry(message_id: str, who: Who, services: Services) -> MessageOut:
    """Send again what failed or has no proof of delivery, never a duplicate; or what is in doubt, which the contact may then have
    twice (MSG-11)."""
    message = await services.messages.retry(who, message_id)
    return message_out(message, await services.messages.goes_to(who, message))


@router.post("/messages/{message_id}/reaction", status_code=202)
async def react(message_id: str, given: Reaction, who: Who, services: Services) -> dict[str, str]:
    """React with an emoji, or take the reaction back."""
    await services.messages.react(who, message_id, given.emoji)
    return {"status": "accepted"}


@router.post("/messages/{message_id}/edit", status_code=202)
async def edit(message_id: str, given: Edit, who: Who, services: Services) -> dict[str, str]:
    """Change the text of a message of ours."""
    await services.messages.edit(who, message_id, given.message)
    return {"status": "accepted"}


@router.post("/messages/{message_id}/revoke", status_code=202)
async def revoke(message_id: str, who: Who, services: Services) -> dict[str, str]:
    """Delete a message of ours for everyone."""
    await services.messages.revoke(who, message_id)
    return {"status": "accepted"}


def _filters(  # noqa: PLR0917 - FastAPI fills them by name
    account_id: Annotated[str, Query(max_length=64)] = "",
    conversation_id: Annotated[str, Query(max_length=64)] = "",
    direction: Annotated[str, Query(max_length=64)] = "",
    type: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[
        str, Query(max_length=64, description="A status, or `in_doubt`: sending was cut off, and WhatsApp may have it or not")
    ] = "",
    contact: Annotated[str, Query(max_length=1_000)] = "",
    text: Annotated[str, Query(max_length=1_000)] = "",
    since: Annotated[datetime | None, Query(description="With a time zone: 2026-01-31T00:00:00Z")] = None,
    until: datetime | None = None,
) -> LogFilters:
    return LogFilters(account_id, conversation_id, direction, type, status, contact, text, since, until)


Filters = Annotated[LogFilters, Depends(_filters)]
Cursor = Annotated[str, Query(max_length=200, description="From the neighbouring page; empty for the newest")]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/messages")
async def message_log(who: Who, services: Services, filters: Filters, cursor: Cursor = "", limit: Limit = 50) -> LogPageOut:
    """The message log, newest first."""
    return await _page(services, who, filters, cursor, limit)


@router.get("/messages/export.csv", response_class=StreamingResponse)
async def export(who: Who, services: Services, filters: Filters) -> StreamingResponse:
    """The matching messages as CSV, however many there are."""
    chunks = services.message_log.export(who, filters)
    first = await anext(chunks)  # a refusal must come before the answer has begun

    async def stream() -> AsyncIterator[str]:
        yield first
        async for chunk in chunks:
            yield chunk

    return StreamingResponse(stream(), media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="messages.csv"'})


@router.get("/messages/{message_id}")
async def message(message_id: str, who: Who, services: Services) -> dict[str, Any]:
    """Everything known of one message."""
    return asdict(await services.message_log.get(who, message_id))


@router.get("/accounts/{account_id}/messages")
async def account_messages(account_id: str, who: Who, services: Services, cursor: Cursor = "", limit: Limit = 50) -> LogPageOut:
    """The messages of one account, newest first."""
    await services.accounts.get(who, account_id)
    return await _page(services, who, LogFilters(account_id=account_id), cursor, limit)


async def _page(services: Services, who: Who, filters: LogFilters, cursor: str, limit: int) -> LogPageOut:
    page = await services.message_log.page(who, filters, cursor, limit)
    return LogPageOut(items=[asdict(row) for row in page.rows], newer=page.newer, older=page.older, searched_to=page.searched_to)
