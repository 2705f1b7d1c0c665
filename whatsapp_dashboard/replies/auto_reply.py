"""The fixed automatic reply of an account."""

from __future__ import annotations

from datetime import datetime

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.domain.account_settings import AutoReply
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.messages.content import MAX_TEXT
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip
from whatsapp_dashboard.replies.variables import fill


class AutoReplier:
    """Answers with the text from the account's settings, while that is on: at most once in an interval, within or outside of hours. The
    text may name ``{{contact.name}}``, ``{{contact.phone}}`` and ``{{message}}`` (FLOW-4)."""

    together = False

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()

    def glance(self, question: Question) -> Answer | Skip:
        """The fixed text, or nothing while it is off."""
        rule = question.settings.auto_reply
        if not rule.enabled or not rule.text.strip():
            return Skip("The automatic reply is off.")
        if not rule.is_due(self._clock.now()):
            return Skip(f"The automatic reply is only sent {'outside of' if rule.outside_hours else 'within'} its hours.")
        if question.fixed_text_at is not None:
            return Skip(f"The contact has had the automatic reply within the last {_interval(rule)}.")
        contact = question.contact
        values = {"contact.name": contact.name or contact.push_name, "contact.phone": contact.phone or "", "message": question.message.body}
        text = fill(rule.text, values).strip()[:MAX_TEXT]
        if not text:
            return Skip("The text of the automatic reply is empty for this message.")
        return Answer(Content(MessageType.TEXT, text), Origin.AUTO_REPLY)

    async def decide(self, question: Question) -> Answer | Skip:
        """The same; it never waits."""
        return self.glance(question)

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        """Never: each message has its reply."""
        return False


def _interval(rule: AutoReply) -> str:
    minutes = rule.every_minutes
    if minutes % 60:
        return f"{minutes:,} minutes"
    return "hour" if minutes == 60 else f"{minutes // 60:,} hours"
