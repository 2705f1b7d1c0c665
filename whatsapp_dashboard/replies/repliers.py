"""What a replier is: something that may have an answer to an incoming message. The router asks them in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.messages import Content, Origin
from whatsapp_dashboard.models import Account, Contact, Conversation, Message


@dataclass(frozen=True, slots=True)
class Question:
    """An incoming message and where it came from, as it was when the router looked."""

    message: Message
    conversation: Conversation
    contact: Contact
    account: Account
    settings: AccountSettings


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back."""

    content: Content
    origin: Origin


@dataclass(frozen=True, slots=True)
class Skip:
    """No answer from this replier; ``reason`` tells people why."""

    reason: str


class Replier(Protocol):
    """One way to answer. It may take its time: only this conversation waits."""

    instant: bool
    """Whether ``decide`` never waits for anything, so that it may be asked inside the write that settles the question."""

    async def decide(self, question: Question) -> Answer | Skip:
        """Answer ``question``, or leave it to the next replier."""
        ...
