"""The lock-out and those it must not hit: whole networks, known addresses, codes, memory (SEC-3). Against real databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import func, insert
from sqlmodel import col, select

from tests.support.clock import MovableClock
from tests.support.logins import FIREFOX, PASSWORD, SURE, fail, log_in
from whatsapp_dashboard.auth import addresses, lockout
from whatsapp_dashboard.auth.addresses import KNOWN_FOR, MAX_KNOWN, counted_as
from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import Invalid, TooMany, Unauthenticated
from whatsapp_dashboard.models import Event, KnownAddress, LoginAttempt
from whatsapp_dashboard.models.base import metadata

HOME = "192.0.2.1"


async def locked(auth: AuthService, username: str = "ana", *, ip: str, password: str = PASSWORD) -> bool:
    """Whether not even the right password is looked at."""
    try:
        await log_in(auth, username, password, ip=ip)
    except TooMany:
        return True
    return False


async def told(db: Database, type: str) -> list[dict[str, Any]]:
    async with db.read() as session:
        return list(await session.scalars(select(col(Event.data)).where(col(Event.type) == type).order_by(col(Event.seq))))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::c000:207", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("'; DROP TABLE", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_an_address_counts_as(address: str, counted: str) -> None:
    """SEC-3: an IPv6 network is one visitor, an IPv4 address is one however it is written, and made-up text chooses no bucket."""
    assert counted_as(address) == counted


async def test_an_ipv6_network_has_five_tries_not_each_of_its_addresses(auth: AuthService) -> None:
    """SEC-3: whoever has a /64 has all its addresses."""
    for n in range(5):
        await fail(auth, f"guess{n}", f"2001:db8:1:2::{n:x}")
    assert await locked(auth, "guess9", ip="2001:db8:1:2:ffff::1")
    assert not await locked(auth, ip="2001:db8:1:3::1")


async def test_an_ipv4_address_written_as_ipv6_is_the_same(auth: AuthService) -> None:
    """SEC-3: a listener on :: sees IPv4 visitors so."""
    for n in range(5):
        await fail(auth, f"guess{n}", "::ffff:192.0.2.66" if n % 2 else "192.0.2.66")
    assert await locked(auth, "guess9", ip="::ffff:192.0.2.66")
    assert not await locked(auth, ip="::ffff:192.0.2.67")


async def test_wrong_tries_from_elsewhere_do_not_lock_the_owner_out_where_she_logged_in_before(auth: AuthService) -> None:
    """SEC-3: the name is locked for strangers only."""
    await log_in(auth, ip=HOME)
    for n in range(5):
        await fail(auth, "ana", f"198.51.100.{n}")
    assert await locked(auth, ip="203.0.113.9"), "a stranger, with the right password even"
    assert not await locked(auth, ip=HOME)
    assert await locked(auth, ip="203.0.113.9"), "her log-in opens it for nobody else"


async def test_a_known_ipv6_address_is_its_network(auth: AuthService) -> None:
    """SEC-3: privacy addresses change every day."""
    await log_in(auth, ip="2001:db8:1:2::aaaa")
    for n in range(5):
        await fail(auth, "ana", f"198.51.100.{n}")
    assert not await locked(auth, ip="2001:db8:1:2::bbbb")


async def test_a_known_address_is_no_free_pass(auth: AuthService) -> None:
    """SEC-3: it has five tries of its own for the name that is known there, and none more for others."""
    owner = await log_in(auth, ip=HOME)
    await auth.operators.create(owner.principal, "ben", "operator", **SURE)
    for _ in range(5):
        await fail(auth, "ana", HOME)
    assert await locked(auth, ip=HOME)
    assert await locked(auth, "ben", ip=HOME), "whom nobody knows there"
    assert not await locked(auth, ip="203.0.113.9"), "strangers' tries are counted apart"


async def test_guesses_from_a_known_address_sent_at_the_same_moment_count(auth: AuthService) -> None:
    """SEC-3"""
    await log_in(auth, ip=HOME)
    results = await asyncio.gather(*(log_in(auth, "ana", "wrong password here", ip=HOME) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(result, Unauthenticated) for result in results) == 5
    assert sum(isinstance(result, TooMany) for result in results) == 7


async def test_an_address_is_forgotten_when_nobody_logs_in_there(auth: AuthService, db: Database, clock: MovableClock) -> None:
    """SEC-3: a hotel is not known for ever."""
    await log_in(auth, ip=HOME)
    await clock.advance((KNOWN_FOR + timedelta(minutes=1)).total_seconds())
    for n in range(5):
        await fail(auth, "ana", f"198.51.100.{n}")
    assert await locked(auth, ip=HOME)
    await auth.prune()
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(KnownAddress)) == 0


async def test_an_operator_is_known_at_so_many_addresses_at_most(auth: AuthService, db: Database, clock: MovableClock) -> None:
    """SEC-3: the oldest go."""
    owner = await log_in(auth, ip=HOME)
    for n in range(MAX_KNOWN + 5):
        await clock.advance(1)
        async with db.write() as session:
            await addresses.remember(session, owner.principal.operator_id, f"203.0.113.{n}", clock.now())
    async with db.read() as session:
        kept = set(await session.scalars(select(col(KnownAddress.address))))
    assert kept == {f"203.0.113.{n}" for n in range(5, MAX_KNOWN + 5)}


async def test_a_new_password_makes_all_other_addresses_strangers(auth: AuthService, db: Database) -> None:
    """SEC-3: whoever had the old one may be known too."""
    await log_in(auth, ip="203.0.113.66")
    owner = await log_in(auth, ip=HOME)
    await auth.change_password(owner.principal, PASSWORD, "another-long-password", ip=HOME)
    async with db.read() as session:
        assert list(await session.scalars(select(col(KnownAddress.address)))) == [HOME]


async def test_a_password_asked_for_again_counts_by_the_operator_and_nobody_outside_can_lock_it(auth: AuthService) -> None:
    """SEC-3: a stolen session has five tries, from whatever address; a lock at the door does not reach inside."""
    owner = await log_in(auth, ip=HOME)
    for n in range(5):
        await fail(auth, "ana", f"198.51.100.{n}")
    await auth.second_factor.turn_off(owner.principal, PASSWORD, ip="203.0.113.9")
    for n in range(5):
        with pytest.raises(Invalid) as wrong:
            await auth.change_password(owner.principal, "wrong password here", "another-long-password", ip=f"203.0.113.{n}")
        assert wrong.value.code == "wrong_password"
    with pytest.raises(TooMany):
        await auth.second_factor.begin(owner.principal, PASSWORD, ip=HOME)
    assert not await locked(auth, ip=HOME)


async def with_second_factor(auth: AuthService, clock: MovableClock) -> str:
    """Ana's secret, once her second factor is on."""
    owner = await log_in(auth, ip=HOME)
    secret = (await auth.second_factor.begin(owner.principal, PASSWORD, ip=HOME)).secret
    await auth.second_factor.turn_on(owner.principal, pyotp.TOTP(secret).at(clock.now()), ip=HOME)
    await clock.advance(120)
    return secret


