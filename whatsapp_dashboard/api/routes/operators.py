"""The operators of the workspace, for its owner (SEC-6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.auth.operators import OperatorInfo
from whatsapp_dashboard.domain.principal import Role

router = APIRouter(prefix="/api/operators", tags=["operators"])


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


class NewOperator(BaseModel):
    """A new operator; without ``password`` one is made and returned once."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    role: Role = Role.OPERATOR
    password: Annotated[str | None, Field(max_length=256)] = None


class OperatorChange(BaseModel):
    """What to change; what is absent stays."""

    role: Role | None = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """The password that was made, shown once."""

    password: str


@router.get("")
async def list_operators(who: Who, services: Services) -> list[OperatorOut]:
    """All operators of the workspace."""
    return [_out(item) for item in await services.auth.operators.list_all(who)]


@router.post("", status_code=201)
async def create_operator(given: NewOperator, who: Who, services: Services) -> OperatorOut:
    """Add an operator."""
    made, password = await services.auth.operators.create(who, given.username, given.role, given.password)
    return _out(made).model_copy(update={"password": password})


@router.patch("/{operator_id}")
async def change_operator(operator_id: str, given: OperatorChange, who: Who, services: Services) -> OperatorOut:
    """Change a role, or lock an operator out or in."""
    return _out(await services.auth.operators.change(who, operator_id, role=given.role, disabled=given.disabled))


@router.post("/{operator_id}/password")
async def reset_password(operator_id: str, who: Who, services: Services) -> NewPassword:
    """Make a new password for an operator and end their sessions."""
    return NewPassword(password=await services.auth.operators.reset_password(who, operator_id))


def _out(item: OperatorInfo) -> OperatorOut:
    return OperatorOut.model_validate(item, from_attributes=True)
