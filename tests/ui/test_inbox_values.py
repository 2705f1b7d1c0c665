"""How conversations and messages become what the inbox draws (MSG-7, SEC-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.messages.conversation_views import ConversationRow, Hit, MediaView, ThreadItem
from whatsapp_dashboard.ui.inbox.bubbles import Bubble, bubble, first_fresh, lay_out
from whatsapp_dashboard.ui.inbox.formatting import parts_of
from whatsapp_dashboard.ui.inbox.lines import aged, conversation_line, highlighted, initials, order, short_time
from whatsapp_dashboard.ui.inbox.state import from_address, to_query

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW = ConversationRow(
    "c1",
    "a1",
    "Shop",
    AccountStatus.READY,
    "k1",
    "person",
    "Carla Ruiz",
    "34600111222",
    "34600111222@s.whatsapp.net",
    False,
    "active",
    "human",
    NOON + timedelta(hours=13),
    120,
    NOON,
    NOON,
    "hello",
    "outgoing",
    "text",
    "read",
    NOON,
)


def shown(item: ThreadItem, *, group: bool = False) -> Bubble:
    return bubble(item, NOON, "Europe/Madrid", group=group, contact="Carla")


def test_a_line_says_who_what_when_and_who_answers() -> None:
    """MSG-7, AI-8: times in the reader's zone."""
    line = conversation_line(ROW, NOON + timedelta(minutes=5), "Europe/Madrid")
    assert (line.name, line.initials, line.when, line.badge, line.ticks) == ("Carla Ruiz", "CR", "5 min", "99+", "read")
    assert line.paused_text == "2 Mar, 02:00"
    unnamed = conversation_line(replace(ROW, contact_name="", preview_direction="incoming"), NOON, "UTC")
    assert (unnamed.name, unnamed.initials, unnamed.ticks) == ("+34 600 11 12 22", "#", "")
    assert conversation_line(replace(ROW, contact_name=" ", contact_phone=""), NOON, "UTC").name == "Unknown contact"


def test_lines_sort_as_the_service_does() -> None:
    """MSG-7: also when one time has a fraction and the other has none."""
    lines = [conversation_line(replace(ROW, id=str(n), last_message_at=NOON + timedelta(microseconds=n)), NOON, "UTC") for n in (2, 0, 1)]
    assert [line.id for line in sorted(lines, key=order, reverse=True)] == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("ago", "text"), [(1, "now"), (130, "2 min"), (7_300, "2 h"), (200_000, "2 d"), (2_000_000, "6 Feb"), (9e7, "24 Apr 2023")]
)
def test_times_are_short(ago: float, text: str) -> None:
    """MSG-7"""
    assert short_time(NOON - timedelta(seconds=ago), NOON, "UTC") == text


@pytest.mark.parametrize(("name", "letters"), [("", "#"), ("🌸", "#"), ("דנה לוי", "דל"), ("o'brien & sons", "OS"), ("Zoë 🌸", "Z")])
def test_avatars_have_letters_of_any_script(name: str, letters: str) -> None:
    """MSG-7"""
    assert initials(name) == letters


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", "<script>x</script>", "[a](javascript:b)", "ftp://x", "http//x", "//evil.example"]
)
def test_only_web_addresses_become_links(text: str) -> None:
    """SEC-4"""
    assert all(part.href == "" for part in parts_of(text))
    assert "".join(part.text for part in parts_of(text)) == text


def test_links_leave_the_text_around_them_as_it_was() -> None:
    """MSG-7"""
    text = "See https://a.example/x?y=1&z=(2). Then HTTP://B.example!\nبعد"
    parts = parts_of(text)
    assert "".join(part.text for part in parts) == text
    assert [part.href for part in parts if part.href] == ["https://a.example/x?y=1&z=(2", "HTTP://B.example"]


def test_a_day_and_a_sender_are_named_once_in_a_row() -> None:
    """MSG-7: days are the reader's, not UTC's."""
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # 1 March in Madrid
    items = [
        ThreadItem("message", str(n), at, direction="incoming", type="text", sender_name=who)
        for n, (at, who) in enumerate([(late - timedelta(hours=2), "Nico"), (late, "Nico"), (NOON, "Nico"), (NOON, "Mia")])
    ]
    laid = lay_out([shown(item, group=True) for item in reversed(items)], NOON, "Europe/Madrid")
    assert [one.day for one in laid] == ["Yesterday", "Today", "", ""]
    assert [one.shows_sender for one in laid] == [True, True, False, True]


