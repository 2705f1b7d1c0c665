"""What a stolen session cannot do: every way to stay asks for the password (SEC-3, SEC-6). Against real databases."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from sqlmodel import col, select

from tests.support.cast import make_cast
from tests.support.clock import MovableClock
from tests.support.logins import PASSWORD, SURE, log_in
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound
from whatsapp_dashboard.models import Event, Operator

NOTHING: dict[str, Any] = {"confirm": None, "ip": "192.0.2.1"}
WRONG: dict[str, Any] = {"confirm": "wrong password here", "ip": "192.0.2.1"}


async def rows(db: Database) -> list[dict[str, Any]]:
    async with db.read() as session:
        return [row.model_dump() for row in await session.scalars(select(Operator).order_by(col(Operator.id)))]


@pytest.mark.parametrize(("given", "code"), [(NOTHING, "password_needed"), (WRONG, "wrong_password")])
async def test_what_lets_somebody_in_asks_for_ones_own_password(auth: AuthService, db: Database, given: dict[str, Any], code: str) -> None:
    """SEC-6: a new operator, a higher role, letting one in again, another's password; one's own password and second factor."""
    ana = (await log_in(auth)).principal
    ben, _ = await auth.operators.create(ana, "ben", "viewer", **SURE)
    dora, _ = await auth.operators.create(ana, "dora", "viewer", **SURE)
    await auth.operators.change(ana, dora.id, disabled=True)
    before, password = await rows(db), given["confirm"]
    for attempt in (
        auth.operators.create(ana, "mallory", "owner", **given),
        auth.operators.change(ana, ben.id, role="owner", **given),
        auth.operators.change(ana, ben.id, role="operator", disabled=True, **given),
        auth.operators.change(ana, dora.id, disabled=False, **given),
    ):
        with pytest.raises(Invalid) as refused:
            await attempt
        assert (refused.value.code, refused.value.field) == (code, "current_password")
    # five wrong ones would be too many
    await auth.change_password(ana, PASSWORD, PASSWORD, ip="192.0.2.1")
    before = await rows(db)
    for attempt in (
        auth.operators.reset_password(ana, ben.id, **given),
        auth.second_factor.begin(ana, password, ip="192.0.2.1"),
        auth.second_factor.turn_off(ana, password, ip="192.0.2.1"),
        auth.change_password(ana, password or "", "another-long-password", ip="192.0.2.1"),
    ):
        with pytest.raises(Invalid) as refused:
            await attempt
        assert (refused.value.code, refused.value.field) == (code, "current_password")
    assert await rows(db) == before


async def test_with_the_password_all_of_it_works(auth: AuthService) -> None:
    """SEC-6"""
    ana = (await log_in(auth)).principal
    ben, first = await auth.operators.create(ana, "ben", "viewer", **SURE)
    assert (await auth.operators.change(ana, ben.id, role="owner", **SURE)).role is Role.OWNER
    await auth.operators.change(ana, ben.id, disabled=True)
    assert not (await auth.operators.change(ana, ben.id, disabled=False, **SURE)).disabled
    second = await auth.operators.reset_password(ana, ben.id, **SURE)
    assert second != first
    assert await log_in(auth, "ben", second)


async def test_what_takes_access_away_is_quick(auth: AuthService) -> None:
    """SEC-6: locking somebody out must not wait for a password."""
    ana = (await log_in(auth)).principal
    ben, password = await auth.operators.create(ana, "ben", "owner", **SURE)
    theirs = await log_in(auth, "ben", password or "")
    assert (await auth.operators.change(ana, ben.id, role="viewer")).role is Role.VIEWER
    assert (await auth.operators.change(ana, ben.id, disabled=True)).disabled
    assert await auth.authenticate(theirs.token, "Firefox/140") is None


async def test_another_workspaces_operator_is_not_there_whatever_password_is_given(auth: AuthService, db: Database) -> None:
    """ACC-15: and no try is counted for it."""
    cast = await make_cast(db)
    for given in (NOTHING, SURE):
        for attempt in (
            auth.operators.change(cast.mallory, cast.ben.operator_id, role="owner", **given),
            auth.operators.reset_password(cast.mallory, cast.ben.operator_id, **given),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_a_second_factor_that_was_not_set_up_cannot_be_turned_on(auth: AuthService) -> None:
    """SEC-3"""
    ana = (await log_in(auth)).principal
    with pytest.raises(Conflict):
        await auth.second_factor.turn_on(ana, "000000", ip="192.0.2.1")


async def test_the_log_tells_when_the_second_factor_goes_on_and_off(auth: AuthService, db: Database, clock: MovableClock) -> None:
    """SEC-3"""
    ana = (await log_in(auth)).principal
    secret = (await auth.second_factor.begin(ana, PASSWORD, ip="192.0.2.1")).secret
    await auth.second_factor.turn_on(ana, pyotp.TOTP(secret).at(clock.now()), ip="192.0.2.1")
    assert await auth.second_factor.is_on(ana)
    await auth.second_factor.turn_off(ana, PASSWORD, ip="192.0.2.1")
    async with db.read() as session:
        told = list(await session.scalars(select(col(Event.type)).where(col(Event.type).like("operator.second%")).order_by(col(Event.seq))))
    assert told == ["operator.second_factor_on", "operator.second_factor_off"]
