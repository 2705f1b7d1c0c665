"""Accounts belong to a workspace, roles are checked, bad input is explained (ACC-1, SEC-6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.conftest import World
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Forbidden, Invalid, NotFound
from whatsapp_dashboard.models import Workspace


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  \t"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "ok", "description": "x" * 2_001}, "description"),
        ({"name": "ok", "engine": "carrier-pigeon"}, "engine"),
        ({"name": "ok", "settings": {"takeover_minutes": "soon"}}, "settings.takeover_minutes"),
        ({"name": "ok", "settings": {"answer_limits": {"per_minute": -1}}}, "settings.answer_limits.per_minute"),
        ({"name": "ok", "settings": {"auto_reply": {"hours": {"timezone": "Mars"}}}}, "settings.auto_reply.hours.timezone"),
        ({"name": "ok", "settings": {"auto_reply": {"outside_hours": True}}}, "settings.auto_reply"),
        ({"name": "ok", "settings": {"colour": "red"}}, "settings.colour"),
        ({"name": "ok", "settings": {"pacing": {"min_ms": 9, "max_ms": 1}}}, "settings.pacing"),
        ({"name": "ok", "settings": {"pacing": 3}}, "settings.pacing"),
    ],
)
async def test_bad_input_names_its_field_and_creates_nothing(world: World, bad: dict[str, Any], field: str) -> None:
    """ACC-1: a clear error, nothing half-done."""
    with pytest.raises(Invalid) as caught:
        await world.accounts.create(world.ana, **bad)
    assert caught.value.field == field
    assert await world.accounts.list_accounts(world.ana) == []


async def test_names_may_be_as_long_and_strange_as_people_like(world: World) -> None:
    """ACC-1: 255 characters, any script, kept to the letter."""
    for name in ("x" * 255, "متجر 🛒", "<script>alert(1)</script>", "'; DROP TABLE account; --"):
        account = await world.accounts.create(world.ana, name=name, engine="scripted")
        assert (await world.accounts.get(world.ana, account.id)).name == name


async def test_settings_are_merged_group_by_group(world: World) -> None:
    """ACC-11: changing one limit leaves the others."""
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted", settings={"pacing": {"min_ms": 10, "max_ms": 20}})
    row = await world.accounts.update(world.ana, account.id, settings={"pacing": {"max_ms": 30}, "default_country": "es"})
    assert (row.settings.pacing.min_ms, row.settings.pacing.max_ms, row.settings.default_country) == (10, 30, "ES")
    for hours in ({"timezone": "Europe/Madrid"}, {"enabled": True}):
        row = await world.accounts.update(world.ana, account.id, settings={"auto_reply": {"hours": hours}})
    assert (row.settings.auto_reply.hours.enabled, row.settings.auto_reply.hours.timezone) == (True, "Europe/Madrid")
    with pytest.raises(Invalid):
        await world.accounts.update(world.ana, account.id, name="New", settings={"pacing": {"max_ms": 1}})
    assert (await world.accounts.get(world.ana, account.id)).name == "Shop"


async def test_a_viewer_reads_and_changes_nothing(world: World) -> None:
    """SEC-6: also not the QR, whoever scans it owns the session."""
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    vic = Principal("vic", world.ana.workspace_id, "vic", Role.VIEWER, "s2")
    assert [row.id for row in await world.accounts.list_accounts(vic)] == [account.id]
    for refused in (
        world.accounts.create(vic, name="x"),
        world.accounts.update(vic, account.id, name="x"),
        world.accounts.delete(vic, account.id),
        world.accounts.connect(vic, account.id),
        world.accounts.disconnect(vic, account.id),
        world.accounts.logout(vic, account.id),
        world.accounts.qr(vic, account.id),
        world.accounts.pairing_code(vic, account.id, "+34600111222"),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert (await world.accounts.get(vic, account.id)).name == "Shop"


async def test_an_account_of_another_workspace_does_not_exist(world: World) -> None:
    """SEC-6: Mallory owns a workspace of her own and sees nothing of this one."""
    account = await world.accounts.create(world.ana, name="Shop", engine="scripted")
    async with world.db.write() as session:
        other = Workspace(name="Mallory's")
        session.add(other)
    mallory = Principal("mallory", other.id, "mallory", Role.OWNER, "s3")
    assert await world.accounts.list_accounts(mallory) == []
    for refused in (
        world.accounts.get(mallory, account.id),
        world.accounts.update(mallory, account.id, name="x"),
        world.accounts.delete(mallory, account.id),
        world.accounts.connect(mallory, account.id),
        world.accounts.disconnect(mallory, account.id),
        world.accounts.logout(mallory, account.id),
        world.accounts.qr(mallory, account.id),
        world.accounts.what_is_lost(mallory, account.id),
        world.accounts.pairing_code(mallory, account.id, "+34600111222"),
    ):
        with pytest.raises(NotFound):
            await refused
    assert (await world.accounts.get(world.ana, account.id)).name == "Shop"
