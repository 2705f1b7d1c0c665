"""The message pipeline without a session pool: a scripted engine under real inbound, outbound, replies and media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import select
from sqlmodel import col

from tests.support.cast import Cast, make_cast
from tests.support.clock import MovableClock
from tests.support.waiting import until
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, MediaFile, MediaRef, MessageKey, MessageType, SendResult
from whatsapp_dashboard.engines.base import Capability, Engine, EngineContext, Lookup
from whatsapp_dashboard.errors import Permanent, Unavailable
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.messages.downloads import MediaDownloads
from whatsapp_dashboard.messages.inbound import Inbound
from whatsapp_dashboard.messages.media import MediaStore
from whatsapp_dashboard.messages.outbound import Outbound
from whatsapp_dashboard.messages.send_queue import read_work
from whatsapp_dashboard.messages.sending import MessageService
from whatsapp_dashboard.models import Account, Contact, Conversation, Event, Message, Reply
from whatsapp_dashboard.replies.auto_reply import AutoReplier
from whatsapp_dashboard.replies.repliers import Replier
from whatsapp_dashboard.replies.router import ReplyRouter

T = TypeVar("T")
CARLA = Address(phone="34600111222", lid="111222")
DEV = Address(phone="919876543210", lid="987654")
GROUP_JID = "120363000000000001@g.us"
FAST = {"pacing": {"min_ms": 0, "max_ms": 0}}


class ScriptedEngine(Engine):
    """Does what a test tells it, and remembers what it sent. Idempotent by key, as the contract asks."""

    name = "scripted"
    title = "Scripted"
    capabilities = frozenset(Capability) - {Capability.BUTTONS}

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self.sent: list[tuple[str, Address, Content]] = []
        self.journal: dict[str, SendResult] = {}
        self.acts: list[tuple[Any, ...]] = []
        self.failures: list[Exception] = []
        """Raised by the next sends, one each."""
        self.before_result: Callable[[str, SendResult, Address, Content], Awaitable[None]] | None = None
        self.absent: set[str] = set()
        self.lookups: list[str] = []
        self.known_as: dict[str, str] = {}
        """How WhatsApp writes a number that was asked for in another way."""
        self.files: dict[str, bytes] = {}

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def logout(self) -> None:
        """Nothing to forget."""

    async def probe(self) -> None:
        """Always there."""

    async def send(self, key: str, to: Address, content: Content) -> SendResult:
        if self.failures:
            raise self.failures.pop(0)
        if key not in self.journal:
            self.journal[key] = SendResult(f"3EB0{len(self.journal):06}", Clock().now())
            self.sent.append((key, to, content))
        result = self.journal[key]
        if self.before_result:
            await self.before_result(key, result, to, content)
        return result

    async def react(self, key: str, target: MessageKey, emoji: str) -> SendResult:
        return self._act("react", key, target, emoji)

    async def edit(self, key: str, target: MessageKey, text: str) -> SendResult:
        return self._act("edit", key, target, text)

    async def revoke(self, key: str, target: MessageKey) -> SendResult:
        return self._act("revoke", key, target)

    async def mark_read(self, messages: list[MessageKey]) -> None:
        self.acts.append(("read", [key.wa_id for key in messages]))

    async def set_typing(self, to: Address, on: bool) -> None:
        self.acts.append(("typing", to.phone, on))

    async def lookup(self, phone: str) -> Lookup:
        self.lookups.append(phone)
        return Lookup(phone not in self.absent, Address(phone=self.known_as.get(phone, phone), lid="5" + phone))

    async def download(self, ref: MediaRef) -> MediaFile:
        if self.failures:
            raise self.failures.pop(0)
        if ref.token["file"] not in self.files:
            raise Permanent("WhatsApp no longer has this file.")
        return MediaFile(self.files[ref.token["file"]], ref.mimetype, ref.filename)

    def _act(self, kind: str, key: str, target: MessageKey, *more: str) -> SendResult:
        self.acts.append((kind, target.wa_id, *more))
        return SendResult(key, Clock().now())

    @property
    def texts(self) -> list[str]:
        """What was sent, in order."""
        return [content.text for _, _, content in self.sent]


class OneRoomPool:
    """Engines by account; connected or not."""

    def __init__(self) -> None:
        self.engines: dict[str, ScriptedEngine] = {}
        self.online: set[str] = set()

    def engine(self, account_id: str) -> Engine | None:
        """The engine while connected."""
        return self.engines[account_id] if account_id in self.online else None

    async def call(self, account_id: str, make_call: Callable[[Engine], Awaitable[T]]) -> T:
        """Call it."""
        engine = self.engine(account_id)
        if engine is None:
            raise Unavailable("The account is not connected.")
        return await make_call(engine)


class Pipeline:
    """Everything between the engine and the database, wired as the program wires it."""

    def __init__(self, db: Database, clock: Clock, folder: Path, repliers: list[Replier] | None = None) -> None:
        settings = Settings(data_dir=folder, _env_file=None)  # type: ignore[call-arg]
        self.db, self.clock = db, clock
        self.pool = OneRoomPool()
        self.store = MediaStore(db, settings)
        self.outbound = Outbound(db, clock, self.pool, self.store)
        self.inbound = Inbound(db, clock, in_doubt=self.outbound.in_doubt)
        self.bus = EventBus(db)
        self.replies = ReplyRouter(db, clock, self.outbound, repliers or [AutoReplier(clock)], bus=self.bus)
        self.downloads = MediaDownloads(db, clock, self.pool, self.store, max_mb=64)
        self.messages = MessageService(db, clock, self.outbound, self.store, lambda _name: ScriptedEngine.capabilities)
        self.inbound.on_waiting.append(self.replies.take)
        self.inbound.on_changed.append(self.replies.changed)
        self.inbound.on_media.append(self.downloads.wake)
        self.cast: Cast
        self.account: str = ""
        self._counter = 0

    async def open(self, **settings: Any) -> Pipeline:
        """Make the cast and one account, and connect it."""
        self.cast = await make_cast(self.db)
        self.account = await self.add_account(**settings)
        await self.begin()
        return self

    async def begin(self) -> None:
        """Start what the program starts, then connect the account."""
        self.db.on_commit.append(self.bus.wake)
        await self.bus.start()
        await self.outbound.start()
        await self.replies.start()
        self.downloads.start()
        self.connect()

    async def add_account(self, **settings: Any) -> str:
        """One more account of the Default workspace."""
        async with self.db.write() as session:
            account = Account(
                workspace_id=self.cast.ana.workspace_id,
                name="Shop",
                engine="scripted",
                phone="34911000000",
                status="ready",
                settings=FAST | settings,
            )
            session.add(account)
        context = EngineContext(account.id, Path(), _ignore, _nothing, _ignore)
        self.pool.engines[account.id] = ScriptedEngine(context)
        return account.id

    def connect(self, account_id: str = "") -> None:
        """The account is ready."""
        account_id = account_id or self.account
        self.pool.online.add(account_id)
        self.outbound.account_ready(account_id)
        self.downloads.account_ready(account_id)

    def disconnect(self) -> None:
        """The account is offline."""
        self.pool.online.discard(self.account)
        self.outbound.account_gone(self.account)

    async def close(self) -> None:
        """End everything."""
        await self.inbound.stop()
        await self.replies.stop(1)
        await self.downloads.stop()
        await self.outbound.stop(1)
        self.db.on_commit.remove(self.bus.wake)
        await self.bus.stop()

    @property
    def engine(self) -> ScriptedEngine:
        """The engine of the first account."""
        return self.pool.engines[self.account]

    def event(self, text: str = "hello", chat: Address = CARLA, **more: Any) -> MessageReceived:
        """A message as an engine tells it; a new WhatsApp id each time unless given."""
        self._counter += 1
        content = more.pop("content", None) or Content(MessageType.TEXT, text)
        values = {"wa_id": f"WA{self._counter:04}", "chat": chat, "content": content, "at": self.clock.now(), "sender_name": "Carla"}
        return MessageReceived(**(values | more))

    async def receive(self, text: str = "hello", chat: Address = CARLA, **more: Any) -> MessageReceived:
        """The engine tells of one message; returns when it is stored."""
        event = self.event(text, chat, **more)
        await self.inbound.submit(self.account, event)
        return event

    async def say_as_ben(self, text: str) -> Message:
        """Ben writes from the inbox, in the only conversation there is."""
        content = Content(MessageType.TEXT, text)
        return await self.messages.send(self.cast.ben, self.account, content, conversation_id=(await self.conversation()).id)

    async def settle(self) -> None:
        """Wait until nothing moves any more unless the clock does."""
        for _ in range(3):
            await until(self._rests)
            await asyncio.sleep(0.03)  # what nobody waits for would come now

    async def _rests(self) -> bool:
        """Whether every decision is made, and nothing is due that could be sent."""
        await self.replies.idle()
        await self.outbound.idle()
        options: dict[str, Any] = {"busy": (), "held": (), "limit": 1, "acts": True}
        async with self.db.read() as session:
            work = [await read_work(session, account_id, self.clock.now(), **options) for account_id in self.pool.online]
        return not any(work)

    async def rows(self, model: type[T], **where: Any) -> list[T]:
        """All rows of a table, by id."""
        key = {Event: "seq", Reply: "message_id"}.get(model, "id")  # type: ignore[call-overload]
        statement = select(model).order_by(getattr(model, key))
        for name, value in where.items():
            statement = statement.where(getattr(model, name) == value)
        async with self.db.read() as session:
            return list(await session.scalars(statement))

    async def messages_of(self, **where: Any) -> list[Message]:
        """All messages, by id."""
        return await self.rows(Message, **where)

    async def conversation(self) -> Conversation:
        """The only conversation there is."""
        (found,) = await self.rows(Conversation)
        return found

    async def contact(self) -> Contact:
        """The only contact there is."""
        (found,) = await self.rows(Contact)
        return found

    async def events(self, type: str) -> list[Event]:
        """The events of a type."""
        return await self.rows(Event, type=type)

    async def replies_of(self) -> dict[str, tuple[str, str]]:
        """Body of each incoming message to the state and reason of its decision."""
        async with self.db.read() as session:
            rows = await session.execute(select(Message, Reply).join(Reply, col(Reply.message_id) == col(Message.id)))
            return {message.body: (reply.state, reply.reason) for message, reply in rows}

    async def until(self, check: Callable[[], Awaitable[Any]]) -> Any:
        """Wait until ``check`` is true, and return what it returned."""
        return await until(check, pause=0.01)

    async def until_sent(self, count: int, *, step: float = 0) -> None:
        """Wait until ``count`` messages are sent and settled; the clock moves on by ``step`` seconds at each look."""

        async def enough() -> bool:
            if step:
                await cast(MovableClock, self.clock).advance(step)
            return len([row for row in await self.messages_of() if row.sent_at and row.origin != "phone"]) >= count

        await self.until(enough)


@asynccontextmanager
async def pipeline(
    db: Database, clock: Clock, folder: Path, repliers: list[Replier] | None = None, **settings: Any
) -> AsyncIterator[Pipeline]:
    """An open pipeline with one connected account."""
    made = await Pipeline(db, clock, folder, repliers).open(**settings)
    try:
        yield made
    finally:
        await made.close()


async def _nothing() -> bytes | None:
    return None


async def _ignore(_value: Any) -> None:
    return None


def minutes_ago(clock: Clock, minutes: float) -> datetime:
    """A time in the past."""
    return clock.now() - timedelta(minutes=minutes)