def test_what_was_missed_while_offline_has_one_heading_per_gap_and_day() -> None:
    """ACC-10: with the times of its first and last message; a note between them does not end it."""
    times = [(-700, True), (0, False), (1, True), (2, False), (3, True), (4, False), (5, True)]
    items = [
        ThreadItem("note" if after == 2 else "message", str(n), NOON + timedelta(minutes=after), direction="incoming", type="text",
                   recovered=recovered, created_at=NOON + timedelta(minutes=30))
        for n, (after, recovered) in enumerate(times)
    ]  # fmt: skip
    laid = lay_out([shown(item) for item in items], NOON, "UTC")
    assert [one.missed for one in laid] == [
        "Missed while offline, 00:20, recovered", "", "Missed while offline, 12:01–12:03, recovered", "", "", "",
        "Missed while offline, 12:05, recovered",
    ]  # fmt: skip
    assert "Fetched 1 March 2026, 12:30:00" in shown(items[-1]).exact.replace("13:30", "12:30")
    assert lay_out(laid, NOON, "UTC") == laid


def test_a_message_in_doubt_is_not_shown_as_sent() -> None:
    """MSG-4: neither in the thread nor in the list; while it is sent anew it waits as any other."""
    item = ThreadItem("message", "1", NOON, direction="outgoing", type="text", status="sent", unconfirmed=True)
    assert shown(item).doubt
    assert not shown(replace(item, status="queued")).doubt
    assert conversation_line(replace(ROW, preview_status="sent", preview_unconfirmed=True), NOON, "UTC").ticks == "in_doubt"
    assert conversation_line(replace(ROW, preview_status="delivered", preview_unconfirmed=True), NOON, "UTC").ticks == "delivered"


def test_polls_reactions_and_files_are_counted_and_named() -> None:
    """MSG-1, MSG-7"""
    item = ThreadItem(
        "message",
        "1",
        NOON,
        direction="outgoing",
        type="poll",
        text="When?",
        wa_id="x",
        origin="api",
        payload={"poll": {"question": "When?", "options": ["Mon", "Tue"], "selectable": 0}},
        votes={"a": ["Mon"], "b": ["Mon", "Tue"], "c": []},
        reactions={"a": "👍", "me": "👍", "b": "🎉"},
        media=MediaView("m", "stored", "", "application/pdf", 1_500_000, "x.pdf", 65),
    )
    made = shown(item)
    assert [(choice.text, choice.votes, choice.width) for choice in made.choices] == [("Mon", 2, "100%"), ("Tue", 1, "50%")]
    assert made.poll_note == "Any number of answers · 2 voters"
    assert [(one.emoji, one.count, one.mine) for one in made.reactions] == [("👍", 2, True), ("🎉", 1, False)]
    assert (made.file_info, made.author, made.time) == ("PDF · 1.5 MB · 1:05", "API", "13:00")


def test_the_address_holds_the_filters_and_nothing_else() -> None:
    """MSG-7"""
    wanted = from_address({"show": "unread", "account": "a1", "q": " blue & green ", "evil": "x"})
    assert wanted == ("unread", "a1", "blue & green")
    assert to_query(*wanted) == "&show=unread&account=a1&q=blue+%26+green"
    assert from_address({"show": "everything"}) == ("all", "", "")
    assert to_query("all", "", "") == ""


def test_a_line_says_since_when_somebody_waits_and_grows_older() -> None:
    """MSG-14"""
    line = conversation_line(replace(ROW, waiting_since=NOON, answers_next="nobody"), NOON + timedelta(minutes=5), "UTC")
    assert (line.waits_text, line.answers, line.bot) == ("5 min", "nobody", False)
    assert aged(line, NOON + timedelta(hours=2), "UTC").waits_text == "2 h"
    assert conversation_line(ROW, NOON, "UTC").waits_text == ""


def test_what_was_searched_for_is_marked_in_name_and_text() -> None:
    """MSG-7: whatever the case, each time; where changing the case changes the length, nothing is marked at the wrong place."""
    hit = Hit("m1", NOON, "incoming", "text", "Blue? The blue one!")
    line = conversation_line(replace(ROW, hit=hit), NOON, "UTC", "BLUE")
    assert [(part.text, bool(part.look)) for part in line.words] == [("Blue", True), ("? The ", False), ("blue", True), (" one!", False)]
    assert [part.text for part in line.name_words] == ["Carla Ruiz"]
    assert "".join(part.text for part in highlighted("İstanbul blue", "blue")) == "İstanbul blue"
    assert highlighted("", "x") == []


def test_the_first_unread_message_has_a_heading() -> None:
    """MSG-7: counted back over what the contact wrote, as far as the thread is there."""
    items = [ThreadItem("message", str(n), NOON, direction="outgoing" if n == 3 else "incoming", type="text") for n in range(5)]
    assert first_fresh(items, 2) == ("2", "2 unread messages")
    assert first_fresh(items, 1) == ("4", "1 unread message")
    assert first_fresh(items, 90) == ("0", "90 unread messages")
    assert first_fresh(items[3:4], 1) == ("", "")
    laid = lay_out([shown(item) for item in items], NOON, "UTC", ("2", "2 unread messages"))
    assert [one.fresh for one in laid] == ["", "", "2 unread messages", "", ""]
