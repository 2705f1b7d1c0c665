"""One account's sender: takes what is queued in order, paces, sends under the message's own key, hands the outcome to the settler
(MSG-6, ACC-11, DUR-2). Every account has its own, so that none waits for another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from whatsapp_dashboard.core.cancelling import is_being_cancelled
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, MessageStatus, Origin, SendResult
from whatsapp_dashboard.engines.base import Capability, Engine
from whatsapp_dashboard.errors import AppError, DatabaseAway, Retryable, TooMany, Unavailable
from whatsapp_dashboard.messages.actions import Actions
from whatsapp_dashboard.messages.content import as_numbered_text, body_of, content_of
from whatsapp_dashboard.messages.governor import Refuse, Wait, breaker, gap_seconds, is_first_message, may_approach, retry_seconds
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.quotes import with_quote
from whatsapp_dashboard.messages.send_queue import Act, Send, Work, approaches, has_acts, hold_all, next_due, read_work
from whatsapp_dashboard.messages.sessions import Sessions
from whatsapp_dashboard.messages.settling import Failed, Later, Outcome, Sent, Settler
from whatsapp_dashboard.messages.withdrawal import is_still_wanted
from whatsapp_dashboard.models import Message

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 10
_BATCH = 20
_OFFLINE_PAUSE = 1.0
_LONGEST_SLEEP = 60.0


class AccountSender:
    """Sends for one account while it is ready."""

    def __init__(self, account_id: str, db: Database, clock: Clock, sessions: Sessions, store: MediaStore, settler: Settler) -> None:  # noqa: PLR0917
        self.account_id = account_id
        self.ready = False
        self.in_doubt: dict[str, tuple[str, str]] = {}
        """Messages that WhatsApp may have although their rows do not say so: our id to (type, body)."""
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._store = store
        self._settler = settler
        self._actions = Actions(db, clock, sessions)
        self._wake = asyncio.Event()
        self._busy: set[str] = set()
        self._held: dict[str, datetime] = {}
        self._approaching: dict[str, str] = {}
        """First messages that are sent and not settled: our id to the contact."""
        self._last_sent: float | None = None
        self._acts = self._later = True
        """Whether changes wait, and whether something waits for its time: what was never looked at may."""
        self._task: asyncio.Task[None] | None = None

    def set_ready(self, ready: bool) -> None:
        """The account can send, or cannot any more; what is queued stays queued."""
        self.ready = ready
        self._wake.set()
        if ready and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name=f"sender:{self.account_id}")

    def wake(self, *, acts: bool = False) -> None:
        """There may be something to send; ``acts`` says that it is a change to a message."""
        self._acts = self._acts or acts
        self._wake.set()

    def look_anew(self) -> None:
        """As at the start: a wake-up may have been lost with the database, and when the clock was set back, nobody is held until a time
        that comes late."""
        self._held.clear()
        self._acts = self._later = True
        self._wake.set()

    def settled(self, outcome: Outcome) -> None:
        """The outcome of a message is stored: its row tells the truth again."""
        self._busy.discard(outcome.message_id)
        self._approaching.pop(outcome.message_id, None)
        if isinstance(outcome.end, Later):
            self._later = True
        else:
            self.in_doubt.pop(outcome.message_id, None)
        if self._acts or self._later:
            self._wake.set()

    async def stop(self, seconds: float) -> None:
        """Finish the send that runs, within ``seconds``."""
        self.set_ready(False)
        if self._task:
            _, running = await asyncio.wait({self._task}, timeout=seconds)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _run(self) -> None:
        while self.ready:
            self._wake.clear()
            try:
                pause = await self._round()
            except DatabaseAway:
                pause = _OFFLINE_PAUSE
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                log.exception("sender failed; it goes on", account_id=self.account_id)
                pause = 5.0
            if pause and self.ready:
                await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        """Wait ``seconds``, less when woken."""
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({timer, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()

    async def _round(self) -> float:
        """Do what is due; returns how many seconds nothing will be."""
        now = self._clock.now()
        self._held = {contact: until for contact, until in self._held.items() if until > now}
        async with self._db.read() as session:
            work = await read_work(session, self.account_id, now, busy=self._busy, held=self._held, limit=_BATCH, acts=self._acts)
            if work is None:
                return await self._how_long(session, now)
        if work.settings.governor.enabled and (wait := breaker(work.account.restricted_until, work.account.restriction, now)):
            async with self._db.write() as session:
                await hold_all(session, self.account_id, wait)
            self._later = True
            return max(0.01, (wait.until - self._clock.now()).total_seconds())
        # With pauses between sends a long batch would grow stale, so then each is read anew.
        for item in work.items if work.settings.pacing.max_ms == 0 else work.items[:1]:
            if not self.ready:
                break
            if item.contact.id in self._held:
                continue
            if isinstance(item, Act):
                if not await self._act(item, work):
                    return _OFFLINE_PAUSE
            elif not await self._send(item, work):
                return _OFFLINE_PAUSE
        again = work.full or self._acts or self._later or work.settings.pacing.max_ms > 0
        return 0.0 if again else _LONGEST_SLEEP

    async def _how_long(self, session: AsyncSession, now: datetime) -> float:
        """Nothing is due: for how many seconds, if nobody wakes us?"""
        if self._acts:
            self._acts = await has_acts(session, self.account_id)
        due = await next_due(session, self.account_id) if self._later else None
        self._later = due is not None
        return max(0.01, (due - self._clock.now()).total_seconds()) if due and due > now else _LONGEST_SLEEP

    # -- messages

    async def _send(self, item: Send, work: Work) -> bool:
        """Send one message; False when the account turned out to be offline."""
        engine = self._sessions.engine(self.account_id)
        if engine is None:
            return False
        message, contact = item.message, item.contact
        to = Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)
        first = contact.id not in self._approaching.values() and is_first_message(contact.kind, item.last_inbound_at, contact.approached_at)
        first = first and work.settings.governor.enabled
        try:
            learned = None
            if first:
                verdict, learned = await self._check_stranger(contact.phone, work, engine)
                if verdict is not None:
                    self._settle(item, verdict)
                    return True
                to = learned or to  # WhatsApp's own way to write the number, which is the one that arrives
            content = await self._content(item, engine)
            await self._pace(message, to, work.settings, engine)
            if work.settings.pacing.max_ms and message.in_reply_to and not await self._still_wanted(message.id):
                return True
            result = await self._hand_over(message, to, content)
        except Unavailable:
            return False
        except Exception as error:
            self._settle(item, self._verdict(error, message.attempts))
            return True
        if first:
            self._approaching[message.id] = contact.id
        self._settle(item, Sent(result, approached=first, learned=learned))
        return True

    async def _content(self, item: Send | Act, engine: Engine) -> Content:
        """The message as this engine can send it, with its file and what it replies to."""
        file = await self._store.read(item.media) if item.media else None
        content = replace(with_quote(content_of(item.message, file), item.quoted), timer=item.timer)
        return content if Capability.BUTTONS in engine.capabilities else as_numbered_text(content)

    async def _hand_over(self, message: Message, to: Address, content: Content) -> SendResult:
        self.in_doubt[message.id] = (content.type.value, body_of(content))
        try:
            return await self._sessions.call(self.account_id, lambda engine: engine.send(message.send_key, to, content))
        finally:
            self._last_sent = self._clock.monotonic()

    async def _check_stranger(self, phone: str | None, work: Work, engine: Engine) -> tuple[Later | Failed | None, Address | None]:
        """Ask the governor before a first message: is there room today, and is the number on WhatsApp at all?"""
        now, rules = self._clock.now(), work.settings.governor
        async with self._db.read() as session:
            count, oldest = await approaches(session, self.account_id, now)
        match may_approach(rules, work.account.linked_at, now, count=count + len(self._approaching), oldest=oldest):
            case Wait(until, reason):
                return Later(max(until, now + timedelta(seconds=60)), reason, tried=False), None
            case Refuse(reason):
                return Failed(reason), None
        if not rules.check_number_first or not phone or Capability.LOOKUP not in engine.capabilities:
            return None, None
        found = await self._sessions.call(self.account_id, lambda ready: ready.lookup(phone))
        if not found.exists:
            return Failed(f"+{phone} is not on WhatsApp."), None
        known = found.address
        return None, Address(phone=known.phone or phone, lid=known.lid) if known.is_person else None

    async def _pace(self, message: Message, to: Address, settings: AccountSettings, engine: Engine) -> None:
        """Leave a human-like gap to the send before; before an automatic reply always, with "typing..." shown meanwhile."""
        if settings.pacing.max_ms == 0:
            return
        gap = gap_seconds(settings.pacing)
        automatic = message.origin not in (Origin.OPERATOR, Origin.API, Origin.PHONE)
        if not automatic:
            since = float("inf") if self._last_sent is None else self._clock.monotonic() - self._last_sent
            gap = max(0.0, gap - since)
        if automatic and settings.pacing.typing and Capability.TYPING in engine.capabilities:
            try:
                await self._sessions.call(self.account_id, lambda ready: ready.set_typing(to, True))
            except AppError as error:
                log.info("typing could not be shown", account_id=self.account_id, error=error.code)
        if gap > 0:
            await self._clock.sleep(gap)

    async def _still_wanted(self, message_id: str) -> bool:
        """An answer may have been withdrawn during the pause before it."""
        async with self._db.read() as session:
            return await is_still_wanted(session, message_id)

    def _verdict(self, error: Exception, attempts: int) -> Later | Failed:
        """What an error means for the message: try again later, or never."""
        if isinstance(error, AppError) and not isinstance(error, Retryable | TooMany):
            return Failed(error.message)
        if not isinstance(error, AppError):
            log.error("engine failed while sending", account_id=self.account_id, exc_info=error)
        reason = error.message if isinstance(error, AppError) else f"The engine failed ({type(error).__name__})."
        if attempts + 1 >= MAX_ATTEMPTS:
            return Failed(f"Given up after {attempts + 1} tries: {reason}")
        after = getattr(error, "after", None) or retry_seconds(attempts + 1)
        return Later(self._clock.now() + timedelta(seconds=after), f"Tried again soon: {reason}")

    def _settle(self, item: Send, end: Sent | Later | Failed) -> None:
        self._busy.add(item.id)
        if isinstance(end, Later):
            self._held[item.contact.id] = end.not_before  # the contact's later messages stay behind this one
        self._settler.add(Outcome(self.account_id, item.id, end))

    # -- changes

    async def _act(self, item: Act, work: Work) -> bool:
        """Carry out one change; False when the account turned out to be offline."""
        try:
            if item.action.kind == "resend":
                await self._resend(item)
            else:
                await self._actions.run(item, work)
        except Unavailable:
            return False
        except Exception as error:
            verdict = self._verdict(error, item.action.attempts)
            await self._actions.put_off(item, work, verdict)
            if isinstance(verdict, Later):
                self._held[item.contact.id] = verdict.not_before
        return True

    async def _resend(self, item: Act) -> None:
        """Send an unproven message again under the key it was sent under: the engine sees to it that there is no second one (MSG-11)."""
        if item.message.status in (MessageStatus.DELIVERED, MessageStatus.READ):
            await self._actions.drop(item)
            return
        engine = self._sessions.engine(self.account_id)
        if engine is None:
            raise Unavailable("The account is not connected.", code="offline")
        to = Address(ContactKind(item.contact.kind), item.contact.phone, item.contact.lid, item.contact.jid)
        result = await self._hand_over(item.message, to, await self._content(item, engine))
        self._settler.add(Outcome(self.account_id, item.message.id, Sent(result)))
        await self._actions.drop(item)
