"""The message log: filters, keyset pages both ways, isolation, CSV, and its speed at a million rows (MSG-8)."""

from __future__ import annotations

import csv
import io
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from whatsapp_dashboard.core.csv_text import BOM, safe_cell
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import Forbidden, Invalid, NotFound
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.messages.log_query import Search, parse_cursor, time_of
from whatsapp_dashboard.messages.log_views import LogFilters, LogPage
from whatsapp_dashboard.models import Account, Contact, Conversation, Media, Message, Workspace

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)


def message_id(number: int) -> str:
    """The id of message ``number``: stored that many seconds after BEGIN."""
    return id_floor(BEGIN + timedelta(seconds=number))[:-12] + f"{number:012x}"


class Cast:
    """Ana's workspace with two accounts and the contacts Carla and Dev; Mallory's workspace beside it."""

    def __init__(self, db: Database) -> None:
        self.db, self.log = db, MessageLog(db)
        self.ana = Principal("ana", "w1", "ana", Role.OWNER, "s")
        self.vic = Principal("vic", "w1", "vic", Role.VIEWER, "s")
        self.mallory = Principal("mallory", "w2", "mallory", Role.OWNER, "s")
        self.count = 0

    async def set_up(self) -> None:
        """Make workspaces, accounts, contacts and conversations."""
        async with self.db.write() as session:
            session.add_all([Workspace(id="w1", name="Ana's"), Workspace(id="w2", name="Mallory's")])
            await session.flush()
            for account, workspace in (("sales", "w1"), ("support", "w1"), ("theirs", "w2")):
                session.add(Account(id=account, workspace_id=workspace, name=account.title(), engine="sandbox"))
            await session.flush()
            for account in ("sales", "support", "theirs"):
                session.add(Contact(id=f"carla-{account}", account_id=account, phone="34600111222", name="Carla 100%"))
                session.add(Contact(id=f"dev-{account}", account_id=account, phone="919812345678", push_name="Dev"))
                await session.flush()
                for person in ("carla", "dev"):
                    session.add(Conversation(id=f"{person}-{account}", account_id=account, contact_id=f"{person}-{account}"))

    def row(self, number: int, **values: object) -> dict[str, object]:
        """The row of message ``number``; by default Dev's incoming text on Sales."""
        at = BEGIN + timedelta(seconds=number)
        person, account = str(values.pop("person", "dev")), str(values.pop("account", "sales"))
        return {
            "id": message_id(number), "account_id": account, "conversation_id": f"{person}-{account}",
            "contact_id": f"{person}-{account}", "direction": "incoming", "type": "text", "status": "received",
            "body": f"message {number}", "wa_id": f"WA{number}", "at": at, "created_at": at, **values,
        }  # fmt: skip

    async def write(self, *rows: dict[str, object]) -> None:
        """Store rows, each with a default for what it leaves out."""
        async with self.db.write() as session:
            for row in rows:
                session.add(Message(**row))


@pytest.fixture
async def cast(db: Database) -> Cast:
    cast = Cast(db)
    await cast.set_up()
    return cast


@pytest.fixture
async def sqlite_cast(sqlite_db: Database) -> Cast:
    cast = Cast(sqlite_db)
    await cast.set_up()
    return cast


def numbers(page: LogPage) -> list[int]:
    return [int(row.id[-12:], 16) for row in page.rows]


async def test_pages_lead_from_the_newest_to_the_oldest_message_and_back_without_gap_or_repeat(cast: Cast) -> None:
    """MSG-8"""
    await cast.write(*[cast.row(n) for n in range(25)])
    seen, cursor, pages = [], "", []
    while True:
        page = await cast.log.page(cast.ana, LogFilters(), cursor, limit=10)
        pages.append(page)
        seen += numbers(page)
        if page.older is None:
            break
        cursor = page.older
    assert seen == list(range(24, -1, -1))
    assert pages[0].newer is None
    back = await cast.log.page(cast.ana, LogFilters(), pages[-1].newer or "", limit=10)
    assert numbers(back) == numbers(pages[1])
    top = await cast.log.page(cast.ana, LogFilters(), back.newer or "", limit=10)
    assert numbers(top) == numbers(pages[0])
    assert top.newer is None
    assert top.older == pages[0].older


