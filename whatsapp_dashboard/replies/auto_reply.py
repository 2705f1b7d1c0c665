"""The fixed automatic reply of an account."""

from __future__ import annotations

from datetime import datetime

from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.messages.content import MAX_TEXT
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip
from whatsapp_dashboard.replies.variables import fill


class AutoReplier:
    """Answers every message with the text from the account's settings, while that is on. The text may name ``{{contact.name}}``,
    ``{{contact.phone}}`` and ``{{message}}`` (FLOW-4)."""

    together = False

    def glance(self, question: Question) -> Answer | Skip:
        """The fixed text, or nothing while it is off."""
        rule = question.settings.auto_reply
        if not rule.enabled or not rule.text.strip():
            return Skip("The automatic reply is off.")
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
