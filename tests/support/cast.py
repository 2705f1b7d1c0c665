"""The people the tests are about: Ana owns the Default workspace, Ben works in it, Vic looks, Mallory owns another one."""

from __future__ import annotations

from dataclasses import dataclass

from passlib.context import CryptContext
from sqlmodel import col, select

from tests.support.server import OWNER, OWNER_PASSWORD
from whatsapp_dashboard.auth import passwords
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.models import Operator, Workspace
from whatsapp_dashboard.models.workspace import DEFAULT_WORKSPACE

PASSWORDS = {OWNER: OWNER_PASSWORD, "ben": "ben's long password", "vic": "vic's long password", "mallory": "mallory's long password"}

QUICK_HASHES: CryptContext = passwords._context.copy(argon2__time_cost=1, argon2__memory_cost=8, argon2__parallelism=1)
"""Argon2 with the least of work. The program verifies what it makes as any other: a hash says itself how much work it is."""


@dataclass(frozen=True)
class Cast:
    """Everyone as the services see them."""

    ana: Principal
    ben: Principal
    vic: Principal
    mallory: Principal


async def make_cast(db: Database, *, can_log_in: bool = False) -> Cast:
    """Put everyone into the database; with ``can_log_in`` their passwords are those of :data:`PASSWORDS`."""
    people = [
        (OWNER, Role.OWNER, DEFAULT_WORKSPACE),
        ("ben", Role.OPERATOR, DEFAULT_WORKSPACE),
        ("vic", Role.VIEWER, DEFAULT_WORKSPACE),
        ("mallory", Role.OWNER, "Elsewhere"),
    ]
    found = []
    async with db.write() as session:
        for name, role, workspace_name in people:
            workspace = await session.scalar(select(Workspace).where(col(Workspace.name) == workspace_name))
            if workspace is None:
                workspace = Workspace(name=workspace_name)
                session.add(workspace)
                await session.flush()
            operator = await session.scalar(select(Operator).where(col(Operator.username) == name))
            if operator is None:
                password_hash = QUICK_HASHES.hash(PASSWORDS[name]) if can_log_in else "*"
                operator = Operator(workspace_id=workspace.id, username=name, role=role.value, password_hash=password_hash)
                session.add(operator)
                await session.flush()
            found.append(Principal(operator.id, workspace.id, name, role, new_id()))
    return Cast(*found)