async def test_a_message_that_arrives_while_paging_shifts_no_row(cast: Cast) -> None:
    """MSG-8"""
    await cast.write(*[cast.row(n) for n in range(20)])
    first = await cast.log.page(cast.ana, LogFilters(), limit=10)
    await cast.write(cast.row(20), cast.row(21))
    second = await cast.log.page(cast.ana, LogFilters(), first.older or "", limit=10)
    assert numbers(second) == list(range(9, -1, -1))
    assert await cast.log.count_newer(cast.ana, LogFilters(), first.rows[0].id) == 2
    assert await cast.log.count_newer(cast.ana, LogFilters(direction="outgoing"), first.rows[0].id) == 0


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"account_id": "support"}, {2}),
        ({"direction": "outgoing"}, {3, 4}),
        ({"type": "image"}, {1}),
        ({"status": "failed"}, {4}),
        ({"contact": "carla"}, {1, 2}),
        ({"contact": "100%"}, {1, 2}),
        ({"contact": "+34 600-111"}, {1, 2}),
        ({"contact": "9198"}, {0, 3, 4, 5}),
        ({"text": "INVOICE"}, {0, 5}),
        ({"text": "50%_"}, {5}),
        ({"text": "%"}, {5}),
        ({"conversation_id": "carla-sales"}, {1}),
        ({"since": BEGIN + timedelta(seconds=3)}, {3, 4, 5}),
        ({"until": BEGIN + timedelta(seconds=1)}, {0}),
        ({"since": BEGIN + timedelta(seconds=1), "until": BEGIN + timedelta(seconds=3)}, {1, 2}),
        ({"contact": "carla", "account_id": "sales", "type": "text"}, set()),
        ({"contact": "nobody"}, set()),
    ],
)
async def test_each_filter_finds_exactly_its_messages(cast: Cast, filters: dict[str, object], expected: set[int]) -> None:
    """MSG-8"""
    await cast.write(
        cast.row(0, body="Invoice"), cast.row(1, person="carla", type="image"), cast.row(2, person="carla", account="support"),
        cast.row(3, direction="outgoing", status="sent"), cast.row(4, direction="outgoing", status="failed"),
        cast.row(5, body="the invoice, 50%_ off"), cast.row(6, account="theirs"),
    )  # fmt: skip
    page = await cast.log.page(cast.ana, LogFilters(**filters))  # type: ignore[arg-type]
    assert set(numbers(page)) == expected


async def test_nobody_sees_messages_of_another_workspace(cast: Cast) -> None:
    """SEC-6, MSG-8"""
    await cast.write(cast.row(0), cast.row(1, account="theirs"))
    assert numbers(await cast.log.page(cast.vic, LogFilters())) == [0]
    assert numbers(await cast.log.page(cast.mallory, LogFilters())) == [1]
    assert numbers(await cast.log.page(cast.mallory, LogFilters(conversation_id="dev-sales"))) == []
    for wrong in (cast.log.get(cast.mallory, message_id(0)), cast.log.page(cast.mallory, LogFilters(account_id="sales"))):
        with pytest.raises(NotFound):
            await wrong
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in cast.log.export(cast.mallory, LogFilters(account_id="sales"))]
    exported = "".join([chunk async for chunk in cast.log.export(cast.mallory, LogFilters())])
    assert message_id(0) not in exported


async def test_a_detail_holds_all_that_is_known_of_a_message(cast: Cast) -> None:
    """MSG-8"""
    async with cast.db.write() as session:
        session.add(Media(id="m1", account_id="sales", state="stored", mimetype="image/png", size=12, filename="a.png"))
    long = "x" * 5_000
    sent = BEGIN + timedelta(seconds=5)
    await cast.write(
        cast.row(0, body=long, media_id="m1", direction="outgoing", status="delivered", origin="api", sent_at=sent, attempts=2)
    )
    page = await cast.log.page(cast.vic, LogFilters())
    assert len(page.rows[0].text) == 200
    assert page.rows[0].filename == "a.png"
    detail = await cast.log.get(cast.vic, message_id(0))
    assert detail.body == long
    assert (detail.sent_at, detail.attempts, detail.media_type, detail.row.origin) == (sent, 2, "image/png", "api")
    assert detail.contact_address == "919812345678@s.whatsapp.net"
    assert detail.row.contact_name == "Dev"


