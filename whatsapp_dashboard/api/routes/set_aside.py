"""Events that could not be stored: look at them, try them again, discard them (DUR-1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.messages.set_aside import Retried, SetAsidePage

router = Router(prefix="/api/accounts/{account_id}/set-aside", tags=["accounts"])


@router.get("")
async def list_set_aside(
    account_id: str,
    who: Who,
    services: Services,
    cursor: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SetAsidePage:
    """The events of the account that could not be stored, with the reason."""
    return await services.set_aside.page(who, account_id, cursor=cursor, limit=limit)


@router.post("/retry")
async def retry_all(account_id: str, who: Who, services: Services) -> Retried:
    """Try all of them again, in the order in which they came."""
    return await services.set_aside.retry_all(who, account_id)


@router.post("/{event_id}/retry", status_code=204)
async def retry(account_id: str, event_id: str, who: Who, services: Services) -> None:
    """Try this one again. 409 with the reason when it still cannot be stored."""
    await services.set_aside.retry(who, account_id, event_id)


@router.delete("/{event_id}", status_code=204)
async def discard(account_id: str, event_id: str, who: Who, services: Services) -> None:
    """Remove it for good."""
    await services.set_aside.discard(who, account_id, event_id)
