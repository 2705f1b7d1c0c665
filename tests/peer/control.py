"""The peer's control: verbs with JSON arguments over HTTP on loopback, for tests and for people (see ``client.py``)."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.peer.accounts import Account
from tests.peer.binary_xml import JID, Node
from tests.peer.server import Server

log = logging.getLogger(__name__)

Verb = Callable[..., Awaitable[Any]]


class Control:
    """Listens on a port of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=1 << 28)
        app.router.add_post("/{verb}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        name = request.match_info["verb"]
        verb = self._server.phones.verbs().get(name) or (getattr(self, name) if name in VERBS else None)
        try:
            if verb is None:
                raise LookupError(f"there is no verb {name!r}")
            answer = await verb(**json.loads(await request.text() or "{}"))
        except Exception as error:
            log.exception("%s failed", name)
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=500)
        return web.json_response({"answer": answer})

    def _account(self, number: str) -> Account:
        if number not in self._server.accounts:
            raise LookupError(f"{number} is not on this WhatsApp")
        return self._server.accounts[number]

    # -- people and devices

    async def phone(self, number: str, name: str = "") -> dict[str, str]:
        """A number with its phone, made when there is none."""
        account = self._server.account(number, name)
        return {"phone": account.phone, "lid": account.lid, "name": account.name}

    async def scan(self, text: str, number: str, name: str = "") -> None:
        """The owner scans a QR code."""
        await self._server.pairing.scan(text, self._server.account(number, name))

    async def enter_code(self, code: str, number: str) -> None:
        """The owner types a pairing code."""
        await self._server.pairing.typed(code, self._server.account(number))

    async def devices(self, number: str) -> list[dict[str, Any]]:
        """The linked devices."""
        devices = self._account(number).devices.values()
        return [
            {"id": device.id, "online": device.online is not None, "logins": device.logins, "queued": len(device.queue)}
            for device in devices
        ]

    async def group(self, subject: str, numbers: list[str]) -> str:
        """A group; its JID."""
        name = f"120363{int.from_bytes(os.urandom(5), 'big'):012d}"
        self._server.groups[name] = {"subject": subject, "members": [self._server.account(number).lid for number in numbers]}
        return f"{name}@g.us"

    async def group_timer(self, group: str, number: str, seconds: int) -> None:
        """A member lets the messages of a group disappear after a time; 0: no longer."""
        name = group.split("@", maxsplit=1)[0]
        change = Node("ephemeral", {"expiration": str(seconds)}) if seconds else Node("not_ephemeral")
        for lid in self._server.groups[name]["members"]:
            for device in list(self._server.by_lid[lid].devices.values()):
                about = {"from": JID(name, "g.us"), "type": "w:gp2", "id": os.urandom(4).hex(), "t": int(time.time())}
                by = {"participant": self._account(number).hidden, "participant_pn": self._account(number).jid}
                await self._server.deliver(device, Node("notification", {**about, **by}, [change]))

    async def call(self, caller: str, callee: str, video: bool = False) -> None:
        """Somebody calls."""
        await self._server.relay.call(self._account(caller), self._account(callee), video=video)

    # -- what goes wrong

    async def log_out(self, number: str) -> None:
        """The owner removes all linked devices on the phone."""
        account = self._account(number)
        devices, account.devices = list(account.devices.values()), {}
        for device in devices:
            if device.online:
                await device.online.end(Node("stream:error", {"code": "401"}, [Node("conflict", {"type": "device_removed"})]))
            await self._server.relay.device_list("remove", device)

    async def replace(self, number: str) -> None:
        """Somebody else took the session over."""
        await self._end_all(number, Node("stream:error", {}, [Node("conflict", {"type": "replaced"})]))

    async def restart_required(self, number: str) -> None:
        """The server wants a new connection."""
        await self._end_all(number, Node("stream:error", {"code": "515"}))

    async def _end_all(self, number: str, farewell: Node) -> None:
        for device in self._account(number).devices.values():
            if device.online:
                await device.online.end(farewell)

    async def drop(self, number: str, refuse_seconds: float = 0) -> None:
        """Cut the line, and keep it cut for a while."""
        self._server.refuse(self._account(number), refuse_seconds)

    async def hang(self, number: str, on: bool = True) -> None:
        """Stay connected and say nothing."""
        self._account(number).hangs = on

    async def fail_next_login(self, number: str, **failure: str) -> None:
        """The next log-in fails with these attributes (``reason``, ``code``, ``expire``)."""
        self._account(number).fail_next = failure

    async def refuse_version(self, on: bool = True) -> None:
        """Every client is too old now; those who are connected are cut off."""
        self._server.faults.outdated = on
        if on:
            for connection in list(self._server.connections):
                connection.abort()

    async def ban(self, number: str, code: int = 101, expire_seconds: float | None = 3_600) -> None:
        """The number is banned for a while (None lifts it); its devices are cut off."""
        account = self._account(number)
        account.ban = None if expire_seconds is None else {"reason": "402", "code": str(code), "expire": str(round(expire_seconds))}
        if account.ban:
            self._server.refuse(account, 0)

    async def restrict_sends(self, number: str, code: str | None = "463") -> None:
        """The number may not send."""
        self._account(number).send_error = code

    async def ask_for_passkey(self, number: str, on: bool = True) -> None:
        """The number is linked only with its passkey, as the server asks of some since June 2026."""
        self._server.account(number).passkey = on

    async def faults(self, **switches: Any) -> None:
        """See :meth:`Faults.set`; what is not named is well again."""
        self._server.faults.set(**switches)

    async def forget(self) -> None:
        """A clean slate."""
        self._server.forget()

    # -- what happened

    async def stats(self) -> dict[str, Any]:
        """Messages relayed so far, and what waits for each number."""
        waiting = {
            number: sum(len(device.queue) for device in account.devices.values()) for number, account in self._server.accounts.items()
        }
        return {"messages": self._server.relay.messages, "waiting": waiting, "connections": len(self._server.connections)}

    async def received(self, number: str) -> list[dict[str, Any]]:
        """The messages and receipts that the number's devices sent."""
        return [
            {"tag": stanza.tag, **{name: str(value) for name, value in stanza.attrs.items()}} for stanza in self._account(number).received
        ]


VERBS = frozenset(
    name for name, member in vars(Control).items() if not name.startswith("_") and name not in ("start", "stop") and callable(member)
)
