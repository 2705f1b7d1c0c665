"""Who is on this WhatsApp: numbers, their linked devices, and what waits for each device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.peer.binary_xml import JID, Node
from tests.peer.noise import Keys, new_keys

if TYPE_CHECKING:
    from tests.peer.connection import Connection


@dataclass(slots=True)
class Account:
    """A number and its phone. The faults are switched by tests (see ``control.py``)."""

    phone: str
    lid: str
    name: str
    ident: Keys = field(default_factory=new_keys)
    next_device: int = 1
    devices: dict[int, Device] = field(default_factory=dict)
    primary: Device | None = None
    """Device 0, the phone itself, once it can be written to."""
    hangs: bool = False
    refused_until: float = 0.0
    fail_next: dict[str, str] | None = None
    ban: dict[str, str] | None = None
    send_error: str | None = None
    passkey: bool = False
    """Whether devices are linked only after an answer of its passkey."""
    watchers: set[str] = field(default_factory=set)
    """The numbers that asked which devices it has; they are told when that changes."""
    relayed: set[str] = field(default_factory=set)
    """Ids of its messages that were passed on: a client that lost the connection before the answer sends a message again."""
    received: list[Node] = field(default_factory=list)
    """Messages and receipts that its devices sent."""

    @property
    def jid(self) -> JID:
        """The address with the phone number."""
        return JID(self.phone)

    @property
    def hidden(self) -> JID:
        """The address that hides it."""
        return JID(self.lid, "lid")

    def everywhere(self) -> list[Device]:
        """The linked devices and, when it can be written to, the phone."""
        return [*([self.primary] if self.primary else []), *self.devices.values()]


@dataclass(slots=True)
class Device:
    """A linked device: its public keys, and the stanzas it has not yet acknowledged."""

    acct: Account
    id: int
    reg: bytes
    identity: bytes
    skey: tuple[bytes, bytes, bytes]
    noise: bytes = b""
    prekeys: list[tuple[bytes, bytes]] = field(default_factory=list)
    conn: Connection | None = None
    logins: int = 0
    queue: dict[tuple[str, ...], Node] = field(default_factory=dict)

    @property
    def pn(self) -> JID:
        """Its address with the phone number."""
        return JID(self.acct.phone, "s.whatsapp.net", self.id)

    @property
    def lid(self) -> JID:
        """Its address that hides the number."""
        return JID(self.acct.lid, "lid", self.id)

    @property
    def online(self) -> Connection | None:
        """Its connection, while there is one."""
        return self.conn if self.conn is not None and not self.conn.closed else None
