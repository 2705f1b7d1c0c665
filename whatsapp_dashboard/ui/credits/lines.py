"""What the Credits page shows, as plain values (CRED-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from whatsapp_dashboard.credits.views import CreditDay, CreditState, EntryRow
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.ui.times import iso

WIDTH, HEIGHT, MARGIN = 1_000, 100, 4
"""Of the drawing the balance is a line in: units, not pixels. The line keeps the margin from its upper and lower edge."""


@dataclass
class EntryLine:
    """One line of the ledger. ``href`` leads to the conversation of an answer; empty where there is none."""

    id: str
    at: str
    debit: bool
    amount: str
    after: str
    what: str
    contact: str
    href: str
    who: str


@dataclass
class DayBar:
    """One day of the chart: what was spent as a part of the height, in percent, and all of it in words."""

    day: str
    words: str
    height: str
    added: bool
    """Credits were added: marked with a dot."""


@dataclass
class DayChart:
    """Spending as bars and the balance as a line, each to a scale of its own; the balance is never drawn against spending."""

    bars: list[DayBar] = field(default_factory=list)
    line: str = ""
    """Points of an SVG polyline."""
    first_day: str = ""
    most_spent: str = ""
    most_balance: str = ""
    spent: str = ""
    """In all these days."""
    summary: str = ""
    """For those who do not see it."""


def entry_line(row: EntryRow) -> EntryLine:
    """A line as the table shows it."""
    debit = row.type == "debit"
    return EntryLine(
        id=row.id,
        at=iso(row.at),
        debit=debit,
        amount=f"{'−' if debit else '+'}{row.amount:,}",
        after=f"{row.balance_after:,}",
        what=row.description,
        contact=row.contact,
        href=f"/inbox?c={row.conversation_id}" if row.conversation_id else "",
        who=row.operator or ("AI" if row.related_type == "message" else "–"),
    )


def day_chart(days: Sequence[CreditDay]) -> DayChart:
    """The days (one at least) as they are drawn; a day on which anything was spent shows at least a trace of it."""
    most = max((day.spent for day in days), default=0)
    highest = max((day.balance for day in days), default=0)
    spent = sum(day.spent for day in days)

    def point(number: int, balance: int) -> str:
        across = (number + 0.5) / len(days) * WIDTH
        return f"{across:.1f},{HEIGHT - MARGIN - balance / (highest or 1) * (HEIGHT - 2 * MARGIN):.1f}"

    return DayChart(
        bars=[_bar(day, most) for day in days],
        line=" ".join(point(number, day.balance) for number, day in enumerate(days)),
        first_day=short_day(days[0].day),
        most_spent=f"{most:,}",
        most_balance=f"{highest:,}",
        spent=f"{spent:,}",
        summary=f"{spent:,} credits were spent in {len(days)} days; the balance at the end is {days[-1].balance:,}.",
    )


def _bar(day: CreditDay, most: int) -> DayBar:
    others = "".join(f", {many:,} {words}" for many, words in ((day.added, "added"), (day.taken, "taken away")) if many)
    height = f"{max(2, round(day.spent / most * 100))}%" if day.spent else "0"
    return DayBar(short_day(day.day), f"{day.spent:,} spent{others}, balance {day.balance:,}", height, day.added > 0)


def short_day(day: str) -> str:
    """``25 Nov``."""
    moment = date.fromisoformat(day)
    return f"{moment.day} {moment:%b}"


def left_in_words(state: CreditState) -> str:
    """How far the credits reach."""
    if state.answers_left is None:
        return ""
    return "for 1 answer" if state.answers_left == 1 else f"for {state.answers_left:,} answers"


def whole(text: object, name: str) -> int:
    """The number somebody typed, with or without separators. Raises Invalid."""
    plain = str(text).strip().replace("−", "-").translate(dict.fromkeys(map(ord, ",' \u00a0\u202f\u2009")))
    try:
        if len(plain) > 30:
            raise ValueError
        return int(plain)
    except ValueError:
        raise Invalid("Enter a whole number.", field=name) from None
