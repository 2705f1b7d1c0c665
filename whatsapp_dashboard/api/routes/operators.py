"""The operators of the workspace, for its owner (SEC-6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.auth import web
from whatsapp_dashboard.auth.operators import OperatorInfo
from whatsapp_dashboard.domain.principal import Role

router = Router(prefix="/api/operators", tags=["operators"])


class OperatorOut(BaseModel):
    """An operator. ``password`` is there only in the one answer that made it."""

    id: str
    username: str
    role: Role
    disabled: bool
    totp_enabled: bool
    created_at: datetime
    last_login_at: datetime | None
    password: str | None = None


_OWN = "The caller's own password"


class NewOperator(Given):
    """A new operator; without ``password`` one is made and returned once."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    role: Role = Role.OPERATOR
    password: Annotated[str | None, Field(max_length=256)] = None
    current_password: Annotated[str | None, Field(max_length=1024, description=_OWN)] = None


class OperatorChange(Given):
    """What to change; what is absent stays."""

    role: Role | None = None
    disabled: bool | None = None
    current_password: Annotated[
        str | None, Field(max_length=1024, description=f"{_OWN}: for a higher role, and to let somebody in again")
    ] = None


class Confirmed(Given):
    """The caller's own password, given again."""

    current_password: Annotated[str | None, Field(max_length=1024, description=_OWN)] = None


class NewPassword(BaseModel):
    """The password that was made, shown once."""

    password: str


@router.get("")
async def list_operators(who: Who, services: Services) -> list[OperatorOut]:
    """All operators of the workspace."""
    return [_out(item) for item in await services.auth.operators.list_all(who)]


@router.post("", status_code=201)
async def create_operator(given: NewOperator, who: Who, services: Services, request: Request) -> OperatorOut:
    """Add an operator. Asks for your own password again: 422 with the code `password_needed` or `wrong_password`, 429 after five wrong
    ones."""
    made, password = await services.auth.operators.create(
        who, given.username, given.role, given.password, confirm=given.current_password, ip=web.Request(request.scope).ip
    )
    return _out(made).model_copy(update={"password": password})


@router.patch("/{operator_id}")
async def change_operator(operator_id: str, given: OperatorChange, who: Who, services: Services, request: Request) -> OperatorOut:
    """Change a role, or lock an operator out or in. What gives access asks for your own password again, what takes it away does not."""
    changed = await services.auth.operators.change(
        who,
        operator_id,
        role=given.role,
        disabled=given.disabled,
        confirm=given.current_password,
        ip=web.Request(request.scope).ip,
    )
    return _out(changed)


@router.post("/{operator_id}/password")
async def reset_password(operator_id: str, given: Confirmed, who: Who, services: Services, request: Request) -> NewPassword:
    """Make a new password for an operator and end their sessions. Asks for your own password again."""
    made = await services.auth.operators.reset_password(
        who, operator_id, confirm=given.current_password, ip=web.Request(request.scope).ip
    )
    return NewPassword(password=made)


def _out(item: OperatorInfo) -> OperatorOut:
    return OperatorOut.model_validate(item, from_attributes=True)