def wrong_code(secret: str, clock: MovableClock) -> str:
    right = {pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=offset)) for offset in (-30, 0, 30)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


@pytest.mark.parametrize("ip", [HOME, "203.0.113.9"])
async def test_wrong_codes_count_as_wrong_passwords_do(auth: AuthService, clock: MovableClock, ip: str) -> None:
    """SEC-3: six digits are soon guessed by whoever has the password, at a known address too."""
    secret = await with_second_factor(auth, clock)
    for _ in range(5):
        with pytest.raises(Unauthenticated) as wrong:
            await log_in(auth, ip=ip, code=wrong_code(secret, clock))
        assert wrong.value.code == "totp_wrong"
    with pytest.raises(TooMany):
        await log_in(auth, ip=ip, code=pyotp.TOTP(secret).at(clock.now()))


async def test_asking_without_a_code_neither_counts_nor_clears(auth: AuthService, clock: MovableClock) -> None:
    """SEC-3: the form asks for the code in a second step; that step is no way to wash wrong codes away."""
    secret = await with_second_factor(auth, clock)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await log_in(auth, ip=HOME)
        with pytest.raises(Unauthenticated):
            await log_in(auth, ip=HOME, code=wrong_code(secret, clock))
    with pytest.raises(TooMany):
        await log_in(auth, ip=HOME)


async def test_a_code_used_to_turn_it_on_or_to_log_in_is_used_up(auth: AuthService, clock: MovableClock) -> None:
    """SEC-3: also the one before it, and also by a program."""
    secret = await with_second_factor(auth, clock)
    code, before = (pyotp.TOTP(secret).at(clock.now() - timedelta(seconds=late)) for late in (0, 30))
    await log_in(auth, ip=HOME, code=code)
    for used in (code, before):
        with pytest.raises(Unauthenticated) as refused:
            await auth.issue_jwt("ana", PASSWORD, used, ip=HOME, user_agent=FIREFOX)
        assert refused.value.code == "totp_wrong"


async def test_the_memory_of_the_lock_out_has_an_end(auth: AuthService, db: Database, clock: MovableClock) -> None:
    """SEC-3: somebody with a million addresses and names fills nothing and gets no more guesses; known addresses get in all the while."""
    await log_in(auth, ip=HOME)
    rows = [
        {"id": new_id(), "ip": f"2001:db8:{n:x}::/64", "username": f"guess{n}", "known": False, "at": clock.now()}
        for n in range(lockout.MAX_STRANGERS - 1)
    ]
    async with db.write() as session:
        await session.execute(insert(metadata.tables["login_attempt"]), rows)
    await fail(auth, "guess", "203.0.113.1")
    for n in range(3):
        assert await locked(auth, f"more{n}", ip=f"203.0.113.{n + 2}")
    assert not await locked(auth, ip=HOME)
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(LoginAttempt)) == lockout.MAX_STRANGERS
    await clock.advance(lockout.WINDOW.total_seconds() + 1)
    await auth.prune()
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(LoginAttempt)) == 0
    assert not await locked(auth, ip="203.0.113.2")


async def test_the_log_tells_the_workspace_of_failures_and_of_each_lock_once(auth: AuthService, db: Database) -> None:
    """SEC-3: who, from where, and whether it was somewhere known; names nobody has are in no workspace's log."""
    await log_in(auth, ip=HOME)
    await fail(auth, "ana", HOME)
    for n in range(5):
        await fail(auth, "ana", f"198.51.100.{n}")
    for _ in range(3):
        assert await locked(auth, ip="203.0.113.9")
    await fail(auth, "nobody", "203.0.113.10")
    failures, locks = await told(db, "operator.login_failed"), await told(db, "operator.locked_out")
    assert [(one["ip"], one["from"], one["reason"]) for one in failures] == [
        (HOME, "known", "password"),
        *((f"198.51.100.{n}", "elsewhere", "password") for n in range(5)),
    ]
    assert [(one["username"], one["ip"], one["from"]) for one in locks] == [("Ana", "198.51.100.4", "elsewhere")]
