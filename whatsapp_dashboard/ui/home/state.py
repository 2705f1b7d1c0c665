"""What the first page shows: figures, what needs attention, what happened (OBS-1)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whatsapp_dashboard.accounts.views import AccountRow
from whatsapp_dashboard.credits.views import CreditState
from whatsapp_dashboard.domain.account_status import AccountStatus
from whatsapp_dashboard.domain.ids import format_phone
from whatsapp_dashboard.messages.media_sweep import Held
from whatsapp_dashboard.system.ai_trouble import AiTrouble
from whatsapp_dashboard.system.folding import RecentEvent
from whatsapp_dashboard.system.handed_over import HandedOver
from whatsapp_dashboard.system.overview import OverviewView, WaitingConversation
from whatsapp_dashboard.ui.credits.lines import left_in_words
from whatsapp_dashboard.ui.live import following, live
from whatsapp_dashboard.ui.pace import LOOK_SECONDS, Pace
from whatsapp_dashboard.ui.state import PageState
from whatsapp_dashboard.webhooks.views import WebhookRow, WebhookState

REST_SECONDS = 1.0
TICK_SECONDS = 10.0
SHOWN = 6
_EVENTS = (
    "account.created", "account.updated", "account.deleted", "session.status", "session.restricted", "message", "message.queued",
    "message.sent", "message.status", "conversation.updated", "conversation.created", "conversation.merged", "webhook.created",
    "webhook.updated", "webhook.deleted", "webhook.paused", "webhook.resumed", "webhook.failing", "webhook.recovered", "webhook.replayed",
    "webhook.stalled", "webhook.moving", "inbound.set_aside", "inbound.stored", "inbound.discarded",
    "ai.config", "ai.answered", "ai.failed", "ai.budget_reached",
    "credits.changed", "credits.exhausted",
)  # fmt: skip
_TROUBLE = (AccountStatus.AUTH_FAILED, AccountStatus.ERROR, AccountStatus.DISCONNECTED, AccountStatus.QR_READY)

_STATUS_WORDS = {
    "ready": "Connected", "initializing": "Starting", "qr_ready": "Waits for a scan", "disconnected": "Disconnected",
    "auth_failed": "Logged out", "error": "Error",
}  # fmt: skip


@dataclass
class Attention:
    """One thing that needs a person: credits that run out, messages in doubt, an account that is not ready, a limit that was reached, a
    webhook that fails, a bot that does not answer or gave a conversation to people. ``since`` is ISO 8601, empty for none."""

    title: str
    text: str
    status: str
    since: str
    href: str = "/accounts"


@dataclass
class Waiting:
    """A conversation whose last word is the contact's."""

    href: str
    contact: str
    account: str
    preview: str
    unread: int
    since: str


@dataclass
class Happened:
    """One recent event. ``kind`` chooses the icon."""

    kind: str
    title: str
    text: str
    at: str


class HomeState(PageState):
    """The figures and lists of the first page."""

    loaded: bool = False
    accounts: int = 0
    ready: int = 0
    not_ready: int = 0
    messages_24h: str = "0"
    waiting_total: str = "0"
    failed_24h: int = 0
    queued: int = 0
    webhooks: int = 0
    webhooks_active: int = 0
    dead_letters: int = 0
    in_need: int = 0
    attention: list[Attention] = []
    waiting: list[Waiting] = []
    happened: list[Happened] = []

    @following
    async def watch(self) -> None:
        """Load the page and keep it current while it is open."""
        pace = Pace(TICK_SECONDS)
        async for events in live(self, *_EVENTS, every=LOOK_SECONDS):
            if not pace.due(events):
                continue
            who = await self._who()
            rows = await self._services().accounts.list_accounts(who)
            view = await self._services().overview.look(who)
            webhooks = await self._services().webhooks.list(who)
            credits = await self._services().credits.state(who)
            aside = sum((await self._services().set_aside.counts(who)).values())
            async with self:
                self._apply(rows, view, webhooks, credits, aside)
            await asyncio.sleep(REST_SECONDS)

    def _apply(
        self, rows: list[AccountRow], view: OverviewView, webhooks: list[WebhookRow], credits: CreditState, aside: int
    ) -> None:
        now = self._services().clock.now()
        restricted = [row for row in rows if row.restricted_until and row.restricted_until > now]
        trouble = [row for row in rows if row.status in _TROUBLE and row not in restricted]
        self.accounts, self.ready = len(rows), sum(row.status is AccountStatus.READY for row in rows)
        self.not_ready = self.accounts - self.ready
        self.messages_24h = f"{sum(row.messages_24h for row in rows):,}"
        self.waiting_total = f"{view.waiting_total:,}"
        self.failed_24h, self.queued = view.failed_24h, view.queued
        self.webhooks, self.webhooks_active = len(webhooks), sum(row.state is WebhookState.ACTIVE for row in webhooks)
        self.dead_letters = sum(row.health.dead for row in webhooks)
        everything = [_credits(credits)] if credits.low else []
        everything += [_aside(aside)] if aside else []
        everything += [_in_doubt(view.in_doubt)] if view.in_doubt else []
        everything += [_media_held(view.media_held)] if view.media_held else []
        everything += [_stalled(row) for row in webhooks if row.state is WebhookState.STALLED]
        everything += [_failing(row) for row in webhooks if row.state is WebhookState.FAILING]
        everything += [_handed_over(item) for item in view.handed_over]
        everything += [_ai_trouble(trouble) for trouble in view.ai_trouble]
        everything += [_restricted(row) for row in restricted]
        everything += [_not_ready(row) for row in trouble]
        self.in_need, self.attention = len(everything), everything[:SHOWN]
        self.waiting = [_waiting(item) for item in view.waiting]
        self.happened = [_happened(event) for event in view.recent]
        self.loaded = True


