"""Whether bots may answer a message at all. Pure rules, asked before any replier and again before the answer is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from whatsapp_dashboard.domain.ids import ContactKind
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.messages.takeover import bot_may_answer
from whatsapp_dashboard.replies.repliers import Question


def why_silent(question: Question, now: datetime) -> str | None:
    """Why no bot answers, for people; None when one may (ACC-8, ACC-10, AI-8)."""
    message, conversation, contact, settings = question.message, question.conversation, question.contact, question.settings
    kind = ContactKind(contact.kind)
    if message.history:
        return "It is history."
    if message.type == MessageType.UNSUPPORTED:
        return "It cannot be read here."
    if message.revoked_at is not None:
        return "It was deleted by its writer."
    if conversation.status == "closed":
        return "The conversation is closed."
    if not bot_may_answer(conversation, now):
        return "A person has taken over."
    if contact.opted_out:
        return "The contact does not want automatic messages."
    if kind is ContactKind.GROUP and not settings.answer_groups:
        return "Bots do not answer in groups of this account."
    if kind not in (ContactKind.PERSON, ContactKind.GROUP):
        return "Bots do not answer channels, broadcasts and status updates."
    if message.recovered and now - message.at > timedelta(minutes=settings.answer_recovered_minutes):
        return f"It waited longer than {settings.answer_recovered_minutes} minutes while the account was offline."
    return None
