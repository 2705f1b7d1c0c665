"""Accounts: create, link, watch, change, delete (API-3, ACC-1 to ACC-7)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from whatsapp_dashboard.accounts.views import AccountRow, qr_png
from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.numbers import international
from whatsapp_dashboard.system.checks import Check

router = Router(prefix="/api", tags=["accounts"])


StatusCode = Annotated[
    str,
    Field(
        description="The reason for programs while the session is down: connection_lost, restart_required, replaced, logged_out, banned, "
        "outdated, engine_crashed, qr_expired, or passkey_needed (WhatsApp links this number only with a passkey); else empty"
    ),
]


class EngineOut(BaseModel):
    """An engine an account may use."""

    name: str
    title: str
    summary: str
    capabilities: list[str]


class AccountOut(BaseModel):
    """One account."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    description: str
    engine: str
    capabilities: list[str]
    status: AccountStatus
    status_reason: str
    status_code: StatusCode
    status_changed_at: datetime
    wanted: bool
    linked: bool
    phone: str | None
    push_name: str
    platform: str
    linked_at: datetime | None
    connected_since: datetime | None
    last_inbound_at: datetime | None
    last_receipt_at: datetime | None
    last_proof_at: datetime | None
    attempt: int
    next_attempt_at: datetime | None
    gap_started_at: datetime | None
    gap_ended_at: datetime | None
    restricted_until: datetime | None
    restriction: str
    messages_24h: int
    settings: AccountSettings
    created_at: datetime


class StatusOut(BaseModel):
    """The session of an account as it is now."""

    model_config = ConfigDict(from_attributes=True)

    status: AccountStatus
    status_reason: str
    status_code: StatusCode
    status_changed_at: datetime
    linked: bool
    phone: str | None
    connected_since: datetime | None
    last_inbound_at: datetime | None
    last_receipt_at: datetime | None
    last_proof_at: datetime | None
    attempt: int
    next_attempt_at: datetime | None


class NewAccount(Given):
    """An account to create. It is connected by ``reconnect`` (which brings a QR)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Shop", "engine": "multidevice"}, {"name": "Trial", "engine": "sandbox"}]}
    )

    name: Annotated[str, Field(max_length=1_000, description="1 to 255 characters")]
    description: Annotated[str, Field(max_length=10_000)] = ""
    engine: Annotated[
        str | None,
        Field(
            max_length=64,
            description="`multidevice` links a real number, `sandbox` a simulated phone for trying things out; GET /api/engines lists "
            "them with what each can do. Without it: the first of that list",
        ),
    ] = None
    settings: dict[str, Any] | None = None


class AccountChange(Given):
    """What to change; what is absent stays. ``settings`` is merged group by group."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"settings": {"auto_reply": {"enabled": True, "text": "We answer in an hour."}}}]},
    )

    name: Annotated[str | None, Field(max_length=1_000)] = None
    description: Annotated[str | None, Field(max_length=10_000)] = None
    settings: dict[str, Any] | None = None


class QrOut(BaseModel):
    """The QR to scan now (ACC-3)."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    data_url: str
    issued_at: datetime
    expires_at: datetime
    last: bool


class PairingPhone(Given):
    """The number of the phone that shall be linked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"phone": "+34600111222"}]})

    phone: Annotated[str, Field(max_length=1_000)]


class PairingOut(BaseModel):
    """The code to type on the phone."""

    code: str
    expires_at: datetime
    number: Annotated[str, Field(description="Whose phone takes the code: the number that was understood, with + and country code")]
    number_other: Annotated[
        str | None,
        Field(description="Another number that the digits of the request could mean: write + and the country code to be sure"),
    ]


@router.get("/engines")
async def list_engines(who: Who, services: Services) -> list[EngineOut]:
    """The engines an account may use, and what each can do; those for real numbers first."""
    return [
        EngineOut(name=item.name, title=item.title, summary=item.summary, capabilities=sorted(item.capabilities))
        for item in services.accounts.engines(who)
    ]


@router.get("/accounts")
async def list_accounts(who: Who, services: Services) -> list[AccountOut]:
    """All accounts of the workspace, oldest first."""
    return [_out(row) for row in await services.accounts.list_accounts(who)]


@router.post("/accounts", status_code=201)
async def create_account(given: NewAccount, who: Who, services: Services) -> AccountOut:
    """Create an account."""
    return _out(
        await services.accounts.create(who, name=given.name, description=given.description, engine=given.engine, settings=given.settings)
    )


@router.get("/accounts/{account_id}")
async def get_account(account_id: str, who: Who, services: Services) -> AccountOut:
    """One account."""
    return _out(await services.accounts.get(who, account_id))


@router.patch("/accounts/{account_id}")
async def change_account(account_id: str, given: AccountChange, who: Who, services: Services) -> AccountOut:
    """Change name, description or settings."""
    change = given.model_dump(exclude_unset=True)
    return _out(await services.accounts.update(who, account_id, **change))


@router.delete("/accounts/{account_id}", status_code=204)
async def delete_account(account_id: str, who: Who, services: Services) -> None:
    """Delete the account and everything that hangs off it. Log it out first to remove the device from the phone's list."""
    await services.accounts.delete(who, account_id)


@router.get("/accounts/{account_id}/status")
async def account_status(account_id: str, who: Who, services: Services) -> StatusOut:
    """The session as it is now."""
    return StatusOut.model_validate(await services.accounts.get(who, account_id))


@router.get("/accounts/{account_id}/checks")
async def account_checks(account_id: str, who: Who, services: Services) -> list[Check]:
    """Whether the account can do its work: its session, its sending, its bot; each with what is wrong."""
    return await services.checks.of_account(who, account_id)


@router.get("/accounts/{account_id}/qr", response_model=QrOut, responses={200: {"content": {"image/png": {}}}})
async def account_qr(
    account_id: str, who: Who, services: Services, format: Annotated[Literal["json", "png"], Query()] = "json"
) -> QrOut | Response:
    """The QR to scan now, as JSON with a data URL and the raw text, or as a PNG image. 409 while there is none."""
    shown = await services.accounts.qr(who, account_id)
    if format == "png":
        return Response(qr_png(shown.text), media_type="image/png", headers={"Cache-Control": "no-store"})
    return QrOut.model_validate(shown)


@router.post("/accounts/{account_id}/pairing-code")
async def pairing_code(account_id: str, given: PairingPhone, who: Who, services: Services) -> PairingOut:
    """Ask for a code of eight characters to type on the phone instead of a scan. The account must be waiting for a scan."""
    shown = await services.accounts.pairing_code(who, account_id, given.phone)
    other = international(shown.other)
    return PairingOut(code=shown.code, expires_at=shown.expires_at, number=f"+{shown.number}", number_other=other)


@router.post("/accounts/{account_id}/reconnect")
async def reconnect(account_id: str, who: Who, services: Services) -> AccountOut:
    """Start the session, or start it anew; an unlinked account gets a new QR."""
    return _out(await services.accounts.connect(who, account_id))


@router.post("/accounts/{account_id}/disconnect")
async def disconnect(account_id: str, who: Who, services: Services) -> AccountOut:
    """Close the session and keep the link."""
    return _out(await services.accounts.disconnect(who, account_id))


@router.post("/accounts/{account_id}/logout")
async def logout(account_id: str, who: Who, services: Services) -> AccountOut:
    """Unlink the device at WhatsApp and forget its credentials."""
    return _out(await services.accounts.logout(who, account_id))


def _out(row: AccountRow) -> AccountOut:
    out = AccountOut.model_validate(row)
    out.capabilities.sort()
    return out
