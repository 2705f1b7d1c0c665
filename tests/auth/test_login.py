"""Logging in, lock-out, second factor, sessions: against real databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from tests.support.clock import MovableClock
from tests.support.logins import FIREFOX, PASSWORD, SURE, fail, log_in, make
from whatsapp_dashboard.auth import passwords
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated

CHROME = "Chrome/140"
REAL_CONTEXT = passwords._context


async def test_a_right_password_gives_a_session_that_only_its_browser_can_use(auth: AuthService) -> None:
    """SEC-1, SEC-2"""
    issued = await log_in(auth)
    who = await auth.authenticate(issued.token, FIREFOX)
    assert who is not None
    assert (who.username, who.role) == ("Ana", Role.OWNER)
    assert await auth.authenticate(issued.token, CHROME) is None
    assert await auth.authenticate("x" * 43, FIREFOX) is None


def test_stored_hashes_cost_64_mib_and_three_rounds() -> None:
    """SEC-1: what guessing costs somebody who has the database."""
    assert REAL_CONTEXT.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_first_password_is_generated_when_none_is_given_and_only_once(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """SEC-1"""
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    first = AuthService(db, SecretBox(bytes(32)), settings, clock)
    await first.bootstrap()
    assert first.first_password is not None
    assert len(first.first_password) >= 12
    second = AuthService(db, SecretBox(bytes(32)), settings, clock)
    await second.bootstrap()
    assert second.first_password is None
    assert await log_in(first, "admin", first.first_password)


async def test_only_hashes_of_passwords_and_session_secrets_are_stored(auth: AuthService, db: Database) -> None:
    """SEC-1, SEC-2"""
    issued = await log_in(auth)
    async with db.engine.connect() as connection:
        for table in ("operator", "login_session", "event"):
            stored = str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())
            assert PASSWORD not in stored
            assert issued.token not in stored


@pytest.mark.parametrize("wrong", ["", "wrong password here", PASSWORD + "x", "x" * 5_000])
async def test_wrong_passwords_and_unknown_names_get_the_same_answer(auth: AuthService, wrong: str) -> None:
    """SEC-3"""
    answers = []
    for name in ("ana", "mallory"):
        with pytest.raises(Unauthenticated) as refused:
            await log_in(auth, name, wrong, ip=f"198.51.100.{len(answers)}")
        answers.append((refused.value.message, refused.value.code))
    assert answers[0] == answers[1]


async def test_five_failures_lock_the_name_from_everywhere_until_15_minutes_have_passed(auth: AuthService, clock: MovableClock) -> None:
    """SEC-3"""
    for n in range(5):
        await fail(auth, "ana", f"192.0.2.{n}")
    with pytest.raises(TooMany) as locked:
        await log_in(auth, ip="203.0.113.9")
    assert 14 * 60 < locked.value.after <= 15 * 60
    await clock.advance(timedelta(minutes=15, seconds=1).total_seconds())
    assert await log_in(auth, ip="203.0.113.9")


async def test_five_failures_lock_the_address_for_every_name(auth: AuthService) -> None:
    """SEC-3"""
    for n in range(5):
        await fail(auth, f"guess{n}", "192.0.2.66")
    with pytest.raises(TooMany):
        await log_in(auth, ip="192.0.2.66")
    assert await log_in(auth, ip="192.0.2.1")


async def test_a_restart_does_not_forget_the_lock(auth: AuthService, db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """SEC-3"""
    for n in range(5):
        await fail(auth, "ana", f"192.0.2.{n}")
    again = make(db, clock, tmp_path)
    await again.bootstrap()
    with pytest.raises(TooMany):
        await log_in(again, ip="203.0.113.9")


async def test_guesses_sent_at_the_same_moment_count_as_well(auth: AuthService) -> None:
    """SEC-3"""
    results = await asyncio.gather(*(log_in(auth, "ana", "wrong password here") for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(result, Unauthenticated) for result in results) == 5
    assert sum(isinstance(result, TooMany) for result in results) == 7


async def test_a_success_clears_ones_own_failures_but_not_the_address(auth: AuthService) -> None:
    """SEC-3: Mallory cannot wash her guesses away with a log-in of her own."""
    owner = await log_in(auth, ip="203.0.113.1")
    _, password = await auth.operators.create(owner.principal, "mallory", "viewer", **SURE)
    for n in range(4):
        await fail(auth, f"guess{n}", "192.0.2.66")
    await log_in(auth, "mallory", password or "", ip="192.0.2.66")
    await fail(auth, "guess9", "192.0.2.66")
    assert await log_in(auth, "mallory", password or "", ip="192.0.2.66")
    with pytest.raises(TooMany):
        await log_in(auth, "ana", ip="192.0.2.66")


async def test_a_session_lives_24_hours_from_its_last_use(auth: AuthService, clock: MovableClock) -> None:
    """SEC-2"""
    used, idle = await log_in(auth), await log_in(auth)
    for _ in range(3):
        await clock.advance(12 * 3600)
        assert await auth.authenticate(used.token, FIREFOX) is not None
    assert await auth.authenticate(idle.token, FIREFOX) is None
    await clock.advance(24 * 3600 + 1)
    assert await auth.authenticate(used.token, FIREFOX) is None
    ended: set[str] = set()
    auth.sessions.on_ended.append(ended.update)
    await auth.prune()
    assert ended == {used.session_id, idle.session_id}


async def test_a_logged_out_session_is_worth_nothing_at_once(auth: AuthService) -> None:
    """SEC-2: also right after it was looked up, when the answer is still in memory."""
    issued = await log_in(auth)
    assert await auth.authenticate(issued.token, FIREFOX) is not None
    await auth.logout(issued.session_id)
    assert await auth.authenticate(issued.token, FIREFOX) is None
    assert await auth.principal_of_session(issued.session_id) is None


async def test_sessions_are_listed_and_revoked_only_by_their_owner(auth: AuthService) -> None:
    """SEC-2"""
    ana, phone = await log_in(auth), await log_in(auth)
    _, password = await auth.operators.create(ana.principal, "ben", "operator", **SURE)
    ben = await log_in(auth, "ben", password or "")
    listed = await auth.list_sessions(ana.principal)
    assert {item.id for item in listed} == {ana.session_id, phone.session_id}
    assert [item.id for item in listed if item.current] == [ana.session_id]
    with pytest.raises(NotFound):
        await auth.revoke(ben.principal, phone.session_id)
    await auth.revoke(ana.principal, phone.session_id)
    assert await auth.authenticate(phone.token, FIREFOX) is None
    assert await auth.authenticate(ana.token, FIREFOX) is not None


async def test_a_new_password_ends_the_other_sessions(auth: AuthService) -> None:
    """SEC-1, SEC-2"""
    ana, stolen = await log_in(auth), await log_in(auth)
    with pytest.raises(Invalid):
        await auth.change_password(ana.principal, "wrong password here", "another-long-password", ip="192.0.2.1")
    with pytest.raises(Invalid):
        await auth.change_password(ana.principal, PASSWORD, "short", ip="192.0.2.1")
    await auth.change_password(ana.principal, PASSWORD, "another-long-password", ip="192.0.2.1")
    assert await auth.authenticate(stolen.token, FIREFOX) is None
    assert await auth.authenticate(ana.token, FIREFOX) is not None
    with pytest.raises(Unauthenticated):
        await log_in(auth)
    assert await log_in(auth, password="another-long-password")


async def test_the_second_factor_is_asked_for_and_each_code_works_once(auth: AuthService, clock: MovableClock) -> None:
    """SEC-3"""
    ana = await log_in(auth)
    enrolment = await auth.second_factor.begin(ana.principal, PASSWORD, ip="192.0.2.1")
    assert enrolment.qr.startswith("data:image/png;base64,")
    code = pyotp.TOTP(enrolment.secret).at(clock.now())
    with pytest.raises(Invalid):
        await auth.second_factor.turn_on(ana.principal, "000000" if code != "000000" else "111111", ip="192.0.2.1")
    await auth.second_factor.turn_on(ana.principal, code, ip="192.0.2.1")
    for tried, expected in ((None, "totp_required"), (code, "totp_wrong")):
        with pytest.raises(Unauthenticated) as refused:
            await log_in(auth, code=tried)
        assert refused.value.code == expected
    await clock.advance(60)
    fresh = pyotp.TOTP(enrolment.secret).at(clock.now())
    results = await asyncio.gather(log_in(auth, code=fresh), log_in(auth, code=fresh), return_exceptions=True)
    assert sum(isinstance(result, Exception) for result in results) == 1
    await auth.second_factor.turn_off(ana.principal, PASSWORD, ip="192.0.2.1")
    assert await log_in(auth)


async def test_a_token_for_programs_ends_with_its_session(auth: AuthService) -> None:
    """API-2"""
    token, issued = await auth.issue_jwt("ana", PASSWORD, None, ip="192.0.2.1", user_agent="curl/8")
    who = await auth.authenticate_jwt(token)
    assert who is not None
    assert who.session_id == issued.session_id
    head, body, signature = token.split(".")
    for forged in (f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", "x.y.z", ""):
        assert await auth.authenticate_jwt(forged) is None
    assert await auth.authenticate(issued.token, "curl/8") is None, "a token's session is no cookie"
    await auth.logout(issued.session_id)
    assert await auth.authenticate_jwt(token) is None


async def test_only_an_owner_administers_operators(auth: AuthService) -> None:
    """SEC-6"""
    ana = (await log_in(auth)).principal
    for name, role in (("ben", "operator"), ("vic", "viewer")):
        made, password = await auth.operators.create(ana, name, role, **SURE)
        who = (await log_in(auth, name, password or "")).principal
        for attempt in (
            auth.operators.list_all(who),
            auth.operators.create(who, "mallory", "owner", **SURE),
            auth.operators.change(who, made.id, role="owner", **SURE),
            auth.operators.reset_password(who, ana.operator_id, **SURE),
        ):
            with pytest.raises(Forbidden):
                await attempt


async def test_a_disabled_operator_is_out_at_once_and_a_changed_role_counts_at_once(auth: AuthService) -> None:
    """SEC-2, SEC-6"""
    ana = (await log_in(auth)).principal
    made, password = await auth.operators.create(ana, "ben", "operator", **SURE)
    ben = await log_in(auth, "ben", password or "")
    assert await auth.authenticate(ben.token, FIREFOX) is not None
    await auth.operators.change(ana, made.id, role="viewer")
    now = await auth.authenticate(ben.token, FIREFOX)
    assert now is not None
    assert now.role is Role.VIEWER
    await auth.operators.change(ana, made.id, disabled=True)
    assert await auth.authenticate(ben.token, FIREFOX) is None
    with pytest.raises(Unauthenticated):
        await log_in(auth, "ben", password or "")


async def test_the_last_owner_cannot_be_locked_out(auth: AuthService) -> None:
    """SEC-6"""
    ana = (await log_in(auth)).principal
    for change in ({"role": "viewer"}, {"disabled": True}):
        with pytest.raises(Conflict):
            await auth.operators.change(ana, ana.operator_id, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("username", "role"), [("", "viewer"), ("a b", "viewer"), ("<b>", "viewer"), ("x" * 65, "viewer"), ("ben", "king"), ("ANA", "viewer")]
)
async def test_bad_names_and_roles_are_refused_with_a_sentence(auth: AuthService, username: str, role: str) -> None:
    """SEC-6"""
    ana = (await log_in(auth)).principal
    with pytest.raises(AppError) as refused:
        await auth.operators.create(ana, username, role, **SURE)
    assert refused.value.message.endswith(".")
    assert len(await auth.operators.list_all(ana)) == 1
