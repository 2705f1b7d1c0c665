"""Who is who in the world, and what accounts do to contacts: sends, reactions, edits, deletions, ticks."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.domain.ids import parse_jid, phone_variants
from whatsapp_dashboard.engines.sandbox.cast import owner, person_lid
from whatsapp_dashboard.engines.sandbox.devices import Device
from whatsapp_dashboard.engines.sandbox.store import Row
from whatsapp_dashboard.errors import Invalid, NotFound, Permanent

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

ABSENT_ENDING = "0000"
"""Numbers that end so are not on WhatsApp; every other number answers, and becomes a contact when it is first written to."""
_HELD_SECONDS = 1.5
"""How long a receipt is held back while receipts come out of order."""


class People:
    """The world's contacts and owners, and the account's side of their chats."""

    def __init__(self, world: SandboxWorld) -> None:
        self._world = world
        self._store = world.store

    # -- who is who

    def own_phone(self, number: str) -> Row:
        """The owner's phone with this number; it is made when there is none."""
        row = self._store.first("SELECT * FROM phone WHERE number = ?", number)
        if row is None:
            rank = self._store.one("SELECT count(*) AS n FROM phone")["n"]
            _, lid, name = owner(self._store.seed, rank)
            self._store.run("INSERT INTO phone VALUES (?, ?, ?, ?)", number, lid, name, rank)
            row = self._store.one("SELECT * FROM phone WHERE number = ?", number)
        return row

    def new_phone(self) -> str:
        """The number of an owner's phone nobody has used yet."""
        rank = self._store.one("SELECT count(*) AS n FROM phone")["n"]
        while self._store.first("SELECT 1 FROM phone WHERE number = ?", owner(self._store.seed, rank)[0]):
            rank += 1
        return str(self.own_phone(owner(self._store.seed, rank)[0])["number"])

    def contact(self, contact_id: str) -> Row:
        """The contact with this id, phone number or LID. Raises :class:`NotFound`."""
        row = self._store.first("SELECT * FROM contact WHERE id = ? OR phone = ? OR lid = ?", contact_id, contact_id, contact_id)
        if row is None:
            raise NotFound(f"Nobody in this world is called “{contact_id[:40]}”.", code="no_contact")
        return row

    def by_address(self, raw: dict[str, Any]) -> Row:
        """The contact an engine means; a number nobody has yet becomes a contact. Raises :class:`Permanent`."""
        address = parse_jid(raw["jid"], alt=raw.get("alt"))
        row = None
        if address.phone:
            for number in sorted(phone_variants(address.phone), key=lambda number: number != address.phone):
                row = row or self._store.first("SELECT * FROM contact WHERE phone = ?", number)
        if row is None and address.lid:
            row = self._store.first("SELECT * FROM contact WHERE lid = ?", address.lid)
        if row is None and address.jid:
            row = self._store.first("SELECT * FROM contact WHERE jid = ?", address.jid)
        if row is not None:
            return row
        if not address.phone or address.phone.endswith(ABSENT_ENDING):
            raise Permanent(f"{'+' + address.phone if address.phone else address} is not on WhatsApp.", code="not_on_whatsapp")
        return self._store.add_contact(
            address.phone, "person", f"+{address.phone}", phone=address.phone, lid=person_lid(self._store.seed, address.phone)
        )

    def address(self, contact: Row) -> dict[str, Any]:
        """How WhatsApp shows a contact to accounts now."""
        if contact["jid"]:
            return {"jid": contact["jid"], "alt": None}
        if contact["lid_first"] or not contact["phone"]:
            return {"jid": f"{contact['lid']}@lid", "alt": None}
        return {"jid": f"{contact['phone']}@s.whatsapp.net", "alt": f"{contact['lid']}@lid" if contact["lid"] else None}

    def own_address(self, phone: str) -> dict[str, Any]:
        """How WhatsApp shows the owner of ``phone``."""
        return {"jid": f"{phone}@s.whatsapp.net", "alt": f"{self.own_phone(phone)['lid']}@lid"}

    def lookup(self, phone: str) -> dict[str, Any]:
        """Whether a number is on WhatsApp, and as whom."""
        for number in sorted(phone_variants(phone), key=lambda number: number != phone):
            row = self._store.first("SELECT * FROM contact WHERE phone = ?", number)
            if row is not None:
                return {"exists": True, "jid": f"{row['phone']}@s.whatsapp.net", "alt": f"{row['lid']}@lid", "name": row["name"]}
        return {"exists": not phone.endswith(ABSENT_ENDING), "jid": f"{phone}@s.whatsapp.net", "alt": None, "name": ""}

    # -- messages

    def message(self, phone: str, wa_id: str) -> Row:
        """A message of a phone's chats. Raises :class:`NotFound`."""
        row = self._store.first("SELECT * FROM message WHERE wa_id = ? AND phone = ?", wa_id, phone)
        if row is None:
            raise NotFound("There is no such message in this world.", code="no_message")
        return row

    def message_event(self, row: Row, *, history: bool = False) -> dict[str, Any]:
        """What devices are told of a message."""
        chat = self.contact(row["chat"])
        group = chat["kind"] == "group"
        if row["from_me"]:
            sender, name = self.own_address(row["phone"]), self.own_phone(row["phone"])["push_name"]
        else:
            person = self.contact(row["sender"])
            sender, name = self.address(person), person["name"]
        return {
            "k": "message",
            "wa_id": row["wa_id"],
            "chat": self.address(chat),
            "content": json.loads(row["content"]),
            "at": row["at"],
            "from_me": bool(row["from_me"]),
            "sender": sender,
            "sender_name": name,
            "chat_name": chat["name"] if group else "",
            "history": history,
            "timer": None if history else self._store.timer(row["phone"], row["chat"]),
        }

    def with_media(self, content: dict[str, Any], data: bytes) -> dict[str, Any]:
        """The content with its file kept by the world. Raises :class:`Invalid` for a file without bytes."""
        media = content.get("media")
        if media and not media.get("token"):
            if not data:
                raise Invalid("The file is empty.", code="empty_file")
            token = self._store.keep_media(data, media.get("mimetype", ""), media.get("filename", ""))
            content = {**content, "media": {**media, "token": {"media": token}, "size": len(data)}}
        return content

    def receipt(self, phone: str, chat: str, wa_ids: list[str], kind: str, at: float) -> None:
        """Tell a phone's devices how far messages got."""
        self._world.tell(phone, {"k": "receipt", "wa_ids": wa_ids, "kind": kind, "at": at, "chat": self.address(self.contact(chat))})

    # -- what an account does

    def account_sends(self, device: Device, key: str, to: dict[str, Any], content: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Take a message from a device, once per key."""
        known = self._journaled(device.phone, key)
        if known is not None:
            return known
        chat, now = self.by_address(to), time.time()
        content = self.with_media(content, data)
        row = self._store.add_message(
            device.phone, chat["id"], content, at=now, from_me=True, key=key, arrived_at=now if chat["online"] else None
        )
        self._world.tell(device.phone, self.message_event(row), but=device)
        if chat["online"]:
            self._schedule_ticks(device, row)
        return self._journal(device.phone, key, row["wa_id"], now)

    def _schedule_ticks(self, device: Device, row: Row) -> None:
        if not device.switches.disorder:
            self._world.tick(row["seq"])
        elif row["seq"] % 2:
            self.confirm([row["seq"]])
            self._world.early = True
        else:
            # Held back, and the later ones sooner than the earlier ones.
            self._world.later(_HELD_SECONDS + 0.5 / (1 + row["seq"] % 50), lambda: self.confirm([row["seq"]]))

    def account_reacts(self, device: Device, key: str, wa_id: str, emoji: str) -> dict[str, Any]:
        """Set or (empty) remove the account's reaction."""
        known = self._journaled(device.phone, key)
        if known is not None:
            return known
        row = self.message(device.phone, wa_id)
        self.set_reaction(row, "me", emoji, but=device)
        return self._journal(device.phone, key, None, time.time())

    def account_edits(self, device: Device, key: str, wa_id: str, text: str) -> dict[str, Any]:
        """Change a message of the account's own."""
        known = self._journaled(device.phone, key)
        if known is not None:
            return known
        row = self._own(device.phone, wa_id)
        self.change_text(row, text, but=device)
        return self._journal(device.phone, key, None, time.time())

    def account_revokes(self, device: Device, key: str, wa_id: str) -> dict[str, Any]:
        """Delete a message of the account's own for everyone."""
        known = self._journaled(device.phone, key)
        if known is not None:
            return known
        row = self._own(device.phone, wa_id)
        self.delete(row, but=device)
        return self._journal(device.phone, key, None, time.time())

    def account_read(self, phone: str, wa_ids: list[str]) -> None:
        """The account has read these: blue ticks at the contacts."""
        now = time.time()
        for wa_id in wa_ids:
            self._store.run(
                "UPDATE message SET read_at = ?, delivered_at = coalesce(delivered_at, ?)"
                " WHERE wa_id = ? AND phone = ? AND from_me = 0 AND read_at IS NULL",
                now,
                now,
                wa_id,
                phone,
            )
        self._world.changed(phone)

    def _own(self, phone: str, wa_id: str) -> Row:
        row = self.message(phone, wa_id)
        if not row["from_me"] or row["revoked_at"] is not None:
            raise Permanent("Only a message of one's own that still exists can be changed.", code="not_own")
        return row

    def _journaled(self, phone: str, key: str) -> dict[str, Any] | None:
        row = self._store.first("UPDATE journal SET asked = asked + 1 WHERE phone = ? AND key = ? RETURNING wa_id, at", phone, key)
        return {"wa_id": row["wa_id"], "at": row["at"]} if row else None

    def _journal(self, phone: str, key: str, wa_id: str | None, at: float) -> dict[str, Any]:
        if wa_id is None:
            count = self._store.one("SELECT count(*) AS n FROM journal")["n"]
            wa_id = "A" + self._store.make_id(-1 - count)[1:]
        self._store.run("INSERT INTO journal (phone, key, wa_id, at) VALUES (?, ?, ?, ?)", phone, key, wa_id, at)
        return {"wa_id": wa_id, "at": at}

    # -- changes to messages, by whichever side

    def set_reaction(self, row: Row, by: str, emoji: str, *, but: Device | None = None) -> None:
        """Set (or with empty ``emoji`` remove) the reaction of a contact, or of the owner (``me``)."""
        now = time.time()
        if emoji:
            self._store.run(
                "INSERT INTO reaction VALUES (?, ?, ?, ?) ON CONFLICT (wa_id, by) DO UPDATE SET emoji = excluded.emoji, at = excluded.at",
                row["wa_id"],
                by,
                emoji,
                now,
            )
        else:
            self._store.run("DELETE FROM reaction WHERE wa_id = ? AND by = ?", row["wa_id"], by)
        sender = self.own_address(row["phone"]) if by == "me" else self.address(self.contact(by))
        event = {"k": "reaction", "wa_id": row["wa_id"], "emoji": emoji, "at": now, "from_me": by == "me", "sender": sender}
        self._world.tell(row["phone"], {**event, "chat": self.address(self.contact(row["chat"]))}, but=but)

    def change_text(self, row: Row, text: str, *, but: Device | None = None) -> None:
        """Edit a message; what it said before stays in its history."""
        content, edits = json.loads(row["content"]), json.loads(row["edits"])
        edits.append(content.get("text", ""))
        content["text"] = text
        self._store.run(
            "UPDATE message SET content = ?, edits = ? WHERE seq = ?",
            json.dumps(content, ensure_ascii=False),
            json.dumps(edits),
            row["seq"],
        )
        event = {"k": "edit", "wa_id": row["wa_id"], "text": text, "at": time.time()}
        self._world.tell(row["phone"], {**event, "chat": self.address(self.contact(row["chat"]))}, but=but)

    def delete(self, row: Row, *, but: Device | None = None) -> None:
        """Delete a message for everyone."""
        now = time.time()
        self._store.run("UPDATE message SET revoked_at = ? WHERE seq = ?", now, row["seq"])
        event = {"k": "revoke", "wa_id": row["wa_id"], "at": now, "chat": self.address(self.contact(row["chat"]))}
        self._world.tell(row["phone"], event, but=but)

    # -- ticks

    def confirm(self, seqs: list[int]) -> None:
        """The contacts' phones have these messages: second tick, and the blue ones later when so configured."""
        now = time.time()
        rows = [
            row
            for seq in seqs
            if (
                row := self._store.first(
                    "UPDATE message SET delivered_at = ? WHERE seq = ? AND delivered_at IS NULL RETURNING seq, phone, chat, wa_id", now, seq
                )
            )
        ]
        rows.sort(key=lambda row: (row["phone"], row["chat"], row["seq"]))
        for (phone, chat), group in groupby(rows, key=lambda row: (row["phone"], row["chat"])):
            self.receipt(phone, chat, [row["wa_id"] for row in group], "delivered", now)
            if self._world.timings.read_after is not None:
                self._world.later(self._world.timings.read_after, partial(self.open_chat, phone, chat))

    def open_chat(self, phone: str, chat: str) -> int:
        """The contact opens the chat: blue ticks for all that arrived. Returns how many."""
        rows = self._store.all(
            "SELECT seq, wa_id, delivered_at FROM message"
            " WHERE phone = ? AND chat = ? AND from_me = 1 AND arrived_at IS NOT NULL AND read_at IS NULL ORDER BY seq",
            phone,
            chat,
        )
        if not rows:
            return 0
        now = time.time()
        held = [row["seq"] for row in rows if row["delivered_at"] is None]
        out_of_order = any(device.switches.disorder for device in self._world.devices.of_phone(phone))
        if not out_of_order:
            self.confirm(held)
        for row in rows:
            self._store.run("UPDATE message SET read_at = ? WHERE seq = ?", now, row["seq"])
        self.receipt(phone, chat, [row["wa_id"] for row in rows], "read", now)
        if out_of_order:
            self.confirm(held)
        return len(rows)
