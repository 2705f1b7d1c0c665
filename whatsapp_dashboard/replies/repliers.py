"""What a replier is: something that may have an answer to an incoming message. The router asks them in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.messages import Content, Origin
from whatsapp_dashboard.models import Account, AiConfig, Contact, Conversation, Message

After = Callable[[AsyncSession, Message | None], Awaitable[None]]
"""Called in the write that settles the question, with the queued answer; with None when it is not sent after all."""


@dataclass(frozen=True, slots=True)
class Question:
    """An incoming message and where it came from, as it was when the router looked."""

    message: Message
    conversation: Conversation
    contact: Contact
    account: Account
    settings: AccountSettings
    ai: AiConfig | None = None
    earlier: tuple[Message, ...] = ()
    """Messages before it that wait too, oldest first: for a replier that answers them together."""
    fixed_text_at: datetime | None = None
    """When its conversation last had the account's fixed text, if that was too lately to send it again."""

    @property
    def ids(self) -> list[str]:
        """Of all messages that are to be answered, the oldest first."""
        return [message.id for message in (*self.earlier, self.message)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back."""

    content: Content
    origin: Origin
    after: After | None = None
    excuse: bool = False
    """Whether it only says that there is no answer: the contact still waits for a person (MSG-14)."""


@dataclass(frozen=True, slots=True)
class Skip:
    """No answer from this replier; ``reason`` tells people why. After a ``final`` one no other replier is asked."""

    reason: str
    final: bool = False
    after: After | None = None


class Replier(Protocol):
    """One way to answer."""

    together: bool
    """Whether it answers everything that waits in a conversation at once, and begins anew when more comes."""

    def glance(self, question: Question) -> Answer | Skip | None:
        """The answer, if there is nothing to wait for: asked inside the write that settles the question. None: ask :meth:`decide`."""
        ...

    async def decide(self, question: Question) -> Answer | Skip:
        """Answer ``question``, or leave it to the next replier. It may take its time: only this conversation waits. Cancelled when
        a person takes over, and (``together``) when more comes."""
        ...

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        """Whether a newer message may still put off the answer (``together``)."""
        ...
