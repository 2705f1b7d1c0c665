"""The second factor of one's own log-in (SEC-3)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.auth import web

router = Router(prefix="/api/auth/second-factor", tags=["auth"])


class SecondFactorOut(BaseModel):
    """Whether a code is asked for after the password."""

    on: bool


class OwnPassword(Given):
    """The caller's password, given again."""

    current_password: Annotated[str | None, Field(max_length=1024)] = None


class EnrolmentOut(BaseModel):
    """For an authenticator app: the secret to type in, and the same as a QR code (a `data:` URL of a PNG). Shown once."""

    secret: str
    qr: str


class Code(Given):
    """A code of the authenticator app."""

    code: Annotated[str, Field(max_length=16)]


@router.get("")
async def second_factor(who: Who, services: Services) -> SecondFactorOut:
    """Whether the caller's second factor is on."""
    return SecondFactorOut(on=await services.auth.second_factor.is_on(who))


@router.post("")
async def begin(given: OwnPassword, who: Who, services: Services, request: Request) -> EnrolmentOut:
    """Make a secret for an authenticator app; nothing is asked for at the log-in before its first code came. Asks for the password again:
    422 with the code `password_needed` or `wrong_password`, 429 after five wrong ones."""
    made = await services.auth.second_factor.begin(who, given.current_password, ip=web.Request(request.scope).ip)
    return EnrolmentOut(secret=made.secret, qr=made.qr)


@router.post("/on", status_code=204)
async def turn_on(given: Code, who: Who, services: Services, request: Request) -> None:
    """Turn it on with a code of the app; ends the caller's other sessions. Wrong codes (422, `wrong_code`) count like wrong passwords."""
    await services.auth.second_factor.turn_on(who, given.code, ip=web.Request(request.scope).ip)


@router.post("/off", status_code=204)
async def turn_off(given: OwnPassword, who: Who, services: Services, request: Request) -> None:
    """Turn it off. Asks for the password again."""
    await services.auth.second_factor.turn_off(who, given.current_password, ip=web.Request(request.scope).ip)
