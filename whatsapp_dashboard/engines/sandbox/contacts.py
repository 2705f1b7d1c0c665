"""What the simulated contacts, and the owner on the phone itself, do to accounts."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.domain.ids import phone_variants
from whatsapp_dashboard.domain.messages import MessageType
from whatsapp_dashboard.engines.sandbox.cast import person_lid
from whatsapp_dashboard.engines.sandbox.devices import Device
from whatsapp_dashboard.engines.sandbox.store import Row
from whatsapp_dashboard.errors import Conflict, Invalid

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

MAX_TEXT = 65_536
TIMERS = (0, 86_400, 7 * 86_400, 90 * 86_400)
MAX_HISTORY = 10_000
_OLD_LINES = (
    "Are you open tomorrow?",
    "Thanks, see you then!",
    "Could you send me the price list?",
    "Perfect 👍",
    "How much is delivery?",
    "I'll think about it.",
    "Good morning! Any news?",
    "That worked, thank you.",
)


class Contacts:
    """The contacts' side of the chats of one owner's phone."""

    def __init__(self, world: SandboxWorld, phone: str) -> None:
        self._world = world
        self._store = world.store
        self._people = world.people
        self._phone = phone

    def send(
        self,
        contact: Row,
        content: dict[str, Any],
        data: bytes,
        *,
        member: str | None = None,
        by_owner: bool = False,
        at: float | None = None,
    ) -> Row:
        """A contact writes; in a group ``member`` does. ``by_owner`` writes on the linked phone itself (AI-8)."""
        _check(content)
        group = contact["kind"] == "group"
        if by_owner:
            sender = None
        elif group:
            members = json.loads(contact["members"])
            sender = self._people.contact(member or members[0])["id"]
            if sender not in members:
                raise Invalid(f"{sender} is not in the group {contact['name']}.", code="no_member")
        else:
            sender = contact["id"]
        if content.get("quoted_id"):
            quoted = self._people.message(self._phone, content["quoted_id"])
            content = {**content, "quoted_from_me": bool(quoted["from_me"])}
        if timer := self._store.timer(self._phone, contact["id"]):
            content = {**content, "timer": timer}
        content = self._people.with_media(content, data)
        now = time.time()
        arrived = now if by_owner and contact["online"] else None
        row = self._store.add_message(
            self._phone, contact["id"], content, at=now if at is None else at, from_me=by_owner, sender=sender, arrived_at=arrived
        )
        self._world.tell(self._phone, self._people.message_event(row), wa_id=None if by_owner else row["wa_id"])
        if arrived:
            self._world.tick(row["seq"])
        return row

    def edit(self, wa_id: str, text: str) -> None:
        """The writer of a message (a contact, or the owner) changes it."""
        _check({"type": "text", "text": text})
        self._people.change_text(self._alive(wa_id), text)

    def revoke(self, wa_id: str) -> None:
        """The writer deletes a message for everyone."""
        self._people.delete(self._alive(wa_id))

    def react(self, wa_id: str, emoji: str, by: str | None) -> None:
        """Somebody reacts: a contact, or with ``by`` "me" the owner; without ``by`` the chat's contact."""
        row = self._alive(wa_id)
        who = by if by == "me" else self._people.contact(by or self._speaker(row))["id"]
        self._people.set_reaction(row, who, emoji)

    def vote(self, wa_id: str, options: list[str], by: str | None) -> None:
        """A contact votes in a poll; no options takes the vote back."""
        row = self._alive(wa_id)
        poll = json.loads(row["content"]).get("poll")
        if not poll:
            raise Invalid("This message is not a poll.", code="no_poll")
        unknown = [option for option in options if option not in poll["options"]]
        if unknown:
            raise Invalid(f"The poll has no option “{unknown[0][:40]}”.", code="no_option")
        if poll["selectable"] and len(options) > poll["selectable"]:
            raise Invalid(f"At most {poll['selectable']} may be chosen.", code="too_many_options")
        voter, now = self._people.contact(by or self._speaker(row)), time.time()
        self._store.run(
            "INSERT INTO vote VALUES (?, ?, ?, ?) ON CONFLICT (wa_id, by) DO UPDATE SET options = excluded.options, at = excluded.at",
            wa_id,
            voter["id"],
            json.dumps(options),
            now,
        )
        event = {"k": "vote", "wa_id": wa_id, "options": options, "at": now, "sender": self._people.address(voter)}
        self._world.tell(self._phone, {**event, "chat": self._chat(row)})

    def call(self, contact: Row, *, video: bool) -> None:
        """A contact calls."""
        self._world.tell(self._phone, {"k": "call", "chat": self._people.address(contact), "at": time.time(), "video": video})

    def set_timer(self, contact: Row, seconds: int) -> None:
        """Messages of the chat disappear after so many seconds; 0: they stay (MSG-12)."""
        if seconds not in TIMERS:
            raise Invalid("WhatsApp lets messages disappear after 24 hours, 7 days, 90 days, or not at all.", code="bad_timer")
        now = time.time()
        self._store.run("INSERT OR REPLACE INTO timer VALUES (?, ?, ?, ?)", self._phone, contact["id"], seconds, now)
        self._world.tell(self._phone, {"k": "timer", "chat": self._people.address(contact), "seconds": seconds, "at": now})

    def set_online(self, contact: Row, online: bool) -> None:
        """Switch a contact's own phone on or off; what waited arrives when it is on again."""
        self._store.run("UPDATE contact SET online = ? WHERE id = ?", int(online), contact["id"])
        if online:
            waiting = self._store.all(
                "UPDATE message SET arrived_at = ? WHERE chat = ? AND from_me = 1 AND arrived_at IS NULL RETURNING seq",
                time.time(),
                contact["id"],
            )
            for row in sorted(waiting, key=lambda row: row["seq"]):
                self._world.tick(row["seq"])

    def reveal(self, contact: Row) -> None:
        """WhatsApp tells which phone number belongs to a contact known by LID (MSG-10)."""
        self._store.run("UPDATE contact SET lid_first = 0 WHERE id = ?", contact["id"])
        self._introduce(contact["id"])

    def rename(self, contact: Row, name: str) -> None:
        """A contact changes the name WhatsApp shows."""
        self._store.run("UPDATE contact SET name = ? WHERE id = ?", _name(name), contact["id"])
        self._introduce(contact["id"])

    def replay_history(self, device: Device, count: int) -> int:
        """Sync ``count`` messages from the past to one device: known ones again, then older ones nobody has seen (ACC-8)."""
        if not 0 < count <= MAX_HISTORY:
            raise Invalid(f"Between 1 and {MAX_HISTORY} old messages can be replayed.", code="bad_count", field="count")
        newest = "SELECT * FROM message WHERE phone = ? AND revoked_at IS NULL ORDER BY seq DESC LIMIT ?"
        known = self._store.all(newest, self._phone, count)
        rows = [*self._invent(count - len(known)), *reversed(known)]
        for row in rows:
            event = self._people.message_event(row, history=True)
            self._store.enqueue(device.id, json.dumps(event, ensure_ascii=False), None)
        self._world.listening()
        return len(rows)

    def _invent(self, count: int) -> list[Row]:
        """Messages of the days before anything in this world, in both directions, the same for the same seed."""
        if count <= 0:
            return []
        people = self._store.all("SELECT * FROM contact WHERE kind = 'person' ORDER BY rank LIMIT 6")
        oldest = self._store.first("SELECT min(at) AS at FROM message WHERE phone = ?", self._phone)
        start = (oldest["at"] if oldest and oldest["at"] else time.time()) - 86_400 - 600.0 * count
        dice = random.Random(f"history:{self._store.seed}:{count}")  # noqa: S311
        rows = []
        for index in range(count):
            person, from_me, at = dice.choice(people), dice.random() < 0.4, start + 600.0 * index
            content = {"type": "text", "text": dice.choice(_OLD_LINES)}
            row = self._store.add_message(
                self._phone,
                person["id"],
                content,
                at=at,
                from_me=from_me,
                sender=None if from_me else person["id"],
                arrived_at=at if from_me else None,
            )
            self._store.run("UPDATE message SET delivered_at = ?, read_at = ? WHERE seq = ?", at, at, row["seq"])
            rows.append(row)
        return rows

    def _alive(self, wa_id: str) -> Row:
        row = self._people.message(self._phone, wa_id)
        if row["revoked_at"] is not None:
            raise Conflict("This message was deleted.", code="deleted")
        return row

    def _speaker(self, row: Row) -> str:
        chat = self._people.contact(row["chat"])
        return str(json.loads(chat["members"])[0] if chat["kind"] == "group" else chat["id"])

    def _chat(self, row: Row) -> dict[str, Any]:
        return self._people.address(self._people.contact(row["chat"]))

    def _introduce(self, contact_id: str) -> None:
        contact = self._people.contact(contact_id)
        event = {"k": "contact", "chat": self._people.address(contact), "name": "", "push_name": contact["name"]}
        self._world.tell(self._phone, event)


