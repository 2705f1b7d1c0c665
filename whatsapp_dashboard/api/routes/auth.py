"""Log-in and one's own access: cookie sessions for browsers, tokens for programs (SEC-1 to SEC-3, API-2)."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Body, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.auth import web
from whatsapp_dashboard.auth.sessions import Issued
from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.errors import AppError, Invalid, TooMany

router = Router(prefix="/api/auth", tags=["auth"])


class Credentials(Given):
    """What a log-in needs; ``code`` only where the second factor is on."""

    username: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)]
    code: Annotated[str, Field(max_length=16)] = ""


class User(BaseModel):
    """The logged-in operator."""

    id: str
    username: str
    role: Role
    workspace_id: str
    session_id: str


class Token(BaseModel):
    """A bearer token; it ends with its session, at the latest at ``expires_at``."""

    token: str
    token_type: str = "bearer"  # noqa: S105
    session_id: str
    expires_at: datetime


class Session(BaseModel):
    """One of the caller's running sessions."""

    id: str
    kind: str
    user_agent: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class PasswordChange(Given):
    """The old password and the new one (at least 12 characters)."""

    current_password: Annotated[str, Field(max_length=1024)]
    new_password: Annotated[str, Field(max_length=1024)]


@router.post(
    "/login",
    response_model=User,
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": Credentials.model_json_schema()}}, "required": True}},
)
async def login(request: Request, services: Services) -> Response:
    """Start a session and set its cookie. Takes JSON, or a form, which is answered by a redirect to a page."""
    seen = web.Request(request.scope)
    is_form = (request.headers.get("content-type") or "").startswith("application/x-www-form-urlencoded")
    target = "/"
    try:
        if is_form:
            form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
            target = web.safe_next(form.get("next"))
            given = _credentials(form)
        else:
            given = _credentials(await _json(request))
        issued = await services.auth.login(given.username, given.password, given.code or None, ip=seen.ip, user_agent=seen.user_agent)
    except AppError as error:
        if not is_form:
            raise
        return RedirectResponse(_login_page(error, target, form.get("username", "")), 303)
    old = seen.cookie
    if old and (before := await services.auth.authenticate(old, seen.user_agent)):
        await services.auth.logout(before.session_id)
    response: Response = RedirectResponse(target, 303) if is_form else JSONResponse(_user(issued).model_dump(mode="json"))
    response.headers["Set-Cookie"] = web.set_cookie(issued.token, secure=services.settings.secure_cookies)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/logout", status_code=204)
async def logout(request: Request, services: Services) -> Response:
    """End the caller's session and clear its cookie; a form is answered by the login page."""
    seen = web.Request(request.scope)
    token = seen.cookie
    who = await services.auth.authenticate(token, seen.user_agent) if token else None
    if who is None and seen.bearer:
        who = await services.auth.authenticate_jwt(seen.bearer)
    if who is not None:
        await services.auth.logout(who.session_id)
    is_form = (request.headers.get("content-type") or "").startswith("application/x-www-form-urlencoded")
    response: Response = RedirectResponse("/login?ended=1", 303) if is_form else Response(status_code=204)
    response.headers["Set-Cookie"] = web.clear_cookie(secure=services.settings.secure_cookies)
    response.headers["Cache-Control"] = "no-store"
    # Whatever the browser kept of the pages goes with the session.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/token")
async def token(request: Request, services: Services, given: Annotated[Credentials, Body()]) -> Token:
    """A bearer token for programs, valid for 24 hours."""
    seen = web.Request(request.scope)
    value, issued = await services.auth.issue_jwt(
        given.username, given.password, given.code or None, ip=seen.ip, user_agent=seen.user_agent
    )
    return Token(token=value, session_id=issued.session_id, expires_at=issued.expires_at)


@router.get("/user")
async def user(who: Who) -> User:
    """Who the caller is."""
    return User(id=who.operator_id, username=who.username, role=who.role, workspace_id=who.workspace_id, session_id=who.session_id)


@router.get("/sessions")
async def sessions(who: Who, services: Services) -> list[Session]:
    """The caller's running sessions."""
    return [Session.model_validate(item, from_attributes=True) for item in await services.auth.list_sessions(who)]


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke(session_id: str, who: Who, services: Services) -> None:
    """End one of the caller's sessions."""
    await services.auth.revoke(who, session_id)


@router.put("/password", status_code=204)
async def change_password(given: PasswordChange, who: Who, services: Services, request: Request) -> None:
    """Set a new password; ends the caller's other sessions."""
    await services.auth.change_password(who, given.current_password, given.new_password, ip=web.Request(request.scope).ip)


def _credentials(data: object) -> Credentials:
    try:
        return Credentials.model_validate(data)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else None
        raise Invalid("A log-in needs a username and a password.", field=field) from None


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except ValueError:
        raise Invalid("The body must be JSON with username and password.") from None


def _user(issued: Issued) -> User:
    who = issued.principal
    return User(id=who.operator_id, username=who.username, role=who.role, workspace_id=who.workspace_id, session_id=who.session_id)


def _login_page(error: AppError, target: str, username: str) -> str:
    query = {"error": error.code, "next": target}
    if isinstance(error, TooMany):
        query["minutes"] = str(math.ceil(error.after / 60))
    if error.code in ("totp_required", "totp_wrong"):
        query["code"] = "1"
    if username:
        query["username"] = username[:64]
    return "/login?" + urlencode(query)
