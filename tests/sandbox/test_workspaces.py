"""A sandbox world for each workspace: what is in one is neither seen nor reached from another (ENG-5, ACC-15)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.test_phone_service import linked_phone
from tests.support.cast import Cast, make_cast
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.engines.sandbox.neighbours import memory_of
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.engines.sandbox.server import SandboxWorld, socket_path_for
from whatsapp_dashboard.errors import Conflict, Invalid, NotFound, Permanent
from whatsapp_dashboard.runtime import Runtime


@pytest.fixture
async def program(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Runtime]:
    """The whole program, running."""
    shutil.copy(migrated_sqlite, tmp_path / "dashboard.db")
    running = Runtime(Settings(data_dir=tmp_path))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def cast(program: Runtime) -> Cast:
    """Ana of the first workspace, Mallory of another."""
    return await make_cast(program.db)


async def names(program: Runtime, who: Principal, number: str) -> list[str]:
    return [chat["name"] for chat in await program.phone.chats(who, number)]


async def test_contacts_phones_and_chats_of_a_workspace_are_its_own(program: Runtime, cast: Cast) -> None:
    """ACC-15: by the page's service; the same names and numbers may be in both."""
    mine, theirs = await linked_phone(program, cast.ana), await linked_phone(program, cast.mallory)
    assert mine != theirs
    contact = await program.phone.add_contact(cast.ana, "Canary Winifred", "+34600999888")
    await program.phone.send(cast.ana, mine, contact, "text", "canary-message")
    assert "Canary Winifred" in await names(program, cast.ana, mine)
    assert "Canary Winifred" not in await names(program, cast.mallory, theirs)
    assert "canary-message" not in str(await program.phone.chats(cast.mallory, theirs))
    with pytest.raises(NotFound):
        await program.phone.send(cast.mallory, theirs, contact, "text", "hello")
    with pytest.raises(NotFound):
        await program.phone.chats(cast.mallory, mine)
    assert await program.phone.add_contact(cast.mallory, "Canary Winifred", "+34600999888") == contact
    with pytest.raises(Conflict):
        await program.phone.add_contact(cast.ana, "Canary Winifred", "+34600999888")
    # What happens to one is not what happens to the other.
    await program.phone.set_online(cast.mallory, theirs, "carla", False)
    assert all(chat["online"] for chat in await program.phone.chats(cast.ana, mine))


async def test_a_phone_nobody_has_linked_yet_is_its_workspaces_too(program: Runtime, cast: Cast) -> None:
    """ACC-15: it used to be whoever's came first."""
    number = await linked_phone(program, cast.ana)
    await program.phone.happen(cast.ana, number, "log_out")
    free = [phone.number for phone in (await program.phone.overview(cast.ana)).phones]
    assert free == [number]
    assert (await program.phone.overview(cast.mallory)).phones == ()
    with pytest.raises(NotFound):
        await program.phone.scan(cast.mallory, "any", number)


async def test_the_first_workspace_keeps_the_world_that_was_there_before(tmp_path: Path, migrated_sqlite: Path) -> None:
    """ACC-15, ENG-5: an installation from the time of one world finds its contacts again, after each restart."""
    world = SandboxWorld(tmp_path, seed=7)
    await world.start()
    async with SandboxPhone(str(world.socket_path)) as phone:
        await phone.add_contact("Old Friend", "34600111222")
    await world.stop()
    shutil.copy(migrated_sqlite, tmp_path / "dashboard.db")
    for _ in range(2):
        running = Runtime(Settings(data_dir=tmp_path))
        await running.start()
        cast = await make_cast(running.db)
        mine = (await running.phone.overview(cast.ana)).phones
        number = mine[0].number if mine else await linked_phone(running, cast.ana)
        assert "Old Friend" in await names(running, cast.ana, number)
        others = (await running.phone.overview(cast.mallory)).phones
        theirs = others[0].number if others else await linked_phone(running, cast.mallory)
        assert "Old Friend" not in await names(running, cast.mallory, theirs)
        await running.stop()


async def test_the_socket_keeps_worlds_apart(tmp_path: Path) -> None:
    """ACC-15: a code, a credential and a file of one world are worth nothing in another; a name that is a path makes no file."""
    world = SandboxWorld(tmp_path, seed=7)
    await world.start()
    path = str(world.socket_path)
    try:
        async with SandboxPhone(path) as first, SandboxPhone(path, world="other") as second:
            assert {one["phone"] for one in await first.contacts() if one["phone"]}.isdisjoint(
                {one["phone"] for one in await second.contacts() if one["phone"]}
            )
            world.people.own_phone("12025550001")
            assert [phone["number"] for phone in await first.phones()] == ["12025550001"]
            assert await second.phones() == []
            token = world.store.keep_media(b"canary", "text/plain", "canary.txt")
            assert (await first.media(token)).data == b"canary"
            with pytest.raises(Permanent):
                await second.media(token)
            with pytest.raises(Invalid):
                await second.scan("no such code")
        for name in ("../outside", "a/b", "x" * 65, "a.b"):
            with pytest.raises(Permanent):
                await SandboxPhone(path, world=name).phones()
        assert sorted(file.name for file in (tmp_path / "worlds").glob("*.db")) == ["other.db"]
        assert memory_of(tmp_path, "other").stat().st_mode & 0o777 == 0o600
    finally:
        await world.stop()
    assert not socket_path_for(tmp_path).exists()


async def test_a_world_remembers_after_a_restart(tmp_path: Path) -> None:
    """ENG-5: the other ones as the first."""
    for expected in (False, True):
        world = SandboxWorld(tmp_path, seed=7)
        await world.start()
        async with SandboxPhone(str(world.socket_path), world="other") as phone:
            assert ("Old Friend" in [one["name"] for one in await phone.contacts()]) is expected
            if not expected:
                await phone.add_contact("Old Friend", "34600111222")
        await world.stop()
