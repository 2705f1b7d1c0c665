"""What those who hold the phones, that is tests and the Sandbox phone page, may ask of the world."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.domain.engine_events import PASSKEY_NEEDED_REASON, DisconnectCause
from whatsapp_dashboard.engines.sandbox import views
from whatsapp_dashboard.engines.sandbox.contacts import Contacts, add_contact
from whatsapp_dashboard.engines.sandbox.device_calls import introduction
from whatsapp_dashboard.engines.sandbox.devices import Device
from whatsapp_dashboard.engines.sandbox.linking import Timings, plain_code
from whatsapp_dashboard.engines.sandbox.session import Session
from whatsapp_dashboard.errors import Invalid, NotFound

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

Answer = tuple[dict[str, Any], bytes]


class PhoneCalls:
    """The calls of one phone connection."""

    def __init__(self, world: SandboxWorld) -> None:
        self._world = world

    def do(self, method: str, args: dict[str, Any], data: bytes) -> Answer:
        """Answer one call. Raises an AppError that goes back to the caller."""
        known = getattr(self, f"_do_{method}", None)
        if known is not None:
            return known(**args), b""
        match method:
            case "watch":
                return {}, b""
            case "send":
                return self._send(data, **args), b""
            case "burst":
                return {"wa_ids": [self._send(b"", **one)["wa_id"] for one in args["messages"]]}, b""
            case "media":
                row = self._world.store.media(args["token"])
                return {"mimetype": row["mimetype"], "filename": row["filename"]}, row["data"]
        raise Invalid(f"The world knows no call “{method[:40]}”.", code="no_call")

    # -- linking

    def _do_scan(self, text: str, phone: str | None = None, passkey: bool = False) -> dict[str, Any]:
        text = text.strip()
        for session in self._world.sessions:
            if session.waiting and session.waiting.current == text:
                return self._refuse(session) if passkey else self._link(session, phone or self._world.people.new_phone())
        if any(session.waiting and text in session.waiting.expired for session in self._world.sessions):
            raise Invalid("This QR code has expired; scan the one that is shown now.", code="qr_expired", field="qr")
        raise Invalid("This is not the QR code of an account that waits to be linked.", code="bad_qr", field="qr")

    def _do_enter_code(
        self, code: str, phone: str | None = None, accounts: list[str] | None = None, passkey: bool = False
    ) -> dict[str, Any]:
        for session in self._world.sessions:
            pairing = session.waiting.pairing if session.waiting else None
            if accounts is not None and session.label not in accounts:
                continue
            if pairing is None or plain_code(pairing[0]) != plain_code(code):
                continue
            if pairing[2] < time.time():
                raise Invalid("This code has expired; ask for a new one.", code="code_expired", field="code")
            if phone is not None and phone != pairing[1]:
                raise Invalid(f"This code is for the phone +{pairing[1]}.", code="wrong_phone", field="code")
            return self._refuse(session) if passkey else self._link(session, pairing[1])
        raise Invalid("No account waits for this code.", code="bad_code", field="code")

    def _refuse(self, session: Session) -> dict[str, Any]:
        """The number is one of those that WhatsApp links only with a passkey: the device learns it, and nothing is linked."""
        self._world.sessions.discard(session)
        self._world.after(partial(session.end, DisconnectCause.PASSKEY_NEEDED.value, PASSKEY_NEEDED_REASON))
        self._world.changed("")
        return {"phone": ""}

    def _link(self, session: Session, phone: str) -> dict[str, Any]:
        world = self._world
        world.people.own_phone(phone)
        for old in [old for old in world.devices.of_phone(phone) if old.label == session.label]:
            if (connection := world.session_of(old)) is not None:
                world.sessions.discard(connection)
                world.after(partial(connection.end, "logged_out", "The account was linked anew."))
        device = world.devices.link(phone, session.label)
        if session.waiting:
            session.waiting.stop()
        session.device, session.waiting = device, None
        news = {"t": "linked", "token": device.token, **(introduction(world, session) or {})}
        world.after(lambda: session.push(news))
        world.changed(phone)
        return {"phone": phone}

    # -- looking

    def _do_phones(self) -> dict[str, Any]:
        return {"phones": views.phones(self._world)}

    def _do_waiting(self) -> dict[str, Any]:
        return {"waiting": views.waiting(self._world)}

    def _do_contacts(self) -> dict[str, Any]:
        return {"contacts": views.contacts(self._world)}

    def _do_chats(self, account: str | None = None) -> dict[str, Any]:
        return {"chats": views.chats(self._world, self._phone(account))}

    def _do_thread(self, contact: str, account: str | None = None, limit: int = 100) -> dict[str, Any]:
        phone, chat = self._phone(account), self._world.people.contact(contact)["id"]
        return {"messages": views.thread(self._world, phone, chat, limit), "typing": views.is_typing(self._world, phone, chat)}

    def _do_received(self, contact: str | None = None, account: str | None = None) -> dict[str, Any]:
        chat = self._world.people.contact(contact)["id"] if contact else None
        return {"messages": views.received(self._world, self._phone(account) if account else None, chat)}

    def _do_counts(self) -> dict[str, Any]:
        return views.counts(self._world)

    # -- contacts

    def _send(
        self,
        data: bytes,
        *,
        contact: str,
        content: dict[str, Any],
        account: str | None = None,
        member: str | None = None,
        by_owner: bool = False,
        at: float | None = None,
    ) -> dict[str, Any]:
        person = self._world.people.contact(contact)
        row = self._contacts(account).send(person, content, data, member=member, by_owner=by_owner, at=at)
        return {"wa_id": row["wa_id"], "seq": row["seq"]}

    def _do_edit(self, wa_id: str, text: str, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).edit(wa_id, text)
        return {}

    def _do_revoke(self, wa_id: str, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).revoke(wa_id)
        return {}

    def _do_react(self, wa_id: str, emoji: str, by: str | None = None, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).react(wa_id, emoji, by)
        return {}

    def _do_vote(self, wa_id: str, options: list[str], by: str | None = None, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).vote(wa_id, options, by)
        return {}

    def _do_call(self, contact: str, video: bool = False, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).call(self._world.people.contact(contact), video=video)
        return {}

    def _do_open_chat(self, contact: str, account: str | None = None) -> dict[str, Any]:
        chat = self._world.people.contact(contact)["id"]
        return {"read": self._world.people.open_chat(self._phone(account), chat)}

    def _do_set_timer(self, contact: str, seconds: int, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).set_timer(self._world.people.contact(contact), seconds)
        return {}

    def _do_set_online(self, contact: str, online: bool, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).set_online(self._world.people.contact(contact), online)
        return {}

    def _do_reveal(self, contact: str, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).reveal(self._world.people.contact(contact))
        return {}

    def _do_rename(self, contact: str, name: str, account: str | None = None) -> dict[str, Any]:
        self._contacts(account).rename(self._world.people.contact(contact), name)
        return {}

    def _do_add_contact(self, name: str, phone: str, lid_first: bool = False) -> dict[str, Any]:
        return views.contact(add_contact(self._world, name, phone, lid_first=lid_first))

    def _do_replay_history(self, count: int, account: str | None = None) -> dict[str, Any]:
        device = self._device(account)
        return {"replayed": Contacts(self._world, device.phone).replay_history(device, count)}

    # -- what goes wrong on purpose

    def _do_switch(self, name: str, value: Any, account: str | None = None) -> dict[str, Any]:
        device = self._device(account)
        was_hung = device.switches.hang
        device.switches.change(name, value)
        self._world.devices.save(device)
        self._world.changed(device.phone)
        connection = self._world.session_of(device)
        # A line that hung stays dead when the switch goes off, as a frozen one would: the engine has to come again.
        cut = device.switches.offline or (was_hung and not device.switches.hang)
        if connection and cut:
            self._world.after(connection.close)
        elif connection and device.switches.outdated:
            self._world.after(lambda: connection.end("outdated", "WhatsApp no longer accepts this version; the engine needs an update."))
        return {}

    def _do_drop(self, account: str | None = None) -> dict[str, Any]:
        connection = self._world.session_of(self._device(account))
        if connection:
            self._world.after(connection.close)
        return {"dropped": connection is not None}

    def _do_end(self, cause: str, until: float | None = None, account: str | None = None) -> dict[str, Any]:
        reasons = {
            "logged_out": "The phone removed this device.",
            "banned": "WhatsApp has banned this number.",
            "replaced": "Another connection took over this session.",
            "restart_required": "WhatsApp asks to connect again.",
        }
        if cause not in reasons:
            raise Invalid("A session ends by logged_out, banned, replaced or restart_required.", code="bad_cause")
        device = self._device(account)
        if cause in ("logged_out", "banned"):
            self._world.devices.end(device, cause, until)
        connection = self._world.session_of(device)
        if connection:
            self._world.after(lambda: connection.end(cause, reasons[cause], until))
        self._world.changed(device.phone)
        return {}

    def _do_unban(self, account: str | None = None) -> dict[str, Any]:
        device = self._device(account)
        if device.state == "banned":
            device.state, device.until = "linked", None
            self._world.devices.save(device)
            self._world.changed(device.phone)
        return {}

    def _do_configure(self, **seconds: float | None) -> dict[str, Any]:
        names = {item.name for item in fields(Timings)}
        for name, value in seconds.items():
            if name not in names or (value is not None and not 0 <= value <= 86_400) or (value is None and name != "read_after"):
                raise Invalid(f"The timing “{name[:40]}” cannot be set so.", code="bad_timing")
            setattr(self._world.timings, name, value)
        self._world.store.set_meta("timings", json.dumps(asdict(self._world.timings)))
        return asdict(self._world.timings)

    # -- inside

    def _device(self, account: str | None) -> Device:
        return self._world.devices.find(account)

    def _phone(self, account: str | None) -> str:
        known = self._world.store.first("SELECT number FROM phone WHERE number = ?", account) if account else None
        if known:
            return str(known["number"])
        try:
            return self._device(account).phone
        except NotFound:
            # After a log-out the phone and its chats are still there.
            row = self._world.store.first("SELECT phone FROM device WHERE label = ? ORDER BY id DESC LIMIT 1", account)
            if row is None:
                raise
            return str(row["phone"])

    def _contacts(self, account: str | None) -> Contacts:
        return Contacts(self._world, self._phone(account))
