"""Who waits for a person: whatever happened, the stored state is what the messages say (MSG-14)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from tests.support.clock import MovableClock
from tests.support.pipeline import CARLA, DEV, GROUP_JID, Pipeline, pipeline
from tests.support.waiting import until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.engine_events import MessageRevoked, ReactionReceived, Receipt, ReceiptKind
from whatsapp_dashboard.domain.ids import Address, ContactKind
from whatsapp_dashboard.domain.messages import Content, MessageType, Origin
from whatsapp_dashboard.errors import AppError, Permanent
from whatsapp_dashboard.messages.conversations import ConversationService
from whatsapp_dashboard.messages.waiting import settle_groups
from whatsapp_dashboard.models import Account, AiAnswer, Contact, Conversation, Message, Reply, SetAsideEvent
from whatsapp_dashboard.replies.repliers import Answer, Question, Skip

GROUP = Address(ContactKind.GROUP, jid=GROUP_JID)
CHANNEL = Address(ContactKind.CHANNEL, jid="120363000000000009@newsletter")
CHATS = (CARLA, DEV, GROUP, CHANNEL)


class Bot:
    """A replier that answers, keeps silent, excuses itself or thinks, as it is told."""

    together = False

    def __init__(self) -> None:
        self.mood = "silent"

    def glance(self, question: Question) -> Answer | Skip | None:
        """What its mood says."""
        if self.mood == "thinks":
            return None
        if self.mood == "silent":
            return Skip("Nobody is set up.")
        if self.mood == "answers":
            return Answer(Content(MessageType.TEXT, "Here you are."), Origin.AUTO_REPLY)

        async def after(session: object, message: Message | None) -> None:
            if message is not None:
                where = {"account_id": message.account_id, "conversation_id": message.conversation_id}
                session.add(AiAnswer(message_id=message.id, kind="failure", **where))  # type: ignore[attr-defined]

        return Answer(Content(MessageType.TEXT, "I cannot answer."), Origin.AI, after, excuse=True)

    async def decide(self, question: Question) -> Answer | Skip:
        """Think until the mood changes."""
        await until(self._made_up_its_mind, pause=0.005)
        return self.glance(question) or Skip("Changed its mind.")

    async def _made_up_its_mind(self) -> bool:
        return self.mood != "thinks"

    def may_begin_anew(self, question: Question, now: datetime) -> bool:
        """Never."""
        return False


async def by_definition(db: Database) -> dict[str, datetime | None]:
    """Conversation id to since when the contact waits, worked out slowly from everything that is stored."""
    async with db.read() as session:
        rows = (
            await session.execute(
                select(Conversation, Contact, Account)
                .join(Contact, col(Contact.id) == col(Conversation.contact_id))
                .join(Account, col(Account.id) == col(Conversation.account_id))
            )
        ).all()
        excuses = {row.message_id for row in await session.scalars(select(AiAnswer)) if row.kind != "answer"}
        pending = {row.conversation_id for row in await session.scalars(select(Reply)) if row.state == "pending"}
        messages = list(await session.scalars(select(Message).order_by(col(Message.id))))
    found: dict[str, datetime | None] = {}
    for conversation, contact, account in rows:
        mine = [one for one in messages if one.conversation_id == conversation.id and one.revoked_at is None]
        answers = [one for one in mine if one.direction == "outgoing" and one.status != "failed" and one.id not in excuses]
        words = [one for one in mine if one.direction == "incoming" and not one.history and one.id > (conversation.dealt_with or "")]
        open_words = [word for word in words if not any(_answers(answer, word) for answer in answers)]
        groups = AccountSettings.model_validate(account.settings).answer_groups or conversation.answered_by == "human"
        expected = contact.kind == "person" or (contact.kind == "group" and groups)
        waits = open_words and expected and conversation.status == "active" and conversation.id not in pending
        found[conversation.id] = open_words[0].at if waits else None
    return found


def _answers(answer: Message, word: Message) -> bool:
    if answer.origin == "phone":
        return (answer.id > word.id and answer.at >= word.at) or (word.recovered and answer.at > word.at)
    return answer.id > word.id


async def stored(db: Database) -> dict[str, datetime | None]:
    """Conversation id to since when the contact waits, as it is kept."""
    async with db.read() as session:
        rows = await session.execute(select(col(Conversation.id), col(Conversation.waiting_since)))
        return {row[0]: row[1] for row in rows}


class Day:
    """A day at the counter on which anything may happen."""

    def __init__(self, house: Pipeline, bot: Bot, clock: MovableClock, seed: int) -> None:
        self.house, self.bot, self.clock, self.dice = house, bot, clock, random.Random(seed)
        self.service = ConversationService(house.db, clock)
        self.told: list[str] = []

    async def step(self) -> None:
        """Something happens."""
        doings: tuple[tuple[int, Callable[[], Awaitable[None]]], ...] = (
            (8, self.write), (3, self.write_late), (2, self.history), (4, self.phone), (5, self.answer), (2, self.fail), (3, self.receipt),
            (3, self.revoke), (2, self.react), (2, self.retry), (3, self.close_or_reopen), (2, self.hand), (4, self.change_mood),
            (1, self.groups), (3, self.be_one), (2, self.plug),
        )  # fmt: skip
        doing = self.dice.choices([each for _, each in doings], [weight for weight, _ in doings])[0]
        self.told.append(doing.__name__)
        await self.clock.advance(self.dice.choice((0, 0.4, 1, 30)))
        try:
            await doing()
        except AppError as error:
            self.told[-1] += f" ({error.message})"

    def _past(self) -> datetime:
        return self.clock.now() - timedelta(seconds=self.dice.randrange(0, 90))

    async def write(self) -> None:
        await self.house.receive("Hello?", self.dice.choice(CHATS), at=self.clock.now().replace(microsecond=0))

    async def write_late(self) -> None:
        await self.house.receive("Are you there?", self.dice.choice(CHATS), at=self._past(), offline=True)

    async def history(self) -> None:
        await self.house.receive("Long ago", self.dice.choice(CHATS), at=self._past(), history=True, from_me=self.dice.random() < 0.5)

    async def phone(self) -> None:
        await self.house.receive("From the phone", self.dice.choice(CHATS), at=self._past(), from_me=True)

    async def _any(self) -> Conversation | None:
        rows = await self.house.rows(Conversation)
        return self.dice.choice(rows) if rows else None

    async def answer(self) -> None:
        if found := await self._any():
            origin, content = self.dice.choice((Origin.OPERATOR, Origin.API)), Content(MessageType.TEXT, "Yes")
            await self.house.messages.send(self.house.cast.ben, self.house.account, content, conversation_id=found.id, origin=origin)

    async def fail(self) -> None:
        self.house.engine.failures.append(Permanent("The number is not on WhatsApp."))
        await self.answer()

    async def _message(self, direction: str) -> tuple[Message, Address] | None:
        rows = [row for row in await self.house.messages_of(direction=direction) if row.wa_id]
        if not rows:
            return None
        row = self.dice.choice(rows)
        contact = next(one for one in await self.house.rows(Contact) if one.id == row.contact_id)
        return row, Address(ContactKind(contact.kind), contact.phone, contact.lid, contact.jid)

    async def receipt(self) -> None:
        if found := await self._message("outgoing"):
            kind = self.dice.choice((ReceiptKind.DELIVERED, ReceiptKind.FAILED, ReceiptKind.FAILED))
            await self.house.inbound.submit(self.house.account, Receipt((found[0].wa_id or "",), kind, self.clock.now(), found[1]))

    async def revoke(self) -> None:
        if found := await self._message(self.dice.choice(("incoming", "outgoing"))):
            event = MessageRevoked(found[0].wa_id or "", found[1], self.clock.now())
            await self.house.inbound.submit(self.house.account, event)

    async def react(self) -> None:
        if found := await self._message("outgoing"):
            event = ReactionReceived(found[0].wa_id or "", found[1], found[1], "👍", self.clock.now())
            await self.house.inbound.submit(self.house.account, event)

    async def retry(self) -> None:
        rows = await self.house.messages_of(status="failed")
        if rows:
            await self.house.messages.retry(self.house.cast.ben, self.dice.choice(rows).id)

    async def close_or_reopen(self) -> None:
        if found := await self._any():
            change = self.service.reopen if found.status == "closed" else self.service.close
            await change(self.house.cast.ben, found.id)

    async def hand(self) -> None:
        if found := await self._any():
            await self.dice.choice((self.service.take_over, self.service.hand_back))(self.house.cast.ben, found.id)

    async def change_mood(self) -> None:
        self.bot.mood = self.dice.choice(("silent", "answers", "excuses", "thinks"))

    async def groups(self) -> None:
        async with self.house.db.write() as session:
            account = await session.get_one(Account, self.house.account)
            account.settings = account.settings | {"answer_groups": not account.settings.get("answer_groups")}
            await session.flush()
            await settle_groups(session, account)

    async def be_one(self) -> None:
        """Somebody who wrote under a hidden identity turns out to be somebody else who is known by number."""
        lid = str(self.dice.randrange(10**9))
        await self.house.receive("Hidden", Address(lid=lid), at=self.clock.now())
        await self.house.receive("It is me", Address(phone=self.dice.choice((CARLA, DEV)).phone, lid=lid), at=self.clock.now())

    async def plug(self) -> None:
        if self.house.account in self.house.pool.online:
            self.house.disconnect()
        else:
            self.house.connect()

    async def rest(self) -> None:
        """Wait until nothing moves unless the bot makes up its mind."""
        if self.bot.mood != "thinks":
            await self.house.replies.idle()
            await until(self.house._rests)
        await self.house.outbound.idle()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_stored_state_is_what_the_messages_say(
    db: Database, clock: MovableClock, tmp_path: Path, seed: int
) -> None:
    """MSG-14: random days, compared after each step with the slow definition; and again after a restart."""
    bot = Bot()
    waited = 0
    async with pipeline(db, clock, tmp_path, [bot]) as house:
        day = Day(house, bot, clock, seed)
        for _ in range(60):
            await day.step()
            await day.rest()

            async def agree() -> bool:
                return await stored(db) == await by_definition(db)

            assert await until(agree, seconds=3), "\n".join(day.told)
            waited += any((await stored(db)).values())
        bot.mood = "silent"
        await day.rest()
        before = await stored(db)
    assert before == await by_definition(db)
    assert not await house.rows(SetAsideEvent)
    assert waited > 5, "a day on which nobody waits proves nothing"
