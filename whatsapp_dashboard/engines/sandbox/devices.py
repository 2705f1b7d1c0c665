"""The linked devices of a world: whose they are, what state they are in, and the switches that make their lives hard."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from whatsapp_dashboard.engines.sandbox.store import Row, Store
from whatsapp_dashboard.errors import Invalid, NotFound

MAX_SWITCH = 600_000
"""Largest count, or delay in milliseconds, a switch takes."""


@dataclass(slots=True)
class Switches:
    """What goes wrong on purpose, per device."""

    offline: bool = False
    """Connections are refused."""
    hang: bool = False
    """Connections are accepted and never answered."""
    slow_ms: int = 0
    """Everything the world says comes this much later."""
    duplicates: bool = False
    """Every event is delivered twice."""
    disorder: bool = False
    """Receipts come before the answer to the send, or long after, newest first."""
    outdated: bool = False
    """The world refuses this version of the client."""
    restricted: str = ""
    """Sends are refused with this code (463 is WhatsApp's reach-out time lock)."""
    restricted_until: float | None = None
    restricted_for_good: bool = False
    """Whether a refused send says never (True) or later (False)."""
    fail_sends: int = 0
    """So many of the next sends fail."""
    fail_for_good: bool = False

    def change(self, name: str, value: Any) -> None:
        """Set one switch. Raises :class:`Invalid` for an unknown one or a wrong kind of value."""
        kinds = {item.name: item.type for item in fields(self)}
        if name not in kinds:
            raise Invalid(f"There is no switch “{name[:40]}”.", code="no_switch")
        wanted: tuple[type, ...] = {"bool": (bool,), "int": (int,), "str": (str,)}.get(str(kinds[name]), (int, float, type(None)))
        number_ok = not isinstance(value, int) or isinstance(value, bool) or name == "restricted_until" or 0 <= value <= MAX_SWITCH
        if not isinstance(value, wanted) or not number_ok or (kinds[name] == "int" and isinstance(value, bool)):
            raise Invalid(f"The switch “{name}” cannot be set to {str(value)[:40]!r}.", code="bad_switch")
        setattr(self, name, value)


@dataclass(slots=True)
class Device:
    """One link between an owner's phone and an account; the token is the account's credential."""

    id: int
    token: str
    phone: str
    label: str
    state: str
    """``linked``, ``logged_out`` or ``banned``."""
    until: float | None
    linked_at: float
    switches: Switches = field(default_factory=Switches)


class Devices:
    """All devices, kept in memory as they are in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all = {row["id"]: _device(row) for row in store.all("SELECT * FROM device ORDER BY id")}

    def link(self, phone: str, label: str) -> Device:
        """A new device of ``phone`` for the account ``label``; its earlier links of the same account are gone with it."""
        for old in self._all.values():
            if old.label == label and old.phone == phone and old.state == "linked":
                self.end(old)
        cursor = self._store.run(
            "INSERT INTO device (token, phone, label, linked_at) VALUES (?, ?, ?, ?)", secrets.token_hex(24), phone, label, time.time()
        )
        device = _device(self._store.one("SELECT * FROM device WHERE id = ?", cursor.lastrowid))
        self._all[device.id] = device
        return device

    def end(self, device: Device, state: str = "logged_out", until: float | None = None) -> None:
        """Log a device out (what waited for it is dropped) or ban it."""
        device.state, device.until = state, until
        self.save(device)
        if state == "logged_out":
            self._store.run("DELETE FROM queue WHERE device = ?", device.id)

    def save(self, device: Device) -> None:
        """Keep a device's state and switches."""
        self._store.run(
            "UPDATE device SET state = ?, until = ?, switches = ? WHERE id = ?",
            device.state,
            device.until,
            json.dumps(asdict(device.switches)),
            device.id,
        )

    def by_token(self, token: str) -> Device | None:
        """The device with this credential."""
        return next((device for device in self._all.values() if device.token == token), None)

    def get(self, device_id: int) -> Device:
        """The device with this number."""
        return self._all[device_id]

    def of_phone(self, phone: str) -> list[Device]:
        """The devices that get what happens on ``phone``; banned ones keep their queue for when the ban ends."""
        return [device for device in self._all.values() if device.phone == phone and device.state != "logged_out"]

    def ever_of(self, phone: str) -> list[Device]:
        """The devices a phone has or had."""
        return [device for device in self._all.values() if device.phone == phone]

    def find(self, account: str | None) -> Device:
        """The device of an account: by its label, its phone number, or, without ``account``, the only one there is.

        Raises :class:`NotFound` or, when it is not clear which, :class:`Invalid`.
        """
        alive = [device for device in self._all.values() if device.state != "logged_out"]
        if account is not None:
            alive = [device for device in alive if account in (device.label, device.phone)]
            if not alive:
                raise NotFound("No phone of this world is linked to that account.", code="not_linked")
            return alive[-1]
        if not alive:
            raise NotFound("No phone of this world is linked to an account yet.", code="not_linked")
        if len({device.phone for device in alive}) > 1:
            raise Invalid("Several phones are linked; say which account is meant.", code="which_account")
        return alive[-1]

    def reload(self) -> None:
        """Read all anew, after work on the store was undone; who holds a device sees it change."""
        stored = {row["id"]: _device(row) for row in self._store.all("SELECT * FROM device ORDER BY id")}
        for device_id, device in self._all.items():
            if device_id in stored:
                for item in fields(Device):
                    setattr(device, item.name, getattr(stored[device_id], item.name))
        self._all = {device_id: self._all.get(device_id, device) for device_id, device in stored.items()}


def _device(row: Row) -> Device:
    return Device(
        row["id"],
        row["token"],
        row["phone"],
        row["label"],
        row["state"],
        row["until"],
        row["linked_at"],
        Switches(**json.loads(row["switches"])),
    )
