"""The peer: a CONNECT proxy that leads every name to a TLS server on loopback, with WhatsApp's websocket and media store in it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import logging
import ssl
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.peer.accounts import Account, Device
from tests.peer.binary_xml import JID, Node
from tests.peer.connection import Connection
from tests.peer.faults import Faults
from tests.peer.noise import Identity
from tests.peer.pairing import Pairing
from tests.peer.phones import Phones
from tests.peer.queries import Queries
from tests.peer.relay import Relay

log = logging.getLogger(__name__)

NAMES = ("web.whatsapp.com", "*.whatsapp.net", "mmg.whatsapp.net", "*.cdn.whatsapp.net", "localhost")
ACKNOWLEDGED = ("message", "receipt", "notification", "call")
"""The stanzas a client acknowledges; they wait in its queue until then."""
_CHUNK = 1 << 16


class Server:
    """Accounts, groups, media and who is connected."""

    def __init__(self) -> None:
        self.identity = Identity()
        self.faults = Faults()
        self.connections: set[Connection] = set()
        self.forget()
        self.pairing = Pairing(self)
        self.relay = Relay(self)
        self._queries = Queries(self)

    def forget(self) -> None:
        """A clean slate: no accounts, groups, media or faults. Whoever is connected is cut off."""
        self.accounts: dict[str, Account] = {}
        self.by_lid: dict[str, Account] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.media: dict[str, bytes] = {}
        self.faults.reset()
        self.phones = Phones(self)
        for connection in list(self.connections):
            connection.abort()

    # -- life

    async def start(self, folder: Path) -> None:
        """Listen; ``folder`` gets the certificate authority's file."""
        app = web.Application(client_max_size=1 << 28)
        app.router.add_get("/ws/chat", self._websocket)
        app.router.add_post("/{kind:mms|newsletter|m}/{rest:.+}", self._upload)
        app.router.add_get("/m/{token:.+}", self._download)
        app.router.add_delete("/{kind:mms|m}/{rest:.+}", self._delete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        self.ca = folder / "ca.pem"
        listener = await asyncio.get_running_loop().run_in_executor(None, _tls, folder)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=listener).start()
        self.port: int = self._runner.addresses[0][1]
        self._proxy = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.proxy_port: int = self._proxy.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut everybody off."""
        self._proxy.close()
        for connection in list(self.connections):
            connection.abort()
        await self._runner.cleanup()

    # -- people

    def account(self, number: str, name: str = "") -> Account:
        """The account of a number (digits), made when there is none."""
        if number not in self.accounts:
            account = Account(number, str(10**14 + len(self.accounts) + 1), name or number)
            self.accounts[number] = self.by_lid[account.lid] = account
            self.phones.of(account)
        elif name:
            self.accounts[number].name = name
        return self.accounts[number]

    def acct_of(self, address: JID) -> Account | None:
        """Whose address it is."""
        return self.by_lid.get(address.user) if address.server == "lid" else self.accounts.get(address.user)

    # -- stanzas

    async def handle(self, connection: Connection, stanza: Node) -> None:
        """A client says something."""
        if stanza.tag == "iq":
            await self._queries.take(connection, stanza)
        elif connection.device is None:
            return
        elif stanza.tag == "message":
            await self.relay.message(connection, stanza)
        elif stanza.tag == "receipt":
            await self.relay.receipt(connection, stanza)
        elif stanza.tag == "chatstate":
            await self.relay.typing(connection, stanza)
        elif stanza.tag == "ack" and "error" not in stanza.attrs:
            kind = stanza.attrs.get("type") if stanza.attrs.get("class") == "receipt" else None
            connection.device.queue.pop(_queue_key(stanza.attrs.get("class", ""), stanza.attrs["id"], kind), None)

    async def deliver(self, device: Device, stanza: Node) -> None:
        """Hand a stanza to a device; it stays in the queue until it is acknowledged."""
        if stanza.tag in ACKNOWLEDGED:
            kind = stanza.attrs.get("type") if stanza.tag == "receipt" else None
            device.queue[_queue_key(stanza.tag, stanza.attrs["id"], kind)] = stanza
        connection = device.online
        if connection is None:
            return
        delay = self.faults.delay
        if self.faults.happens(self.faults.reorder):
            delay += 0.05
        times = 2 if self.faults.happens(self.faults.duplicate) else 1
        for _ in range(times):
            if delay:
                asyncio.get_running_loop().call_later(delay, lambda: asyncio.ensure_future(connection.send(stanza)))
            else:
                await connection.send(stanza)

    # -- HTTP

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        await self.faults.maybe_hang("websocket")
        # What goes through is encrypted already: to compress it costs time and saves nothing.
        socket = web.WebSocketResponse(max_msg_size=1 << 24, timeout=0.5, compress=False)
        await socket.prepare(request)
        connection = Connection(self, socket, request)
        self.connections.add(connection)
        try:
            await connection.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a connection failed")
        finally:
            self.connections.discard(connection)
            self.pairing.withdraw(connection)
            if connection.device and connection.device.conn is connection:
                connection.device.conn = None
        return socket

    async def _upload(self, request: web.Request) -> web.Response:
        body = await request.read()
        token = hashlib.sha256(body).hexdigest()
        self.media[token] = body
        path = f"/m/{token}?ccb=1"
        return web.json_response({"url": f"https://mmg.whatsapp.net{path}", "direct_path": path, "handle": "h", "object_id": "o"})

    async def _download(self, request: web.Request) -> web.Response:
        body = self.media.get(request.match_info["token"])
        return web.Response(status=404) if body is None else web.Response(body=body)

    async def _delete(self, request: web.Request) -> web.Response:
        """Clients clear away history they have read. It is kept: other companions of the test may still want it."""
        return web.json_response({"status": 200})

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The proxy: whatever name is asked for, it is us."""
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self.faults.maybe_hang("proxy")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.drain()
            await self.faults.maybe_hang("tls")
            there = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        except (OSError, asyncio.IncompleteReadError):
            log.debug("a client of the proxy was gone")
        finally:
            writer.close()

    # -- faults of one account

    def refuse(self, account: Account, seconds: float) -> None:
        """Cut its devices off and let none in for so long."""
        account.refused_until = time.monotonic() + seconds
        for device in account.devices.values():
            if device.online:
                device.online.abort()


def _queue_key(tag: str, wa_id: str, kind: str | None) -> tuple[str, ...]:
    return (tag, wa_id, kind) if kind else (tag, wa_id)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


def _tls(folder: Path) -> ssl.SSLContext:
    """A server certificate from an authority made for this run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Protocol peer for tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in NAMES]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context
