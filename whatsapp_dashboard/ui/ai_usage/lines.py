"""Calls to providers and what they add up to, as the page shows them (AI-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from whatsapp_dashboard.ai.views import CallRow, Usage, UsageLine
from whatsapp_dashboard.ui.components.bars import BarLine, bar_lines
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.traces import OUTCOMES, dollars
from whatsapp_dashboard.ui.webhooks.lines import milliseconds, percent

_PURPOSES = {"reply": "Reply", "try": "Tried", "test": "Test"}


@dataclass
class CallLine:
    """One call of the log. Times are ISO 8601 in UTC."""

    id: str
    at: str
    account: str
    provider: str
    model: str
    purpose: str
    outcome: str
    color: str
    good: bool
    error: str
    tokens: str
    cost: str
    ms: str
    conversation: str
    """Address of the conversation; empty without one."""


@dataclass
class ModelLine:
    """What the calls of one model of one provider add up to."""

    provider: str
    model: str
    calls: str
    rate: str
    tokens_in: str
    tokens_out: str
    cost: str
    p95: str


@dataclass
class Figures:
    """The totals, in words."""

    calls: str = ""
    failed: str = ""
    rate: str = ""
    tokens: str = ""
    tokens_detail: str = ""
    cost: str = ""
    p95: str = ""
    first_day: str = ""
    last_day: str = ""
    bars_label: str = ""


def call_line(row: CallRow) -> CallLine:
    """The call as the page shows it."""
    word, color = OUTCOMES[row.outcome]
    return CallLine(
        id=row.id,
        at=iso(row.at),
        account=row.account_name,
        provider=row.provider_label,
        model=row.model,
        purpose=_PURPOSES.get(row.purpose, row.purpose),
        outcome=word,
        color=color,
        good=row.outcome.value == "ok",
        error=row.error,
        tokens=f"{row.tokens_in:,} / {row.tokens_out:,}" if row.tokens_in or row.tokens_out else "–",
        cost=dollars(row.cost_micros),
        ms=milliseconds(row.ms),
        conversation=f"/inbox?c={row.conversation_id}" if row.conversation_id else "",
    )


def model_line(line: UsageLine) -> ModelLine:
    """The sum as the page shows it."""
    return ModelLine(
        provider=line.label,
        model=line.model,
        calls=f"{line.calls:,}",
        rate=_rate(line),
        tokens_in=f"{line.tokens_in:,}",
        tokens_out=f"{line.tokens_out:,}",
        cost=dollars(line.cost_micros) if line.cost_micros else "–",
        p95="–" if line.p95_ms is None else milliseconds(line.p95_ms),
    )


def figures(usage: Usage) -> Figures:
    """The totals of the time."""
    total = usage.total
    failed = total.calls - total.ok
    days = [date.fromisoformat(line.label) for line in usage.by_day]
    return Figures(
        calls=f"{total.calls:,}",
        failed=f"{failed:,} did not answer" if failed else "all answered" if total.calls else "none yet",
        rate=_rate(total),
        tokens=_short(total.tokens_in + total.tokens_out),
        tokens_detail=f"{total.tokens_in:,} in, {total.tokens_out:,} out",
        cost=dollars(total.cost_micros or None),
        p95="–" if total.p95_ms is None else milliseconds(total.p95_ms),
        first_day=f"{days[0]:%-d %b}" if days else "",
        last_day=f"{days[-1]:%-d %b}" if days else "",
        bars_label=f"Calls per day: {total.ok:,} answered and {failed:,} not, in {len(days)} days",
    )


def day_bars(usage: Usage) -> list[BarLine]:
    """One bar per day, what failed on top."""
    return bar_lines(
        [
            (line.ok, line.calls - line.ok, f"{date.fromisoformat(line.label):%-d %b}: {line.ok:,} answered, {line.calls - line.ok:,} not")
            for line in usage.by_day
        ]
    )


def _rate(line: UsageLine) -> str:
    return percent(line.ok / line.calls) if line.calls else "–"


def _short(count: int) -> str:
    if count >= 10_000_000:
        return f"{count / 1_000_000:,.0f} M"
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f} M"
    return f"{count:,}"