async def test_the_export_has_every_matching_message_once_and_no_live_formula(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSG-8"""
    monkeypatch.setattr("whatsapp_dashboard.messages.log.EXPORT_CHUNK", 7)
    await cast.write(*[cast.row(n) for n in range(20)])
    bad = '=HYPERLINK("http://x","a,b")\nsecond line'
    await cast.write(cast.row(20, body=bad, direction="outgoing", status="sent"))
    chunks = [chunk async for chunk in cast.log.export(cast.vic, LogFilters())]
    assert len(chunks) > 2
    whole = "".join(chunks)
    assert whole.startswith(BOM)
    rows = list(csv.DictReader(io.StringIO(whole.removeprefix(BOM))))
    assert [row["id"] for row in rows] == [message_id(n) for n in range(20, -1, -1)]
    assert rows[0]["text"] == "'" + bad
    assert rows[1]["account"] == "Sales"
    only = "".join([chunk async for chunk in cast.log.export(cast.vic, LogFilters(direction="outgoing"))])
    assert len(only.splitlines()) == 3


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_a_spreadsheet_would_run_are_quoted(begin: str) -> None:
    """MSG-8"""
    assert safe_cell(begin + "1") == "'" + begin + "1"
    assert safe_cell("a" + begin) == "a" + begin


@pytest.mark.parametrize(
    "filters",
    [{"direction": "up"}, {"type": "x" * 999}, {"status": "'; DROP"}, {"text": "x" * 201}, {"since": datetime(2026, 1, 1)}],  # noqa: DTZ001
)
def test_filters_that_cannot_be_are_refused_with_the_field_at_fault(filters: dict[str, object]) -> None:
    """MSG-8"""
    with pytest.raises(Invalid) as caught:
        LogFilters(**filters)  # type: ignore[arg-type]
    assert caught.value.field == next(iter(filters))


@pytest.mark.parametrize("cursor", ["x", "older-", "older-1 OR 1=1", "sideways-" + message_id(0), "newer-" + "f" * 500])
async def test_a_made_up_cursor_is_refused(cast: Cast, cursor: str) -> None:
    """MSG-8"""
    with pytest.raises(Invalid):
        await cast.log.page(cast.ana, LogFilters(), cursor)


async def test_a_rare_filter_stops_after_its_time_and_says_how_far_it_searched(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSG-8"""
    monkeypatch.setattr("whatsapp_dashboard.messages.log.FIRST_WINDOW", 10)
    monkeypatch.setattr("whatsapp_dashboard.messages.log.LARGEST_WINDOW", 10)
    monkeypatch.setattr("whatsapp_dashboard.messages.log.SEARCH_SECONDS", -1)
    await cast.write(cast.row(0, type="poll"), *[cast.row(n) for n in range(1, 35)])
    cursor, steps = "", 0
    while True:
        page = await cast.log.page(cast.ana, LogFilters(type="poll"), cursor)
        if page.rows or page.older is None:
            break
        assert page.searched_to is not None
        cursor, steps = page.older, steps + 1
    assert numbers(page) == [0]
    assert steps == 3


def test_ids_carry_their_time() -> None:
    """MSG-8"""
    assert time_of(id_floor(BEGIN)) == BEGIN
    assert parse_cursor("older-" + message_id(3)) == (False, message_id(3))


@pytest.mark.parametrize(
    "filters",
    [LogFilters(), LogFilters(account_id="sales"), LogFilters(status="failed"), LogFilters(text="x"), LogFilters(contact="a"),
     LogFilters(conversation_id="dev-sales"), LogFilters(since=BEGIN, until=BEGIN + timedelta(days=1))],
)  # fmt: skip
async def test_every_plan_goes_by_an_index_and_none_reads_the_whole_table(sqlite_cast: Cast, filters: LogFilters) -> None:
    """MSG-8"""
    for upwards in (False, True):
        search = Search(filters, ["sales", "support"], upwards=upwards)
        async with sqlite_cast.db.read() as session:
            await search.prepare(session)
            statements = [search.ids(message_id(9), None if search.indexed else message_id(1), 51)]
            if not search.indexed:
                statements.append(search.window(message_id(9), 1_000))
            for statement in statements:
                sql = str(statement.compile(sqlite_cast.db.engine.sync_engine, compile_kwargs={"literal_binds": True}))
                plan = [row[3] for row in await session.execute(text("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:")))]
                steps = [step for step in plan if "message" in step.lower()]
                assert steps, plan
                assert all(step.startswith("SEARCH") for step in steps), plan
                assert set(re.findall(r"OFFSET (\d+)", sql)) <= {"0"}, sql


@pytest.mark.full
@pytest.mark.alone
async def test_every_page_is_quick_in_a_million_messages(cast: Cast) -> None:
    """MSG-8"""
    total = 1_000_000
    defaults = {"payload": {}, "reactions": {}, "votes": {}, "history": False, "recovered": False, "attempts": 0, "status_reason": "",
                "sender_address": "", "sender_name": ""}  # fmt: skip
    for begin in range(0, total, 20_000):
        async with cast.db.write() as session:
            rows = [
                {**defaults, **cast.row(n, account=("sales", "support")[n % 2], type="poll" if n == 7 else "text",
                                        person="carla" if n % 1_000 == 0 else "dev")}
                for n in range(begin, begin + 20_000)
            ]  # fmt: skip
            await session.execute(insert(Message), rows)
    middle = "older-" + message_id(total // 2)
    worst = 0.0
    for filters in (
        LogFilters(), LogFilters(account_id="sales"), LogFilters(direction="incoming"), LogFilters(contact="carla"),
        LogFilters(contact="dev"), LogFilters(text="message 99"), LogFilters(until=BEGIN + timedelta(seconds=900)),
    ):  # fmt: skip
        for cursor in ("", middle, middle.replace("older", "newer")):
            begun = time.perf_counter()
            page = await cast.log.page(cast.ana, filters, cursor)
            took = time.perf_counter() - begun
            print(f"{took * 1000:7.1f} ms  {len(page.rows)} rows  {cursor[:6]} {filters}")
            if page.rows:
                worst = max(worst, took)
    assert worst < 2.0
    begun = time.perf_counter()
    rare = await cast.log.page(cast.ana, LogFilters(type="poll"))
    took = time.perf_counter() - begun
    print(f"{took * 1000:7.1f} ms  for the one in a million, searched to {rare.searched_to}")
    assert took < 3.0


async def test_a_role_below_viewer_does_not_exist_so_every_operator_of_the_workspace_may_read(cast: Cast) -> None:
    """SEC-6"""
    for role in Role:
        who = Principal("x", "w1", "x", role, "s")
        try:
            await cast.log.page(who, LogFilters())
        except Forbidden:
            pytest.fail(f"{role} may read")
