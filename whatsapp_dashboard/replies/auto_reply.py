"""The fixed automatic reply of an account."""

from __future__ import annotations

from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip


class AutoReplier:
    """Answers every message with the text from the account's settings, while that is on."""

    instant = True

    async def decide(self, question: Question) -> Answer | Skip:
        """The fixed text, or nothing while it is off."""
        rule = question.settings.auto_reply
        if not rule.enabled or not rule.text.strip():
            return Skip("The automatic reply is off.")
        return Answer(Content(MessageType.TEXT, rule.text), Origin.AUTO_REPLY)
