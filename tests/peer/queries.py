"""What clients ask the server (``iq`` stanzas)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import JID, SERVER, Node

if TYPE_CHECKING:
    from tests.peer.connection import Connection
    from tests.peer.server import Server

Answer = list[Node] | None


class Queries:
    """Answers by the namespace of the question; what is not known gets an empty answer, as it does no harm."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._by_namespace: dict[str, Callable[[Connection, Node], Awaitable[Answer]]] = {
            "encrypt": self._encrypt,
            "usync": self._usync,
            "md": self._linking,
            "w:g2": self._groups,
            "w:m": self._media,
            "w:sync:app:state": self._app_state,
        }

    async def take(self, connection: Connection, stanza: Node) -> None:
        """Answer a question, or take note of an answer."""
        kind = stanza.attrs["type"]
        if kind == "result" and stanza.child("pair-device-sign"):
            await self._server.pairing.signed(connection)
        if kind not in ("get", "set"):
            return
        about = {"from": stanza.attrs.get("to", SERVER), "id": stanza.attrs["id"]}
        try:
            ask = self._by_namespace.get(stanza.attrs.get("xmlns", ""))
            content = await ask(connection, stanza) if ask else None
        except LookupError as error:
            text = {"code": "404", "text": str(error) or "item-not-found"}
            await connection.send(Node("iq", {**about, "type": "error"}, [Node("error", text)]))
            return
        await connection.send(Node("iq", {**about, "type": "result"}, content))

    # -- keys

    async def _encrypt(self, connection: Connection, stanza: Node) -> Answer:
        device = connection.device
        assert device is not None
        asked = stanza.children()[0] if stanza.children() else Node("")
        if asked.tag == "count":
            return [Node("count", {"value": str(len(device.prekeys))})]
        if asked.tag == "key":
            return [Node("list", {}, [self._bundle(user.attrs["jid"]) for user in asked.children("user")])]
        if asked.tag == "identity":
            return [Node("list", {}, [self._bundle(user.attrs["jid"]) for user in asked.children("user")])]
        if asked.tag == "digest":
            return [self._digest(device)]
        if stanza.attrs["type"] == "set" and (listed := stanza.child("list")):
            device.reg, device.identity = stanza.data("registration"), stanza.data("identity")
            device.prekeys += [(key.data("id"), key.data("value")) for key in listed.children()]
        if stanza.attrs["type"] == "set" and (skey := stanza.child("skey") or stanza.child("rotate", "skey")):
            device.skey = (skey.data("id"), skey.data("value"), skey.data("signature"))
        return None

    def _bundle(self, address: JID) -> Node:
        account = self._server.acct_of(address)
        device = None
        if account is not None:
            device = account.devices.get(address.device) if address.device else account.primary
        if device is None:
            return Node("user", {"jid": address}, [Node("error", {"code": "404", "text": "item-not-found"})])
        parts = [Node("registration", {}, device.reg), Node("type", {}, b"\x05"), Node("identity", {}, device.identity)]
        if device.prekeys:
            number, key = device.prekeys.pop(0)
            parts.append(Node("key", {}, [Node("id", {}, number), Node("value", {}, key)]))
        return Node("user", {"jid": address}, [*parts, self._signed_key(device)])

    @staticmethod
    def _signed_key(device: Device) -> Node:
        number, key, signature = device.skey
        return Node("skey", {}, [Node("id", {}, number), Node("value", {}, key), Node("signature", {}, signature)])

    def _digest(self, device: Device) -> Node:
        """Which keys the server has of a device; a client that gets no answer sends new ones."""
        numbers = [Node("id", {}, number) for number, _ in device.prekeys]
        parts = [Node("registration", {}, device.reg), Node("type", {}, b"\x05"), Node("identity", {}, device.identity)]
        return Node("digest", {}, [*parts, self._signed_key(device), Node("list", {}, numbers)])

    # -- people

    async def _usync(self, connection: Connection, stanza: Node) -> Answer:
        (usync,) = stanza.children("usync")
        query, users = usync.child("query"), usync.child("list")
        assert query is not None
        asker = connection.device.acct.phone if connection.device else None
        found = [self._user(query, user, asker) for user in (users.children("user") if users else [])]
        return [
            Node(
                "usync",
                {"sid": usync.attrs.get("sid"), "index": "0", "last": "true", "mode": usync.attrs.get("mode")},
                [Node("list", {}, found)],
            )
        ]

    def _user(self, query: Node, user: Node, asker: str | None) -> Node:
        address = user.attrs.get("jid")
        typed = b""
        if address is None:
            typed = user.data("contact")
            address = self._registered(typed.decode().lstrip("+").split("@")[0])
        account = self._server.acct_of(address)
        about: dict[str, Any] = {"jid": address}
        if account and asker and query.child("devices"):
            account.watchers.add(asker)
        contact = query.child("contact")
        if account and contact and contact.attrs.get("addressing_mode") == "lid":
            about = {"jid": account.hidden, "pn_jid": account.jid}
        parts = [part for wanted in query.children() if (part := self._about(wanted.tag, account, typed))]
        return Node("user", about, parts)

    def _registered(self, number: str) -> JID:
        """A typed number as its owner has it: in Mexico with or without a 1 behind 52, as WhatsApp finds it in either."""
        ways = [number, "521" + number[2:] if len(number) == 12 else "52" + number[3:]] if number.startswith("52") else [number]
        return JID(next((way for way in ways if self._server.accounts.get(way)), number))

    @staticmethod
    def _about(what: str, account: Account | None, typed: bytes) -> Node | None:
        if what == "contact":
            return Node("contact", {"type": "in" if account else "out"}, typed)
        if what == "devices":
            devices = account.everywhere() if account else []
            listed = [Node("device", {"id": str(device.id), "key-index": str(device.id) if device.id else None}) for device in devices]
            return Node("devices", {}, [Node("device-list", {}, listed)])
        if account is None:
            return None
        if what == "lid":
            return Node("lid", {"val": account.hidden})
        return Node("status", {}, b"Hey there") if what == "status" else None

    # -- the rest

    async def _linking(self, connection: Connection, stanza: Node) -> Answer:
        if (asked := stanza.child("link_code_companion_reg")) is not None:
            return await self._server.pairing.by_code(connection, asked)
        if stanza.child("remove-companion-device") and connection.device:
            connection.device.acct.devices.pop(connection.device.id, None)
            await self._server.relay.device_list("remove", connection.device)
        return None

    async def _groups(self, connection: Connection, stanza: Node) -> Answer:
        to: JID = stanza.attrs["to"]
        device = connection.device
        assert device is not None
        if stanza.attrs["type"] == "get" and to.server == "g.us" and to.user:
            if to.user not in self._server.groups:
                raise LookupError("item-not-found")
            return [self._group(to.user)]
        if stanza.child("participating"):
            mine = [self._group(name) for name, group in self._server.groups.items() if device.acct.lid in group["members"]]
            return [Node("groups", {}, mine)]
        return None

    def _group(self, name: str) -> Node:
        group = self._server.groups[name]
        owner = JID(group["members"][0], "lid")
        members = [
            Node(
                "participant",
                {"jid": JID(lid, "lid"), "phone_number": self._server.by_lid[lid].jid, "type": "admin" if lid == owner.user else None},
            )
            for lid in group["members"]
        ]
        about = {"id": name, "creation": 1, "creator": owner, "subject": group["subject"], "s_t": 1, "s_o": owner, "addressing_mode": "lid"}
        return Node("group", about, members)

    async def _media(self, _connection: Connection, _stanza: Node) -> Answer:
        host = Node("host", {"hostname": "mmg.whatsapp.net"})
        return [Node("media_conn", {"auth": "a", "ttl": "300", "auth_ttl": "300", "max_buckets": "12"}, [host])]

    async def _app_state(self, connection: Connection, stanza: Node) -> Answer:
        assert connection.device is not None
        return [await self._server.phones.sync(connection.device, stanza)]
