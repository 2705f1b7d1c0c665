"""What an answer of the AI was made of, as pages show it: in the inbox beside it, and in the "try it" chat (AI-3, AI-5, AI-6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_dashboard.ai.views import Outcome, PassageView, StepView, Trace
from whatsapp_dashboard.ui.webhooks.lines import milliseconds

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.OK: ("Answered", "jade"),
    Outcome.AUTH: ("Key refused", "red"),
    Outcome.RATE_LIMITED: ("Rate limit", "orange"),
    Outcome.TIMEOUT: ("Took too long", "orange"),
    Outcome.UNAVAILABLE: ("Out of order", "red"),
    Outcome.NETWORK: ("Not reached", "red"),
    Outcome.BAD_ANSWER: ("Unreadable answer", "red"),
    Outcome.EMPTY: ("Empty answer", "orange"),
    Outcome.REFUSED: ("Declined", "orange"),
    Outcome.INVALID: ("Request refused", "red"),
    Outcome.BLOCKED: ("Private address", "red"),
    Outcome.CANCELLED: ("Not needed any more", "gray"),
    Outcome.RESTING: ("Left alone", "gray"),
    Outcome.BUSY: ("Busy", "gray"),
}
"""Each outcome in words, and its colour."""

_KINDS = {
    "answer": "",
    "failure": "No provider answered, so the account's failure text was sent instead.",
    "media": "No provider could take the picture or voice message, so the account's text for files was sent instead.",
}


@dataclass
class StepLine:
    """One provider on the way to an answer."""

    label: str
    model: str
    outcome: str
    color: str
    error: str
    facts: str
    """Time, tokens and cost, as far as there are any."""


@dataclass
class PassageLine:
    """A passage of the knowledge base that the model was given."""

    title: str
    heading: str
    text: str


@dataclass
class TraceLine:
    """The whole way. ``note`` says why no model spoke; ``together`` how many messages were answered at once."""

    summary: str = ""
    note: str = ""
    together: str = ""
    steps: list[StepLine] = field(default_factory=list)
    passages: list[PassageLine] = field(default_factory=list)


def trace_line(trace: Trace) -> TraceLine:
    """The trace as pages show it."""
    count = len(trace.question_ids)
    return TraceLine(
        summary=_summary(trace),
        note=_KINDS.get(trace.kind, ""),
        together=f"Answers {count} messages together." if count > 1 else "",
        steps=[_step(step) for step in trace.steps],
        passages=[_passage(passage) for passage in trace.passages],
    )


def tokens(tokens_in: int, tokens_out: int) -> str:
    """``120 in, 7 out``; empty for none."""
    return f"{tokens_in:,} in, {tokens_out:,} out" if tokens_in or tokens_out else ""


def dollars(micros: int | None) -> str:
    """Millionths of a US dollar as people read them, small sums with what digits they have; a dash when not known."""
    if micros is None:
        return "–"
    if micros == 0:
        return "$0"
    if micros < 10_000:
        return "$" + f"{micros / 1_000_000:.6f}".rstrip("0")
    return f"${micros / 1_000_000:,.2f}"


def _summary(trace: Trace) -> str:
    """The answering provider, and what the whole way took."""
    spent = sum(step.tokens_in + step.tokens_out for step in trace.steps)
    answered = next((step for step in trace.steps if step.outcome is Outcome.OK), None)
    failed = sum(step.outcome is not Outcome.OK for step in trace.steps)
    parts = [
        answered.label if answered else "No provider answered",
        f"after {failed} {'other' if failed == 1 else 'others'}" if answered and failed else "",
        milliseconds(sum(step.ms for step in trace.steps)) if trace.steps else "",
        f"{spent:,} tokens" if spent else "",
        f"{len(trace.passages)} {'passage' if len(trace.passages) == 1 else 'passages'}" if trace.passages else "",
    ]
    return " · ".join(part for part in parts if part)


def _step(step: StepView) -> StepLine:
    word, color = OUTCOMES[step.outcome]
    asked = step.outcome not in (Outcome.RESTING, Outcome.BUSY)
    cost = dollars(step.cost_micros) if step.cost_micros is not None else ""
    used = tokens(step.tokens_in, step.tokens_out)
    facts = [milliseconds(step.ms) if asked else "not asked", f"tokens {used}" if used else "", cost]
    return StepLine(step.label, step.model, word, color, step.error, " · ".join(fact for fact in facts if fact))


def _passage(passage: PassageView) -> PassageLine:
    return PassageLine(passage.title, passage.heading, passage.text)
