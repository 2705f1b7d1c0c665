"""A stream of messages from many contacts to several accounts, and what must have become of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx
from sqlalchemy import text

from tests.support.linking import UNLIMITED, answers_each, linked_account
from tests.support.llm_server import LlmServer
from tests.support.receivers import Receivers
from tests.support.waiting import until
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.engines.sandbox.phone import SandboxPhone
from whatsapp_dashboard.messages.withdrawal import NEWER

REPLY = "Thank you, we have your message."
BURST = 10
Chat = tuple[str, str]
"""Account id and contact."""


@dataclass
class Stream:
    """Two accounts that answer each message with a text, one whose AI answers; a webhook that wants every message."""

    phone: SandboxPhone
    api: httpx.AsyncClient
    llm: LlmServer
    receivers: Receivers
    accounts: list[str] = field(default_factory=list)
    bot: str = ""
    contacts: list[str] = field(default_factory=list)
    written: dict[str, tuple[Chat, str]] = field(default_factory=dict)
    """WhatsApp id to chat and text, in the order written."""
    names: int = 0

    async def open(self, contacts: int) -> Stream:
        """Make the accounts, the contacts and the webhook."""
        (await self.api.post("/api/network/allowed", json={"value": "127.0.0.1"})).raise_for_status()
        for name in ("Shop", "Bakery"):
            self.accounts.append(await linked_account(self.api, self.phone, name, **answers_each(REPLY)))
        self.bot = await linked_account(self.api, self.phone, "Hotel", **UNLIMITED)
        self.accounts.append(self.bot)
        provider = {"kind": "openai", "model": "m", "key": "sk-0123456789", "url": self.llm.url("openai"), "concurrency": 100}
        config = {"enabled": True, "settings": {"wait_seconds": 0, "failure_text": ""}, "providers": [provider]}
        (await self.api.post(f"/api/accounts/{self.bot}/ai-config", json=config)).raise_for_status()
        hook = {"url": self.receivers.url("accept"), "events": ["message"], "secret": "generate"}
        (await self.api.post("/api/webhooks", json=hook)).raise_for_status()
        self.contacts = [await self.somebody() for _ in range(contacts)]
        return self

    async def somebody(self) -> str:
        """A contact who has never written."""
        self.names += 1
        return str((await self.phone.add_contact(f"Contact {self.names}", f"34600{self.names:06d}"))["id"])

    async def write(self, count: int, seconds: float, dice: random.Random) -> None:
        """Contacts write ``count`` messages, spread over ``seconds``."""
        for _ in range(count // BURST):
            account = dice.choice(self.accounts)
            await self.say(account, [dice.choice(self.contacts) for _ in range(BURST)])
            await asyncio.sleep(seconds * BURST / count)

    async def say(self, account: str, contacts: list[str]) -> None:
        """These contacts write one message each."""
        first = len(self.written)
        burst = [(contact, f"message {first + number}") for number, contact in enumerate(contacts)]
        for wa_id, (contact, body) in zip(await self.phone.burst(burst, account), burst, strict=True):
            self.written[wa_id] = ((account, contact), body)

    async def answered(self, count: int, seconds: float) -> None:
        """Wait until so many messages have arrived on contacts' phones."""

        async def received() -> int:
            return (await self.phone.counts())["received"]

        await until(received, lambda seen: seen >= count, seconds=seconds, pause=0.2)

    async def all_alive(self, seconds: float) -> None:
        """Wait until every account is ready and answers somebody new."""
        asking = await self.somebody()
        for account in self.accounts:
            await self.say(account, [asking])

        async def silent() -> dict[str, object]:
            """Accounts by state that are down or have not answered; and what moves."""
            states = {item["id"]: item["status"] for item in (await self.api.get("/api/accounts")).json()}
            answering = {one for one in self.accounts if states[one] == "ready" and await self.phone.received(asking, one)}
            left: dict[str, object] = {one: states[one] for one in self.accounts if one not in answering}
            return left and {**left, **await self.phone.counts()}

        await until(silent, lambda left: not left, seconds=seconds, pause=0.5)

    async def settled(self, database_url: str, seconds: float) -> None:
        """Wait until nothing moves any more."""
        db = Database(database_url)

        async def left() -> dict[str, int]:
            async with db.engine.connect() as connection:
                rows = await connection.execute(text(_LEFT))
                found = {name: count for name, count in rows.all() if count}
            unseen = len(self.written) - sum(await self._stored(db))
            owed = (await self.phone.counts())["queued"]
            return found | {name: count for name, count in (("unseen", unseen), ("owed", owed)) if count}

        try:
            await until(left, lambda found: not found, seconds=seconds, pause=0.2)
        finally:
            await db.close()
        await asyncio.sleep(1)  # a reply too many would come now

    async def _stored(self, db: Database) -> list[int]:
        async with db.engine.connect() as connection:
            return list((await connection.execute(text("SELECT count(*) FROM message WHERE direction = 'incoming'"))).scalars())

    async def check(self, database_url: str) -> str:
        """Nothing lost, nothing doubled, in order per chat, in the database, on the phones and at the webhook. Returns the figures."""
        db = Database(database_url)
        async with db.engine.connect() as connection:

            async def rows(statement: str) -> list[tuple[str, ...]]:
                return [tuple(row) for row in (await connection.execute(text(statement))).all()]

            stored = await rows("SELECT id, wa_id, body, account_id FROM message WHERE direction = 'incoming' ORDER BY id")
            replies = dict(await rows("SELECT id, in_reply_to FROM message WHERE direction = 'outgoing' AND in_reply_to IS NOT NULL"))
            told = dict(await rows("SELECT id, message_id FROM event WHERE type = 'message'"))
            decided = {row[0]: row[1:] for row in await rows("SELECT message_id, state, reason FROM reply")}
            ends = dict(await rows(f"SELECT status, count(*) FROM message WHERE {_DUE} GROUP BY status"))
        await db.close()
        wa_ids = {row[0]: row[1] for row in stored}
        count = Counter(wa_ids.values())
        lost, doubled = len(set(self.written) - set(count)), sum(count.values()) - len(count)
        assert (lost, doubled) == (0, 0), f"{lost} messages lost, {doubled} stored twice"
        assert all(self.written[wa_id][1] == body and self.written[wa_id][0][0] == account for _, wa_id, body, account in stored)
        assert sorted(told.values()) == sorted(wa_ids), "one event per message"
        assert set(ends) <= {"sent", "delivered", "read"}, ends
        assert self._chats(wa_ids.values()) == self._chats(self.written), "stored in the order written"

        arrived = [replies[item.key] for item in await self.phone.received() if item.key in replies]
        twice = [one for one, times in Counter(arrived).items() if times > 1]
        assert not twice, f"{len(twice)} messages have two replies"
        by_bot = {one for one, wa_id in wa_ids.items() if self.written[wa_id][0][0] == self.bot}
        assert {decided[one] for one in by_bot} <= {("answered", ""), ("skipped", "Answered together with a later message.")}
        wanted = [one for one in wa_ids if one not in by_bot or decided[one][0] == "answered"]
        assert not set(wanted) ^ set(arrived), f"{len(set(wanted) - set(arrived))} messages have no reply"
        assert self._chats(wa_ids[one] for one in arrived) == self._chats(wa_ids[one] for one in wanted), "answered in order"

        delivered = Counter(arrival.event_id for arrival in self.receivers.arrivals)
        assert set(delivered) == set(told), f"{len(set(told) - set(delivered))} webhook deliveries are missing"
        again = sum(delivered.values()) - len(delivered)
        return f"{len(stored)} messages, {lost} lost, {doubled} doubled, {len(arrived)} replies; webhooks: {again} delivered twice"

    def _chats(self, wa_ids: Iterable[str]) -> dict[Chat, list[str]]:
        """The messages of each chat, in the order given."""
        found: dict[Chat, list[str]] = defaultdict(list)
        for wa_id in wa_ids:
            found[self.written[wa_id][0]].append(wa_id)
        return found


_DUE = f"direction = 'outgoing' AND coalesce(status_reason, '') NOT IN {NEWER}"
"""An answer that was withdrawn because its contact wrote more is not sent, as it should be: one to all of it follows (AI-8)."""
_LEFT = f"""
SELECT 'undecided', count(*) FROM reply WHERE state = 'pending'
UNION ALL SELECT 'unsent (' || status || '): ' || coalesce(status_reason, ''), count(*) FROM message
    WHERE {_DUE} AND status NOT IN ('sent', 'delivered', 'read') GROUP BY status, status_reason
UNION ALL SELECT 'undelivered', count(*) FROM webhook_delivery WHERE state <> 'succeeded'
"""