def add_contact(world: SandboxWorld, name: str, phone: str, *, lid_first: bool) -> Row:
    """Put a new person with this number (digits) into the world. Raises :class:`Invalid`, :class:`Conflict`."""
    if not re.fullmatch(r"\d{7,15}", phone):
        raise Invalid("A phone number has 7 to 15 digits.", code="bad_number", field="phone")
    if any(world.store.first("SELECT 1 FROM contact WHERE phone = ?", number) for number in phone_variants(phone)):
        raise Conflict("Somebody in this world has that number.", code="number_taken")
    slug = re.sub(r"[^a-z0-9]+", "-", _name(name).split()[0].lower()).strip("-") or phone
    if world.store.first("SELECT 1 FROM contact WHERE id = ?", slug):
        slug = phone
    return world.store.add_contact(slug, "person", name, phone=phone, lid=person_lid(world.store.seed, phone), lid_first=lid_first)


def _name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= 255:
        raise Invalid("A name has 1 to 255 characters.", code="bad_name", field="name")
    return name


def _check(content: dict[str, Any]) -> None:
    """Refuse what WhatsApp would not let a person send."""
    try:
        kind = MessageType(content.get("type", ""))
    except ValueError:
        raise Invalid("This is no kind of message.", code="bad_type") from None
    text = content.get("text", "")
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise Invalid(f"A text has at most {MAX_TEXT} characters.", code="too_long", field="text")
    if kind is MessageType.TEXT and not text:
        raise Invalid("Write something first.", code="empty", field="text")
