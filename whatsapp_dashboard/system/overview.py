"""What the first page says: figures, what waits for a person, what happened last (OBS-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.ids import id_floor
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.events.log import last_seq
from whatsapp_dashboard.messages.media_sweep import Held, MediaSweep
from whatsapp_dashboard.models import Account, Contact, Conversation, Event, Message
from whatsapp_dashboard.system.ai_trouble import AiTrouble, ai_trouble
from whatsapp_dashboard.system.folding import RecentEvent, folded
from whatsapp_dashboard.system.handed_over import HandedOver, handed_over

LOOK_BACK = 20_000
"""Events looked through for the recent ones, so that a long log costs no more than a short one."""
FOLDED = 400
"""Recent events that are read to be folded: many of them may be one connection that comes and goes."""
NOTEWORTHY = (
    "session.status", "session.restricted", "account.created", "account.deleted", "call", "webhook.failing", "webhook.recovered",
    "webhook.stalled", "webhook.moving",
    "ai.budget_reached",
    "conversation.handed_over",
    "credits.exhausted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WaitingConversation:
    """A conversation in which the contact had the last word and nobody has answered or will (MSG-14)."""

    id: str
    account_id: str
    account_name: str
    contact_name: str
    contact_phone: str
    preview: str
    unread: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Everything the first page needs besides the accounts. ``waiting`` holds the longest waiting of ``waiting_total``."""

    waiting_total: int
    waiting: tuple[WaitingConversation, ...]
    failed_24h: int
    queued: int
    in_doubt: int
    """Messages in doubt that nobody has decided about (MSG-4)."""
    recent: tuple[RecentEvent, ...]
    ai_trouble: tuple[AiTrouble, ...] = ()
    """Bots that are on and do not answer."""
    handed_over: tuple[HandedOver, ...] = ()
    """Conversations that a bot gave to people."""
    media_held: Held | None = None
    """Files that belong to no message and are not removed, because they are too many to be right; told to owners."""


class Overview:
    """Reads the figures of one workspace; a viewer may."""

    def __init__(self, db: Database, clock: Clock, sweep: MediaSweep | None = None) -> None:
        self._db = db
        self._clock = clock
        self._sweep = sweep

    async def look(self, who: Principal, *, waiting: int = 5, recent: int = 10) -> OverviewView:
        """The figures now, with up to ``waiting`` conversations and ``recent`` events."""
        who.require(Role.VIEWER)
        now = self._clock.now()
        async with self._db.read() as session:
            statement = select(col(Account.id), col(Account.name)).where(col(Account.workspace_id) == who.workspace_id)
            names: dict[str, str] = {row[0]: row[1] for row in await session.execute(statement)}
            ours = col(Conversation.account_id).in_(names)
            unanswered = (col(Conversation.waiting_since).is_not(None), ours)  # along an index of only these
            total = await session.scalar(select(func.count()).select_from(Conversation).where(*unanswered)) or 0
            rows = await session.execute(
                select(Conversation, Contact)
                .join(Contact, col(Contact.id) == col(Conversation.contact_id))
                .where(*unanswered)
                .order_by(col(Conversation.waiting_since), col(Conversation.id))
                .limit(waiting)
            )
            found = tuple(_waiting(row.Conversation, row.Contact, names) for row in rows)
            failed = await session.scalar(
                select(func.count())
                .select_from(Message)
                .where(
                    col(Message.account_id).in_(names),
                    col(Message.id) >= id_floor(now - timedelta(hours=24)),
                    col(Message.status) == "failed",
                )
            )
            queued = await session.scalar(
                select(func.count()).select_from(Message).where(col(Message.status) == "queued", col(Message.account_id).in_(names))
            )
            in_doubt = await session.scalar(
                select(func.count())
                .select_from(Message)
                .where(col(Message.unconfirmed), col(Message.account_id).in_(names), col(Message.status) == "sent")
            )
            newest = await last_seq(session)
            events = await session.scalars(
                select(Event)
                .where(
                    col(Event.seq) > newest - LOOK_BACK,
                    col(Event.workspace_id) == who.workspace_id,
                    func.coalesce(col(Event.type), "").in_(NOTEWORTHY),
                )
                .order_by(col(Event.seq).desc())
                .limit(FOLDED)
            )
            happened = folded([_event(event, names) for event in events], recent)
            trouble = await ai_trouble(session, names, now, after_seq=newest - LOOK_BACK)
            stopped = await handed_over(session, names)
        held = self._sweep.held if self._sweep and who.role is Role.OWNER else None
        return OverviewView(total, found, failed or 0, queued or 0, in_doubt or 0, happened, trouble, stopped, held)


def _waiting(conversation: Conversation, contact: Contact, names: dict[str, str]) -> WaitingConversation:
    return WaitingConversation(
        id=conversation.id,
        account_id=conversation.account_id,
        account_name=names[conversation.account_id],
        contact_name=contact.name or contact.push_name,
        contact_phone=contact.phone or "",
        preview=conversation.last_message_preview,
        unread=conversation.unread,
        since=conversation.waiting_since or conversation.last_message_at,
    )


def _event(event: Event, names: dict[str, str]) -> RecentEvent:
    account_id = event.account_id or ""
    name = names.get(account_id) or str(event.data.get("name", ""))
    return RecentEvent(event.type, event.created_at, account_id, name, event.data)
