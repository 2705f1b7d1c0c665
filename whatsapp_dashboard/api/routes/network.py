"""What private networks outgoing requests may reach (HOOK-7)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router

router = Router(prefix="/api/network", tags=["network"])


class AllowedOut(BaseModel):
    """A private host or network that requests may reach."""

    model_config = ConfigDict(from_attributes=True)

    value: str
    added_by: str
    added_at: datetime


class NewAllowed(Given):
    """What to allow."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"value": "n8n.local"}, {"value": "192.168.1.0/24"}]})

    value: Annotated[
        str, Field(max_length=1_000, description="A host name (it may then lead to private addresses), an address or a network")
    ]


@router.get("/allowed")
async def list_allowed(who: Who, services: Services) -> list[AllowedOut]:
    """The private hosts and networks that webhooks and other outgoing requests may reach. Without an entry none is reached."""
    return [AllowedOut.model_validate(item) for item in await services.network.allowed(who)]


@router.post("/allowed", status_code=201)
async def allow(given: NewAllowed, who: Who, services: Services) -> AllowedOut:
    """Allow a private host, address or network. Owners only. Addresses where clouds hand out credentials are never reached."""
    return AllowedOut.model_validate(await services.network.allow(who, given.value))


@router.delete("/allowed", status_code=204)
async def disallow(value: Annotated[str, Query(max_length=1_000)], who: Who, services: Services) -> None:
    """Take an entry off the list. Owners only."""
    await services.network.disallow(who, value)
