"""The pool keeps every session up, tells the truth about it, and lets none hurt another (ACC-2 to ACC-6, ACC-9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from tests.accounts.conftest import ScriptedEngine, World
from tests.support.waiting import until
from whatsapp_dashboard.accounts import backoff, supervisor
from whatsapp_dashboard.domain.engine_events import DisconnectCause, Disconnected, QrCode, QrExpired, Ready, Restricted
from whatsapp_dashboard.errors import Conflict, NotFound, Retryable, Unavailable
from whatsapp_dashboard.models import Account, Event, SessionCredential
from whatsapp_dashboard.models.erasure import HIDDEN_WORKSPACE

Script = Callable[[ScriptedEngine], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become hundredths, half a minute becomes one second; the order of things stays."""
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.02)
    monkeypatch.setattr(supervisor, "REPLACED_SECONDS", 1.0)


def qr(seconds: float = 60, text: str = "code-1", *, last: bool = False) -> QrCode:
    return QrCode(text, datetime.now(UTC) + timedelta(seconds=seconds), last)


async def link(engine: ScriptedEngine) -> None:
    """Connects at once, as an engine with stored credentials does."""
    await engine.context.save_credentials(b"device")
    await engine.context.emit(Ready("34600111222", "Shop", "test"))


async def linked(world: World, script: Script = link) -> str:
    """An account that is connected and has had its first start."""
    ScriptedEngine.script = staticmethod(script)
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    await world.accounts.connect(world.ana, account.id)
    await world.status(account.id, "ready")
    return account.id


async def statuses(world: World, account_id: str) -> list[str]:
    """The statuses an account went through, as told by its events."""
    async with world.db.read() as session:
        rows = await session.scalars(
            select(Event).where(col(Event.account_id) == account_id, col(Event.type) == "session.status").order_by(col(Event.seq))
        )
        names = [row.data["status"] for row in rows]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


async def test_linking_goes_from_qr_to_ready_and_shows_each_new_code(world: World) -> None:
    """ACC-3: the code is there as soon as the engine has it, and the next one replaces it."""
    scan = asyncio.Event()

    async def script(engine: ScriptedEngine) -> None:
        await engine.context.emit(qr(text="first"))

        async def later() -> None:
            await engine.context.emit(qr(text="second"))
            await scan.wait()
            await link(engine)

        engine.later = asyncio.create_task(later())  # type: ignore[attr-defined]

    ScriptedEngine.script = staticmethod(script)
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    await world.accounts.connect(world.ana, account.id)
    await world.status(account.id, "qr_ready")

    async def second() -> bool:
        return (await world.accounts.qr(world.ana, account.id)).text == "second"

    await until(second)
    assert (await world.accounts.qr(world.ana, account.id)).data_url.startswith("data:image/png;base64,")
    scan.set()
    await world.status(account.id, "ready")
    row = await world.accounts.get(world.ana, account.id)
    assert (row.phone, row.push_name, row.linked, row.status_reason) == ("34600111222", "Shop", True, "Connected")
    with pytest.raises(Conflict, match="no QR code"):
        await world.accounts.qr(world.ana, account.id)
    assert await statuses(world, account.id) == ["initializing", "qr_ready", "ready"]


async def test_the_qr_is_never_written_into_the_event_log(world: World) -> None:
    """SEC-7: whoever reads the log cannot link a device with it."""

    async def script(engine: ScriptedEngine) -> None:
        await engine.context.emit(qr(text="very-secret-code"))

    ScriptedEngine.script = staticmethod(script)
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    await world.accounts.connect(world.ana, account.id)
    rows: list[Event] = []

    async def announced() -> bool:
        async with world.db.read() as session:
            rows[:] = (await session.scalars(select(Event))).all()
        return any(row.type == "session.qr" for row in rows)

    await until(announced)
    assert "very-secret-code" not in str([row.data for row in rows])


@pytest.mark.parametrize("by_engine", [True, False])
async def test_without_a_scan_the_account_is_disconnected_and_asks_for_a_new_code(
    world: World, monkeypatch: pytest.MonkeyPatch, by_engine: bool
) -> None:
    """ACC-3: after the last rotation, or when our own time is up; a new code comes on request."""
    monkeypatch.setattr(supervisor, "SCAN_SECONDS", 60 if by_engine else 0.2)

    async def script(engine: ScriptedEngine) -> None:
        await engine.context.emit(qr(last=True))
        if by_engine:
            await engine.context.emit(QrExpired())

    ScriptedEngine.script = staticmethod(script)
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    await world.accounts.connect(world.ana, account.id)
    await world.reason(account.id, "expired")
    assert (await world.accounts.get(world.ana, account.id)).status == "disconnected"
    await asyncio.sleep(0.3)
    assert len(ScriptedEngine.made) == 1, "nobody asked for another code"
    await world.accounts.connect(world.ana, account.id)
    await until(lambda: _made(2))


