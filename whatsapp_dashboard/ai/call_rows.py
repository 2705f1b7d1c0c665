"""Steps and passages of an answer as they are stored, and back (AI-5, AI-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from whatsapp_dashboard.ai.views import Outcome, PassageView, StepView, Trace
from whatsapp_dashboard.knowledge.search import Passage
from whatsapp_dashboard.models import Account, AiAnswer, AiCall
from whatsapp_dashboard.replies.repliers import Question

_NOT_ASKED = frozenset({Outcome.RESTING, Outcome.BUSY})


def call_rows(steps: Iterable[StepView], question: Question, now: datetime) -> list[AiCall]:
    """The calls made for ``question``, for the log."""
    more = {"conversation_id": question.conversation.id, "message_id": question.message.id}
    return [call_row(step, question.account, "reply", now, **more) for step in asked_of(steps)]


def asked_of(steps: Iterable[StepView]) -> list[StepView]:
    """The providers that were really asked."""
    return [step for step in steps if step.outcome not in _NOT_ASKED]


def call_row(step: StepView, account: Account, purpose: str, now: datetime, **more: Any) -> AiCall:
    """One call, for the log."""
    return AiCall(
        workspace_id=account.workspace_id,
        account_id=account.id,
        provider_id=step.provider_id or None,
        provider_kind=step.kind,
        provider_label=step.label,
        model=step.model[:255],
        purpose=purpose,
        outcome=step.outcome.value,
        error=step.error,
        tokens_in=step.tokens_in,
        tokens_out=step.tokens_out,
        cost_micros=step.cost_micros,
        ms=step.ms,
        created_at=now,
        **more,
    )


def step_rows(steps: Sequence[StepView]) -> list[dict[str, Any]]:
    """Steps as JSON."""
    return [asdict(step) | {"outcome": step.outcome.value} for step in steps]


def passage_rows(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Passages as JSON, whole: the document may change later."""
    return [asdict(view) for view in passage_views(passages)]


def passage_views(passages: Sequence[Passage]) -> tuple[PassageView, ...]:
    """Passages as pages show them."""
    return tuple(PassageView(each.document_id, each.title, each.heading, each.text, each.score) for each in passages)


def trace_of(row: AiAnswer) -> Trace:
    """What an answer was made of."""
    return Trace(
        kind=row.kind,  # type: ignore[arg-type]
        steps=tuple(StepView(**_known(step, StepView) | {"outcome": Outcome(step["outcome"])}) for step in row.steps),
        passages=tuple(PassageView(**_known(passage, PassageView)) for passage in row.passages),
        question_ids=tuple(row.question_ids),
        created_at=row.created_at,
    )


def _known(row: dict[str, Any], view: Any) -> dict[str, Any]:
    return {one.name: row[one.name] for one in fields(view)}
