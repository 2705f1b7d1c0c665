"""Who may hold which simulated phone, and what the Sandbox phone page can do with it (ENG-5, SEC-6)."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import filetype
import pytest
from PIL import Image

from tests.support.cast import Cast, make_cast
from tests.support.example_numbers import EXAMPLES, e164, international_forms
from tests.support.waiting import PATIENCE, until
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Conflict, Forbidden, Invalid, NotFound
from whatsapp_dashboard.runtime import Runtime
from whatsapp_dashboard.sandbox_phone import samples


@pytest.fixture
async def program(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Runtime]:
    """The whole program, running, with a sandbox world of its own."""
    shutil.copy(migrated_sqlite, tmp_path / "dashboard.db")
    running = Runtime(Settings(data_dir=tmp_path))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def cast(program: Runtime) -> Cast:
    """Ana, Ben and Vic of one workspace, Mallory of another."""
    return await make_cast(program.db)


async def waiting_account(program: Runtime, who: Principal, name: str = "Bakery") -> str:
    """An account that shows a QR now."""
    account = await program.accounts.create(who, name=name, engine="sandbox")
    await program.accounts.connect(who, account.id)
    await until(lambda: _waits(program, who, account.id))
    return account.id


async def linked_phone(program: Runtime, who: Principal) -> str:
    """The number of a phone that is linked to a connected account."""
    account_id = await waiting_account(program, who)
    number = await program.phone.scan(who, account_id)
    await until(lambda: _ready(program, who, account_id))
    return number


async def test_one_click_scans_the_real_qr(program: Runtime, cast: Cast) -> None:
    """ACC-3: the account's own code, as the dashboard shows it."""
    assert not await program.phone.has_accounts(cast.ana)
    number = await linked_phone(program, cast.ben)
    assert await program.phone.has_accounts(cast.vic)
    seen = await program.phone.overview(cast.vic)
    assert [(phone.number, phone.account_name, phone.state, phone.connected) for phone in seen.phones] == [
        (number, "Bakery", "linked", True)
    ]
    assert seen.waiting == ()


async def test_a_pairing_code_links_as_well(program: Runtime, cast: Cast) -> None:
    """ACC-3; only for accounts of one's own workspace."""
    account_id = await waiting_account(program, cast.ana)
    code = (await program.accounts.pairing_code(cast.ana, account_id, "+1 202 555 0123")).code
    with pytest.raises(Invalid):
        await program.phone.enter_code(cast.mallory, code)
    with pytest.raises(Invalid, match="eight"):
        await program.phone.enter_code(cast.ben, "abc")
    assert await program.phone.enter_code(cast.ben, code) == "12025550123"


async def test_a_conversation_is_seen_from_the_contacts_side(program: Runtime, cast: Cast) -> None:
    """ENG-5: every sample arrives in the dashboard; answers, ticks and reactions are seen on the phone."""
    number = await linked_phone(program, cast.ana)
    service = program.phone
    for kind in ("text", "image", "sticker", "voice", "audio", "document", "location", "contact", "poll"):
        await service.send(cast.ben, number, "carla", kind, "Hello" if kind == "text" else "")
    await service.send(cast.ben, number, "carla", "text", "I am the owner", as_owner=True)
    await until(lambda: _stored(program, cast.ana, 10))
    messages, _ = await service.thread(cast.vic, number, "carla")
    assert [message["content"]["type"] for message in messages[:3]] == ["text", "image", "sticker"]
    assert messages[1]["preview"].data == samples.image().data
    assert messages[-1]["by_owner"]
    await service.edit(cast.ben, number, messages[0]["wa_id"], "Hello there")
    await service.react(cast.ben, number, messages[0]["wa_id"], "👍")
    await service.revoke(cast.ben, number, messages[1]["wa_id"])
    await service.vote(cast.ben, number, messages[8]["wa_id"], ["Friday"])
    messages, _ = await service.thread(cast.vic, number, "carla")
    assert (messages[0]["content"]["text"], messages[0]["reactions"], messages[1]["revoked"]) == ("Hello there", {"carla": "👍"}, True)
    assert messages[8]["votes"] == {"carla": ["Friday"]}
    with pytest.raises(Invalid):
        await service.send(cast.ben, number, "carla", "nonsense")
    with pytest.raises(Invalid):
        await service.send(cast.ben, number, "carla", "text", "")


async def test_a_new_person_is_known_by_the_number_that_was_meant(program: Runtime, cast: Cast) -> None:
    """MSG-2, MSG-10: in every form that says its country; nobody is there twice because a number is written in two ways."""
    number = await linked_phone(program, cast.ana)
    countries = ("AR", "DE", "DK", "IT", "CI")
    for country in countries:
        first, *more = international_forms(EXAMPLES[country])
        await program.phone.add_contact(cast.ben, f"From {country}", first)
        for text in more:
            with pytest.raises(Conflict, match="has that number"):
                await program.phone.add_contact(cast.ben, "Twin", text)
    assert {chat["phone"] for chat in await program.phone.chats(cast.vic, number)} >= {e164(EXAMPLES[country]) for country in countries}
    await program.phone.add_contact(cast.ben, "Ana", "5215512345678@c.us")
    with pytest.raises(Conflict, match="has that number"):
        await program.phone.add_contact(cast.ben, "Ana again", "+52 55 1234 5678")
    for bad in ("0151 12345678", "777888@lid"):
        with pytest.raises(Invalid, match="for example") as caught:
            await program.phone.add_contact(cast.ben, "Nobody", bad)
        assert caught.value.field == "phone"