async def test_a_lost_connection_is_tried_again_until_it_holds(world: World) -> None:
    """ACC-5: with backoff, each attempt visible."""
    fail = 3

    async def script(engine: ScriptedEngine) -> None:
        if 1 < len(ScriptedEngine.made) <= 1 + fail:
            raise Retryable("No network.")
        await link(engine)

    account_id = await linked(world, script)
    await ScriptedEngine.made[0].context.emit(Disconnected(DisconnectCause.CONNECTION_LOST, "The connection dropped."))
    await until(lambda: _made(2 + fail))
    await world.status(account_id, "ready")
    async with world.db.read() as session:
        rows = await session.scalars(select(Event).where(col(Event.type) == "session.status").order_by(col(Event.seq)))
        down = [(row.data["attempt"], row.data["reason"]) for row in rows if row.data["status"] == "disconnected"]
    assert down == [(1, "The connection dropped."), (2, "No network."), (3, "No network."), (4, "No network.")]
    row = await world.accounts.get(world.ana, account_id)
    assert row.attempt == 0
    assert row.gap_started_at is not None
    assert row.gap_ended_at is not None
    assert all(engine.stopped for engine in ScriptedEngine.made[:-1])


async def test_backoff_doubles_from_one_second_to_five_minutes() -> None:
    """ACC-5: at least half of the ceiling, never above it."""
    for attempt in range(1, 40):
        ceiling = min(backoff.FIRST_SECONDS * 2 ** (attempt - 1), 300)
        assert all(ceiling / 2 <= backoff.reconnect_delay(attempt) <= ceiling for _ in range(50))


async def test_a_removed_device_stops_at_once_and_forgets_its_credentials(world: World) -> None:
    """ACC-5: logged out is final until a new scan."""
    account_id = await linked(world)
    await ScriptedEngine.made[0].context.emit(Disconnected(DisconnectCause.LOGGED_OUT, "The phone removed this device."))
    await world.status(account_id, "auth_failed")
    await asyncio.sleep(0.2)
    assert len(ScriptedEngine.made) == 1
    row = await world.accounts.get(world.ana, account_id)
    assert (row.linked, row.wanted, row.status_reason) == (False, False, "The phone removed this device.")
    async with world.db.read() as session:
        assert await session.get(SessionCredential, account_id) is None


async def test_a_ban_stops_at_once_and_shows_its_end(world: World) -> None:
    """ACC-5: banned is not logged out: the credentials stay, nothing is tried by itself."""
    account_id = await linked(world)
    until = datetime.now(UTC) + timedelta(hours=3)
    await ScriptedEngine.made[0].context.emit(Disconnected(DisconnectCause.BANNED, "Banned for spam.", until))
    await world.status(account_id, "auth_failed")
    row = await world.accounts.get(world.ana, account_id)
    assert (row.linked, row.wanted, row.restricted_until) == (True, False, until)


async def test_a_session_taken_over_elsewhere_waits_before_it_comes_back(world: World) -> None:
    """ACC-5: no tug of war with the other client."""
    account_id = await linked(world)
    began = asyncio.get_running_loop().time()
    await ScriptedEngine.made[0].context.emit(Disconnected(DisconnectCause.REPLACED, "Another client took over."))
    await until(lambda: _made(2))
    assert asyncio.get_running_loop().time() - began >= 1
    await world.status(account_id, "ready")


async def test_an_outdated_engine_says_so_and_does_not_hammer(world: World) -> None:
    """ACC-5: only an update can help, so nothing is tried until the next start."""
    account_id = await linked(world)
    await ScriptedEngine.made[0].context.emit(Disconnected(DisconnectCause.OUTDATED, "Engine update needed."))
    await world.status(account_id, "error")
    await asyncio.sleep(0.2)
    assert len(ScriptedEngine.made) == 1


async def test_a_silent_connection_is_found_out_and_restarted(world: World) -> None:
    """ACC-9: a socket that answers nothing is not shown as connected."""
    hang = asyncio.Event()

    async def probing(engine: ScriptedEngine) -> None:
        if engine is ScriptedEngine.made[0]:
            hang.set()
            await asyncio.sleep(60)

    ScriptedEngine.probing = staticmethod(probing)
    account_id = await linked(world)
    await until(hang.is_set)
    await until(lambda: _made(2))
    await world.status(account_id, "ready")
    assert "disconnected" in await statuses(world, account_id)


