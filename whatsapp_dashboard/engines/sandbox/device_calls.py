"""What a linked device, that is the engine of an account, may ask of the world."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from whatsapp_dashboard.engines.sandbox.devices import Device
from whatsapp_dashboard.engines.sandbox.linking import Waiting
from whatsapp_dashboard.engines.sandbox.session import Session
from whatsapp_dashboard.errors import Conflict, Invalid, Permanent, Retryable, Unavailable

if TYPE_CHECKING:
    from whatsapp_dashboard.engines.sandbox.server import SandboxWorld

Answer = tuple[dict[str, Any], bytes]
_TYPING_SECONDS = 12.0


def greet(world: SandboxWorld, session: Session, token: str | None) -> None:
    """Let an engine in, or tell it why not."""
    device = world.devices.by_token(token) if token else None
    if device is not None:
        switches = device.switches
        if switches.offline:
            session.close()
            return
        session.device = device
        if switches.hang:
            world.sessions.add(session)
            return
        if switches.outdated:
            session.end("outdated", "WhatsApp no longer accepts this version; the engine needs an update.")
            return
        if device.state == "banned" and device.until is not None and device.until <= time.time():
            device.state, device.until = "linked", None
            world.devices.save(device)
        if device.state == "banned":
            session.end("banned", "WhatsApp has banned this number.", device.until)
            return
    if token and (device is None or device.state == "logged_out"):
        session.end("logged_out", "The phone removed this device.")
        return
    if device is not None:
        for other in [other for other in world.sessions if other.device is device]:
            world.sessions.discard(other)
            other.end("replaced", "Another connection took over this session.")
    world.sessions.add(session)
    session.push({"t": "welcome", "linked": introduction(world, session)})
    world.changed(device.phone if device else "")


def introduction(world: SandboxWorld, session: Session) -> dict[str, Any] | None:
    """Who the account is, once linked."""
    if session.device is None:
        return None
    phone = world.store.one("SELECT * FROM phone WHERE number = ?", session.device.phone)
    return {"phone": phone["number"], "lid": phone["lid"], "push_name": phone["push_name"], "platform": "sandbox"}


class DeviceCalls:
    """The calls of one session."""

    def __init__(self, world: SandboxWorld, session: Session) -> None:
        self._world = world
        self._session = session

    def do(self, method: str, args: dict[str, Any], data: bytes) -> Answer:
        """Answer one call. Raises an AppError that goes back to the engine."""
        match method:
            case "probe":
                return {}, b""
            case "qr":
                return self._show_qr()
            case "pair":
                return self._pair(args["phone"])
        device = self._session.device
        if device is None:
            raise Unavailable("The account is not linked yet.", code="offline")
        return self._do_linked(device, method, args, data)

    def _do_linked(self, device: Device, method: str, args: dict[str, Any], data: bytes) -> Answer:
        people = self._world.people
        match method:
            case "listen":
                waited = self._session.listen()
                self._world.listening()
                return {"waited": waited}, b""
            case "logout":
                self._world.devices.end(device)
                self._world.changed(device.phone)
                self._world.after(self._session.close)
                return {}, b""
            case "send":
                self._refusals()
                sent = people.account_sends(device, args["key"], args["to"], args["content"], data)
                self._session.typing.pop(people.by_address(args["to"])["id"], None)  # a message ends "typing..."
                return sent, b""
            case "react":
                return people.account_reacts(device, args["key"], args["wa_id"], args["emoji"]), b""
            case "edit":
                return people.account_edits(device, args["key"], args["wa_id"], args["text"]), b""
            case "revoke":
                return people.account_revokes(device, args["key"], args["wa_id"]), b""
            case "read":
                people.account_read(device.phone, args["wa_ids"])
                return {}, b""
            case "typing":
                self._session.typing[people.by_address(args["to"])["id"]] = time.time() + _TYPING_SECONDS if args["on"] else 0.0
                self._world.changed(device.phone)
                return {}, b""
            case "download":
                row = self._world.store.media(str(args["token"].get("media", "")))
                return {"mimetype": row["mimetype"], "filename": row["filename"]}, row["data"]
            case "lookup":
                return people.lookup(args["phone"]), b""
        raise Invalid(f"The world knows no call “{method[:40]}”.", code="no_call")

    def _show_qr(self) -> Answer:
        session = self._session
        if session.device is not None:
            raise Conflict("The account is linked already.", code="linked")
        if session.waiting is None:
            session.waiting = Waiting(self._world.timings, session.push)
            self._world.after(session.waiting.start)
            self._world.changed("")
        return {}, b""

    def _pair(self, phone: str) -> Answer:
        waiting = self._session.waiting
        if waiting is None or waiting.current is None:
            raise Conflict("The account does not wait to be linked.", code="no_qr")
        self._world.people.own_phone(phone)
        code, until = waiting.pair(phone)
        self._world.changed("")
        return {"code": code, "expires_at": until}, b""

    def _refusals(self) -> None:
        """The switches that make sends fail."""
        assert self._session.device is not None
        device = self._session.device
        switches = device.switches
        if switches.restricted and switches.restricted_until is not None and switches.restricted_until <= time.time():
            switches.restricted = ""
            self._world.devices.save(device)
        if switches.restricted:
            reason = f"WhatsApp restricts this number (error {switches.restricted})."
            news = {"t": "restricted", "code": switches.restricted, "reason": reason, "until": switches.restricted_until}
            self._world.after(lambda: self._session.push(news))
            if switches.restricted_for_good:
                raise Permanent(reason, code=switches.restricted)
            after = max(0.0, switches.restricted_until - time.time()) if switches.restricted_until else None
            raise Retryable(reason, after=after, code=switches.restricted)
        if switches.fail_sends:
            switches.fail_sends -= 1
            self._world.devices.save(device)
            if switches.fail_for_good:
                raise Permanent("WhatsApp refused this message.", code="refused")
            raise Retryable("WhatsApp did not take this message.", code="not_taken")