async def test_switches_and_ends_reach_the_account(program: Runtime, cast: Cast) -> None:
    """ENG-5."""
    number = await linked_phone(program, cast.ana)
    service = program.phone
    await service.switch(cast.ben, number, "duplicates", True)
    assert (await service.overview(cast.vic)).phones[0].switches["duplicates"]
    assert await service.replay_history(cast.ben, number, 5) == 5
    for name in ("outdated", "nonsense"):
        with pytest.raises(Invalid):
            await service.switch(cast.ben, number, name, True)
    await service.happen(cast.ben, number, "log_out")
    account = (await program.accounts.list_accounts(cast.ana))[0]
    await until(lambda: _status(program, cast.ana, account.id, "auth_failed"))
    assert (await service.overview(cast.vic)).phones[0].state == "free"
    with pytest.raises(Conflict, match="scan a QR"):
        await service.happen(cast.ben, number, "drop")
    assert await service.chats(cast.vic, number), "the phone and its chats are still there"


async def test_viewers_only_look(program: Runtime, cast: Cast) -> None:
    """SEC-6."""
    number = await linked_phone(program, cast.ana)
    service, vic = program.phone, cast.vic
    await service.chats(vic, number)
    await service.thread(vic, number, "carla")
    for act in acts(program, vic, number):
        with pytest.raises(Forbidden):
            await act()


async def test_other_workspaces_see_and_touch_nothing(program: Runtime, cast: Cast) -> None:
    """SEC-6: also after a log-out, and also with the number known."""
    number = await linked_phone(program, cast.ana)
    waiting = await waiting_account(program, cast.ana, "Second")
    service, mallory = program.phone, cast.mallory
    for _ in range(2):
        seen = await service.overview(mallory)
        assert (seen.phones, seen.waiting, seen.accounts) == ((), (), 0)
        with pytest.raises(NotFound):
            await service.chats(mallory, number)
        with pytest.raises(NotFound):
            await service.thread(mallory, number, "carla")
        with pytest.raises(NotFound):
            await service.scan(mallory, waiting)
        for act in acts(program, mallory, number)[2:]:
            with pytest.raises(NotFound):
                await act()
        account = next(phone for phone in (await service.overview(cast.ana)).phones if phone.number == number)
        if account.state != "free":
            await service.happen(cast.ana, number, "log_out")
    own = await waiting_account(program, mallory, "Hers")
    with pytest.raises(NotFound):
        await service.scan(mallory, own, number)
    assert await service.scan(mallory, own) != number


async def test_changes_wake_whoever_watches(program: Runtime, cast: Cast) -> None:
    """The page is live."""
    number = await linked_phone(program, cast.ana)
    changes = program.phone.changes(cast.vic, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        assert await anext(changes)
        await program.phone.send(cast.ben, number, "dev", "text", "news")
        while not await anext(changes):
            pass


def test_samples_are_what_they_say() -> None:
    """MSG-9 sniffs types from the bytes; these pass."""
    for sample in (samples.image(), samples.sticker(), samples.voice(), samples.audio(), samples.document()):
        guessed = filetype.guess_mime(sample.data).replace("x-wav", "wav")
        assert guessed == sample.mimetype.partition(";")[0]
    assert Image.open(io.BytesIO(samples.image().data)).size == (480, 320)


def acts(program: Runtime, who: Principal, number: str) -> list[Callable[[], Awaitable[object]]]:
    """Everything that changes something; the first two do not name a phone."""
    service = program.phone
    return [
        lambda: service.add_contact(who, "Somebody", "+34600111222"),
        lambda: service.enter_code(who, "ABCD-EFGH"),
        lambda: service.scan(who, "some-account", number),
        lambda: service.send(who, number, "carla", "text", "hi"),
        lambda: service.edit(who, number, "x", "hi"),
        lambda: service.revoke(who, number, "x"),
        lambda: service.react(who, number, "x", "👍"),
        lambda: service.vote(who, number, "x", []),
        lambda: service.open_chat(who, number, "carla"),
        lambda: service.call(who, number, "carla"),
        lambda: service.switch(who, number, "offline", True),
        lambda: service.happen(who, number, "log_out"),
        lambda: service.replay_history(who, number, 3),
        lambda: service.set_online(who, number, "carla", False),
        lambda: service.set_timer(who, number, "carla", 0),
    ]


async def _waits(program: Runtime, who: Principal, account_id: str) -> bool:
    return any(account.id == account_id for account in (await program.phone.overview(who)).waiting)


async def _ready(program: Runtime, who: Principal, account_id: str) -> bool:
    return await _status(program, who, account_id, "ready")


async def _status(program: Runtime, who: Principal, account_id: str, status: str) -> bool:
    return (await program.accounts.get(who, account_id)).status == status


async def _stored(program: Runtime, who: Principal, count: int) -> bool:
    return (await program.accounts.list_accounts(who))[0].messages_24h >= count