async def test_a_crashing_and_a_hanging_session_hurt_no_other(world: World) -> None:
    """ACC-6: the healthy account is connected while the others fail in their own ways."""

    async def script(engine: ScriptedEngine) -> None:
        if engine.context.account_id == crashing.id:
            raise ZeroDivisionError
        if engine.context.account_id == hanging.id:
            await asyncio.sleep(60)
        await link(engine)

    ScriptedEngine.script = staticmethod(script)
    crashing = await world.accounts.create(world.ana, name="Crashing", engine="scripted")
    hanging = await world.accounts.create(world.ana, name="Hanging", engine="scripted")
    healthy = await world.accounts.create(world.ana, name="Healthy", engine="scripted")
    for account in (crashing, hanging, healthy):
        await world.accounts.connect(world.ana, account.id)
    await world.status(healthy.id, "ready")
    await world.status(crashing.id, "error")
    await world.reason(hanging.id, "did not answer")
    assert (await world.accounts.get(world.ana, healthy.id)).status == "ready"
    await world.reason(crashing.id, "ZeroDivisionError")


async def test_after_a_crash_of_the_program_nothing_claims_to_be_connected_until_it_is(world: World) -> None:
    """ACC-4, ACC-9: linked accounts come back by themselves; the table does not keep an old truth."""
    account_id = await linked(world)
    dead, world.inbox.events = world.pool, []
    gate = asyncio.Event()

    async def slow(engine: ScriptedEngine) -> None:
        assert await engine.context.load_credentials() == b"device"
        await gate.wait()
        await link(engine)

    ScriptedEngine.script = staticmethod(slow)
    for task in dead._tasks.values():  # what a kill does: no goodbye, nothing written
        task.cancel()
    world.new_process()
    await world.pool.start()
    assert (await world.accounts.get(world.ana, account_id)).status in ("disconnected", "initializing")
    gate.set()
    await world.status(account_id, "ready")


async def test_a_disconnected_account_stays_off_over_a_restart(world: World) -> None:
    """ACC-4: the operator's word outlives the process."""
    account_id = await linked(world)
    await world.accounts.disconnect(world.ana, account_id)
    world.new_process()
    await world.pool.start()
    await asyncio.sleep(0.2)
    row = await world.accounts.get(world.ana, account_id)
    assert (row.status, row.linked, row.status_reason) == ("disconnected", True, "Disconnected by ana")
    assert len(ScriptedEngine.made) == 1


async def test_logging_out_unlinks_at_whatsapp_and_here(world: World) -> None:
    """ACC-7: the engine is told, the credentials are gone, a new start shows a QR."""
    account_id = await linked(world)
    row = await world.accounts.logout(world.ana, account_id)
    assert ScriptedEngine.made[0].logged_out
    assert (row.linked, row.phone, row.status) == (False, None, "disconnected")


async def test_a_call_into_a_session_that_is_away_or_slow_ends_with_a_clear_error(world: World) -> None:
    """ACC-6: time-outs around every engine call."""
    account_id = await linked(world)
    with pytest.raises(Retryable, match="did not answer"):
        await world.pool.call(account_id, lambda engine: asyncio.sleep(60))
    await world.accounts.disconnect(world.ana, account_id)
    with pytest.raises(Unavailable, match="not connected"):
        await world.pool.call(account_id, lambda engine: engine.probe())


async def test_a_restriction_closes_the_breaker_with_its_end(world: World) -> None:
    """ACC-11: the countdown to release is stored with its reason."""
    account_id = await linked(world)
    until = datetime.now(UTC) + timedelta(minutes=5)
    await ScriptedEngine.made[0].context.emit(Restricted("463", "Too many new contacts", until))
    row = await world.accounts.get(world.ana, account_id)
    assert (row.restricted_until, row.restriction, row.status) == (until, "Too many new contacts", "ready")


async def test_an_illegal_status_is_refused_and_changes_nothing(world: World) -> None:
    """ACC-2: logged, never applied."""
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    assert not await world.records.set_status(account.id, "qr_ready", "out of nowhere")  # type: ignore[arg-type]
    assert (await world.accounts.get(world.ana, account.id)).status == "disconnected"


async def test_deleting_an_account_stops_its_session_and_leaves_nothing(world: World) -> None:
    """ACC-1: in one transaction it is out of reach, without its name and keys; what hangs off it is taken away after that."""
    account_id = await linked(world)
    await world.accounts.delete(world.ana, account_id)
    assert ScriptedEngine.made[0].stopped
    with pytest.raises(NotFound):
        await world.accounts.get(world.ana, account_id)
    async with world.db.read() as session:
        assert await session.get(SessionCredential, account_id) is None
        left = await session.get_one(Account, account_id)
        assert (left.name, left.phone, left.workspace_id) == ("", None, HIDDEN_WORKSPACE)


async def _made(count: int) -> bool:
    return len(ScriptedEngine.made) >= count
