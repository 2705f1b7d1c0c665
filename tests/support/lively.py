"""Fills a database with conversations of every kind, as a busy office has them: for pictures and tests of the pages.

python -m tests.support.lively DATA_FOLDER
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from tests.support.cast import make_cast
from tests.support.samples import picture, sound
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.messages.content import preview
from whatsapp_dashboard.messages.waiting import recount
from whatsapp_dashboard.models import Account, Contact, Conversation, Media, Message, Note, Operator, Workspace

NAMES = (
    "Dev Patel",
    "Lucía Fernández",
    "أحمد المصري",
    "דנה לוי",
    "Søren Ølgaard",
    "田中 さくら",
    "Nguyễn Thị Minh Khai",
    "O'Brien & Sons",
    "Maximiliane Hohenberger-Schellenburg von und zu Niederösterreich",
    "Zoë 🌸",
    "Ivan",
    "Ngozi Adichie",
    "Pedro",
    "Marta",
    "Jonas",
)
SAID = (
    "Hi! Is the blue one still available in size 40?",
    "Thanks, that was quick 🙏",
    "Could you send me the invoice for October please?",
    "مرحبا، هل يمكنني تغيير عنوان التوصيل؟",
    "I waited for the courier all day and nobody came. What happens now?",
    "Ok",
    "👍",
    "The tracking page says delivered, but there is nothing here. https://parcels.example/track?id=88213&lang=en",
    "שלום, מתי אתם פתוחים מחר?",
)
HOSTILE = (
    "<script>window.hacked = 'body'</script>",
    "<img src=x onerror=\"window.hacked = 'img'\">",
    "[click](javascript:window.hacked='md')",
    "javascript:window.hacked='url'",
    "{{constructor.constructor('window.hacked=1')()}}",
    'https://example.com/" onmouseover="window.hacked=2',
)


@dataclass
class Office:
    """Writes accounts and conversations into one database. ``now`` is when the newest message was written."""

    db: Database
    data_dir: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def open(self) -> Office:
        """Two accounts in the Default workspace: one connected, one not."""
        async with self.db.write() as session:
            workspace = await session.scalar(select(Workspace).where(col(Workspace.name) == "Default"))
            assert workspace is not None
            self.ben = await session.scalar(select(Operator.id).where(col(Operator.username) == "ben"))
            self.shop = Account(workspace_id=workspace.id, name="Shop", engine="sandbox", phone="34600111222")
            self.support = Account(workspace_id=workspace.id, name="Support (evenings and weekends)", engine="sandbox")
            session.add_all([self.shop, self.support])
        return self

    async def conversation(
        self, name: str, phone: str = "", *, account: Account | None = None, kind: str = "person", **columns: Any
    ) -> Conversation:
        """One conversation without messages."""
        account = account or self.shop
        async with self.db.write() as session:
            contact = Contact(account_id=account.id, push_name=name, kind=kind, phone=phone or None)
            if not phone:
                contact.jid = f"{zlib.crc32((name + account.id).encode())}@g.us" if kind == "group" else None
                contact.lid = None if kind == "group" else str(zlib.crc32(name.encode()))
            session.add(contact)
            await session.flush()
            made = Conversation(account_id=account.id, contact_id=contact.id, last_message_at=self.now, created_at=self.now, **columns)
            session.add(made)
        return made

    async def say(self, conversation: Conversation, body: str = "", *, ago: float = 0, mine: bool = False, **columns: Any) -> Message:
        """One message, ``ago`` minutes before now."""
        at = self.now - timedelta(minutes=ago)
        columns.setdefault("type", "text")
        columns.setdefault("status", "read" if mine else "received")
        columns.setdefault("wa_id", f"3EB0{hashlib.sha256(f'{conversation.id}{body}{ago}{mine}{columns}'.encode()).hexdigest()[:16]}")
        if mine:
            columns.setdefault("origin", "operator")
            if columns["origin"] == "operator":
                columns.setdefault("operator_id", self.ben)
        message = Message(
            account_id=conversation.account_id, conversation_id=conversation.id, contact_id=conversation.contact_id, body=body,
            direction="outgoing" if mine else "incoming", at=at, created_at=at, **columns,
        )  # fmt: skip
        async with self.db.write() as session:
            session.add(message)
            row = await session.get(Conversation, conversation.id)
            assert row is not None
            row.last_message_id, row.last_message_at, row.last_message_type = message.id, at, message.type
            row.last_message_direction = message.direction
            row.last_message_preview = preview(message.type, body, message.payload)
            recount(session, [conversation.id])
        return message

    async def file(self, data: bytes, mimetype: str, filename: str = "", **columns: Any) -> str:
        """A stored file; returns the id of its row."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.data_dir / "media" / sha256[:2] / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        columns = {"state": "stored", "account_id": self.shop.id, "size": len(data), **columns}
        async with self.db.write() as session:
            media = Media(sha256=sha256, mimetype=mimetype, filename=filename, **columns)
            session.add(media)
        return media.id

    async def everything(self) -> Conversation:
        """A conversation with a message of every kind in every state."""
        made = await self.conversation(
            "Carla Ruiz", "34600555444", answered_by="human", bot_paused_until=self.now + timedelta(hours=3, minutes=12)
        )
        for number in range(60):
            await self.say(made, f"Older message number {number}", ago=4_000 - number * 3, mine=number % 3 == 0, history=True)
        await self.say(made, SAID[0], ago=1_500)
        await self.say(made, "Hello Carla! One moment, I will look.", ago=1_498, mine=True, origin="auto_reply")
        asked = await self.say(made, "I need it by Friday, it is a present for my mother.\n\nShe turns 70 :)", ago=1_490)
        await self.say(made, "We have two left. Shall I put one aside?", ago=1_480, mine=True, quoted_wa_id=asked.wa_id)
        await self.say(
            made,
            "Here is how it looks",
            ago=90,
            type="image",
            media_id=await self.file(picture(480, 320), "image/png"),
            reactions={"34600555444@s.whatsapp.net": "😍", "me": "👍"},
        )
        await self.say(made, "", ago=85, mine=True, type="voice", media_id=await self.file(sound(3), "audio/wav", seconds=3))
        await self.say(
            made,
            "",
            ago=80,
            type="document",
            media_id=await self.file(b"%PDF-1.4 invoice", "application/pdf", "Invoice 2026-10 (final) for Carla Ruiz García.pdf"),
        )
        await self.say(made, "", ago=76, type="sticker", media_id=await self.file(picture(128, 128, 90), "image/png"))
        await self.say(made, "", ago=74, type="image", media_id=await self.file(b"-", "image/jpeg", state="pending"))
        await self.say(
            made,
            "",
            ago=72,
            type="video",
            media_id=await self.file(b"+", "video/mp4", state="failed", reason="WhatsApp no longer has this file."),
        )
        await self.say(
            made,
            "",
            ago=60,
            type="location",
            payload={"location": {"latitude": 41.3874, "longitude": 2.1686, "name": "Plaça de Catalunya", "address": "Barcelona"}},
        )
        await self.say(
            made,
            "",
            ago=58,
            mine=True,
            type="contact",
            payload={"contacts": [{"name": "Delivery desk", "phones": ["+34931234567"], "vcard": ""}]},
        )
        await self.say(
            made,
            "When shall we deliver?",
            ago=55,
            mine=True,
            type="poll",
            status="delivered",
            votes={"a": ["Friday morning"]},
            payload={
                "poll": {
                    "question": "When shall we deliver?",
                    "options": ["Friday morning", "Friday afternoon", "Saturday"],
                    "selectable": 1,
                }
            },
        )
        await self.say(
            made, "Anything else?", ago=50, mine=True, type="buttons", origin="api", payload={"buttons": ["Talk to a person", "No, thanks"]}
        )
        await self.say(made, "", ago=52, type="unsupported")
        await self.say(
            made, "This message could not be read. Look at the phone; it may appear there.", ago=51, type="unsupported"
        )  # fmt: skip
        await self.say(made, "Are you there?", ago=38, recovered=True)
        await self.say(made, "Friday at 10 is perfect. https://maps.example/place?x=1&y=2", ago=30, recovered=True)
        await self.say(made, "Booked: Friday, 10:00.", ago=25, mine=True, edited_at=self.now)
        await self.say(made, "wrong chat, sorry", ago=24, mine=True, revoked_at=self.now, origin="phone")
        await self.say(made, "Your parcel leaves tomorrow.", ago=20, mine=True, status="sent", flagged_at=self.now)
        await self.say(
            made, "Shall I add a card?", ago=19.5, mine=True, status="sent", unconfirmed=True,
            status_reason="Sending was cut off; it is in doubt whether WhatsApp has it.",
        )  # fmt: skip
        await self.say(made, "And here is the receipt.", ago=19, mine=True, status="failed", status_reason="The number is not on WhatsApp.")
        await self.say(made, "See you on Friday!", ago=2, mine=True, status="delivered")
        async with self.db.write() as session:
            session.add(
                Note(
                    conversation_id=made.id,
                    operator_id=self.ben,
                    text="Birthday on Friday: wrap it as a present, no price tag.",
                    created_at=self.now - timedelta(minutes=22),
                )
            )
        return made

    async def hostile(self) -> Conversation:
        """A group whose name, senders, files and texts try to run something."""
        made = await self.conversation("<img src=x onerror=\"window.hacked='group'\">", kind="group")
        for number, text in enumerate(HOSTILE):
            await self.say(
                made, text, ago=40 - number, sender_name=f"<b onclick=hack()>{text}</b>"[:255], sender_address="34600999888@s.whatsapp.net"
            )
        name = '"><svg onload="window.hacked=\'file\'">.html'
        await self.say(
            made, HOSTILE[1], ago=8, type="document", media_id=await self.file(b"<script>parent.hacked=1</script>", "text/html", name)
        )
        await self.say(
            made,
            "",
            ago=6,
            type="location",
            payload={"location": {"latitude": 1, "longitude": 2, "name": HOSTILE[1], "address": HOSTILE[0]}},
        )
        await self.say(
            made,
            HOSTILE[0],
            ago=5,
            type="poll",
            votes={"x": [HOSTILE[1]]},
            payload={"poll": {"question": HOSTILE[0], "options": [HOSTILE[1], HOSTILE[0]], "selectable": 1}},
        )
        await self.say(
            made, "", ago=4, type="contact", payload={"contacts": [{"name": HOSTILE[1], "phones": [HOSTILE[0]], "vcard": HOSTILE[0]}]}
        )
        await self.say(made, "last", ago=3, quoted_wa_id=None, reactions={"x": HOSTILE[1][:64]})
        return made

    async def many(self, count: int = 45) -> None:
        """Short conversations of all sorts."""
        for number in range(count):
            name = NAMES[number] if number < len(NAMES) else "" if number % 5 == 0 else f"Customer {number}"
            kind = "group" if number % 11 == 6 else "person"
            made = await self.conversation(
                name, "" if kind == "group" else f"346009{number:05d}", kind=kind, account=self.support if number % 4 == 1 else self.shop,
                unread=(number * 7) % 5 if number % 3 == 0 else 0, answered_by="human" if number % 6 == 2 else "bot",
                status="closed" if number % 9 == 8 else "active",
            )  # fmt: skip
            ago = 4 + number**2.4
            await self.say(made, SAID[number % len(SAID)], ago=ago + 5, sender_name="Nico" if kind == "group" else "")
            if number % 2:
                status = ("queued", "sent", "delivered", "read", "failed")[number % 5]
                await self.say(made, "I will look into it and come back to you today.", ago=ago, mine=True, status=status)


async def fill(data_dir: Path) -> None:
    """The cast and everything above, in the data folder of a dashboard that does not run."""
    data_dir.mkdir(parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{data_dir.resolve() / 'dashboard.db'}"
    await upgrade(url)
    database = Database(url)
    await make_cast(database, can_log_in=True)
    office = await Office(database, data_dir).open()
    await office.many()
    await office.hostile()
    await office.everything()
    await database.close()


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