def _credits(state: CreditState) -> Attention:
    if state.exhausted:
        return Attention("The credits are used up", "Messages are not answered by AI until an owner tops up.", "credits", "", "/credits")
    return Attention("The credits are low", f"What is left is enough {left_in_words(state)}.", "credits_low", "", "/credits")


def _aside(count: int) -> Attention:
    what = "1 event" if count == 1 else f"{count:,} events"
    return Attention(f"{what} could not be stored", "Not in the inbox: look why, and try again.", "aside", "", "/accounts")


def _in_doubt(count: int) -> Attention:
    what = "1 message is" if count == 1 else f"{count:,} messages are"
    return Attention(f"{what} in doubt", "Sending was cut off: look, and send again.", "in_doubt", "", "/messages?status=in_doubt")


def _media_held(held: Held) -> Attention:
    what = f"{held.unnamed:,} of {held.files:,} files belong to no message; none is removed. Do DATA_DIR and database belong together?"
    return Attention("Files without messages", what, "media_held", "", "/")


def _not_ready(row: AccountRow) -> Attention:
    return Attention(row.name, row.status_reason, row.status.value, row.status_changed_at.isoformat())


def _stalled(row: WebhookRow) -> Attention:
    since = row.stalled_since.isoformat() if row.stalled_since else ""
    text = "Deliveries were due and did not go out; they are being set going again. The log says more."
    return Attention(row.name or row.url, text, "stalled", since, "/webhooks")


def _failing(row: WebhookRow) -> Attention:
    since = row.failing_since.isoformat() if row.failing_since else ""
    return Attention(row.name or row.url, row.health.last_error or "The endpoint keeps failing.", "failing", since, "/webhooks")


def _ai_trouble(trouble: AiTrouble) -> Attention:
    since = trouble.since.isoformat() if trouble.since else ""
    return Attention(trouble.account_name, trouble.text, f"ai_{trouble.kind}", since, f"/chatbot?account={trouble.account_id}")


def _handed_over(item: HandedOver) -> Attention:
    title = f"{_contact(item.contact_name, item.contact_phone)} · {item.account_name}"
    return Attention(title, item.reason, "handed_over", item.since.isoformat(), f"/inbox?c={item.conversation_id}")


def _contact(name: str, phone: str) -> str:
    return name or format_phone(phone) or "Unknown contact"


def _restricted(row: AccountRow) -> Attention:
    return Attention(row.name, f"WhatsApp restricts sending: {row.restriction}", "restricted", row.status_changed_at.isoformat())


def _waiting(item: WaitingConversation) -> Waiting:
    return Waiting(
        href=f"/inbox?c={item.id}",
        contact=_contact(item.contact_name, item.contact_phone),
        account=item.account_name,
        preview=item.preview,
        unread=item.unread,
        since=item.since.isoformat(),
    )


def _connection(event: RecentEvent) -> str:
    """The reason, and how often the account was gone and came back."""
    reason, often = str(event.data.get("reason", "")), f"{event.times:,} times"
    if event.data.get("status") == "ready":
        return f"Reconnected {often}" if event.times > 1 else reason
    words = reason or _STATUS_WORDS.get(str(event.data.get("status", "")), "")
    return f"{words} Before that it reconnected {often}." if event.times > 1 else words


def _happened(event: RecentEvent) -> Happened:
    data = event.data
    match event.type:
        case "session.status":
            kind, text = str(data.get("status", "")), _connection(event)
        case "session.restricted":
            kind, text = "restricted", str(data.get("reason", ""))
        case "account.created":
            kind, text = "created", "Account created"
        case "account.deleted":
            kind, text = "deleted", "Account deleted"
        case "webhook.failing":
            kind, text = "failing", f"Webhook keeps failing: {data.get('error', '')}"
        case "ai.budget_reached":
            kind, text = "ai_limit", "The bot reached today's limit"
        case "conversation.handed_over":
            kind, text = "ai_limit", str(data.get("reason", ""))
        case "webhook.stalled":
            kind, text = "stalled", "Due deliveries did not go out; set going again"
        case "webhook.moving":
            kind, text = "recovered", "Webhook's deliveries go out again"
        case "webhook.recovered":
            kind, text = "recovered", "Webhook takes events again"
        case "credits.exhausted":
            return Happened("credits", "Credits", "Used up: messages are not answered by AI", event.at.isoformat())
        case _:
            kind, text = "call", "A contact called"
    return Happened(kind, event.account_name or "A deleted account", text or _STATUS_WORDS.get(kind, ""), event.at.isoformat())
