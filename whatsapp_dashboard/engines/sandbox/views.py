"""What can be seen of a world from outside: the witness of tests, and what the Sandbox phone page shows."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.engines.sandbox.store import Row

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

Raw = dict[str, Any]


def phones(world: SandboxWorld) -> list[Raw]:
    """The owners' phones with their devices, logged-out ones too, newest last."""
    found = []
    for row in world.store.all("SELECT * FROM phone ORDER BY rank"):
        devices = [
            {
                "id": device.id,
                "account_id": device.label,
                "state": device.state,
                "until": device.until,
                "linked_at": device.linked_at,
                "connected": world.session_of(device) is not None,
                "switches": asdict(device.switches),
                "queued": world.store.one("SELECT count(*) AS n FROM queue WHERE device = ?", device.id)["n"],
            }
            for device in world.devices.ever_of(row["number"])
        ]
        found.append({"number": row["number"], "lid": row["lid"], "push_name": row["push_name"], "devices": devices})
    return found


def waiting(world: SandboxWorld) -> list[Raw]:
    """The accounts that wait to be linked now."""
    return [
        {
            "account_id": session.label,
            "qr": session.waiting.current,
            "expires_at": session.waiting.expires_at,
            "pairing_phone": session.waiting.pairing[1] if session.waiting.pairing else None,
        }
        for session in world.sessions
        if session.waiting and session.waiting.current
    ]


def contact(row: Row) -> Raw:
    """One person or group."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "name": row["name"],
        "phone": row["phone"],
        "lid": row["lid"],
        "jid": row["jid"],
        "lid_first": bool(row["lid_first"]),
        "online": bool(row["online"]),
        "members": json.loads(row["members"]),
    }


def contacts(world: SandboxWorld) -> list[Raw]:
    """Everybody, in the order they came into the world."""
    return [contact(row) for row in world.store.all("SELECT * FROM contact ORDER BY rank")]


def chats(world: SandboxWorld, phone: str) -> list[Raw]:
    """Every contact with the last message to and from ``phone`` and how many messages the contact has not read."""
    rows = world.store.all(
        "SELECT c.*, m.content AS last_content, m.at AS last_at, m.from_me AS last_from_me, m.revoked_at AS last_revoked,"
        " (SELECT count(*) FROM message u WHERE u.phone = ?1 AND u.chat = c.id AND u.from_me = 1 AND u.read_at IS NULL"
        "   AND u.arrived_at IS NOT NULL AND u.key IS NOT NULL) AS unread"
        " FROM contact c LEFT JOIN message m ON m.seq = (SELECT max(seq) FROM message WHERE phone = ?1 AND chat = c.id)"
        " ORDER BY m.seq IS NULL, m.seq DESC, c.rank",
        phone,
    )
    return [
        {
            **contact(row),
            "last": json.loads(row["last_content"]) if row["last_content"] else None,
            "last_at": row["last_at"],
            "last_from_account": bool(row["last_from_me"]),
            "last_revoked": row["last_revoked"] is not None,
            "unread": row["unread"],
            "typing": is_typing(world, phone, row["id"]),
            "timer": (world.store.timer(phone, row["id"]) or {"seconds": 0})["seconds"],
        }
        for row in rows
    ]


def thread(world: SandboxWorld, phone: str, chat: str, limit: int) -> list[Raw]:
    """The newest ``limit`` messages of a chat, oldest first."""
    rows = world.store.all(
        "SELECT * FROM (SELECT * FROM message WHERE phone = ? AND chat = ? ORDER BY seq DESC LIMIT ?) ORDER BY seq",
        phone,
        chat,
        max(1, min(limit, 1_000)),
    )
    return [_message(world, row) for row in rows]


def received(world: SandboxWorld, phone: str | None, chat: str | None) -> list[Raw]:
    """What really arrived on contacts' phones from accounts, in the order it arrived."""
    rows = world.store.all(
        "SELECT * FROM message WHERE from_me = 1 AND arrived_at IS NOT NULL AND key IS NOT NULL"
        " AND (?1 IS NULL OR phone = ?1) AND (?2 IS NULL OR chat = ?2) ORDER BY seq",
        phone,
        chat,
    )
    return [_message(world, row) for row in rows]


def counts(world: SandboxWorld) -> Raw:
    """How much there is in all: messages each way, and what waits for devices."""
    row = world.store.one(
        "SELECT count(*) FILTER (WHERE from_me = 0) AS written, count(*) FILTER (WHERE from_me = 1 AND key IS NOT NULL) AS received,"
        " (SELECT count(*) FROM queue) AS queued, (SELECT coalesce(sum(asked - 1), 0) FROM journal) AS repeated FROM message"
    )
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 (a Row's keys are its columns)


def is_typing(world: SandboxWorld, phone: str, chat: str) -> bool:
    """Whether the account shows "typing..." to this contact now."""
    now = time.time()
    return any(
        session.typing.get(chat, 0.0) > now for session in world.sessions if session.device is not None and session.device.phone == phone
    )


def _message(world: SandboxWorld, row: Row) -> Raw:
    store = world.store
    sender = store.first("SELECT name FROM contact WHERE id = ?", row["sender"]) if row["sender"] else None
    asked = store.first("SELECT asked FROM journal WHERE phone = ? AND key = ?", row["phone"], row["key"]) if row["key"] else None
    return {
        "wa_id": row["wa_id"],
        "seq": row["seq"],
        "phone": row["phone"],
        "chat": row["chat"],
        "from_account": bool(row["from_me"]),
        "by_owner": bool(row["from_me"]) and row["key"] is None,
        "sender": row["sender"],
        "sender_name": sender["name"] if sender else "",
        "content": json.loads(row["content"]),
        "at": row["at"],
        "key": row["key"],
        "asked": asked["asked"] if asked else 0,
        "arrived_at": row["arrived_at"],
        "delivered_at": row["delivered_at"],
        "read_at": row["read_at"],
        "edits": json.loads(row["edits"]),
        "revoked": row["revoked_at"] is not None,
        "reactions": {one["by"]: one["emoji"] for one in store.all("SELECT by, emoji FROM reaction WHERE wa_id = ?", row["wa_id"])},
        "votes": {one["by"]: json.loads(one["options"]) for one in store.all("SELECT by, options FROM vote WHERE wa_id = ?", row["wa_id"])},
    }
