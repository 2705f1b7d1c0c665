"""Names that the phone shares: the account's own and its address book's. The library keeps them and does not tell when they
arrive, so they are looked for (MSG-7)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from itertools import chain, repeat

from whatsapp_dashboard.engines.multidevice.host.journal import Journal
from whatsapp_dashboard.engines.multidevice.host.library import Client, LibraryError
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb
from whatsapp_dashboard.engines.multidevice.host.reading import CONTACT_NAMES
from whatsapp_dashboard.errors import AppError

log = logging.getLogger(__name__)

OWN_NAME_SECONDS = 3.0
"""How long a fresh link waits for the account's own name, which the phone tells a moment later."""
_PAUSES = (10.0, 60.0)
_LATER = 3_600.0
_PEOPLE = ("s.whatsapp.net", "lid")


def pauses() -> Iterator[float]:
    """How long to wait before each look, in seconds."""
    return chain(_PAUSES, repeat(_LATER))


def own(client: Client, *, patient: bool) -> neonize_pb.Device:
    """Who the account is; when ``patient`` its name gets a moment to arrive. Blocks. Raises what the library raises."""
    deadline = time.monotonic() + (OWN_NAME_SECONDS if patient else 0)
    while True:
        me = client.ask("GetMe", neonize_pb.Device)
        if me.PushName or time.monotonic() >= deadline:
            return me
        time.sleep(0.1)


def look(client: Client, journal: Journal) -> neonize_pb.Device | None:
    """Write what is new in the address book into the journal; who the account is now. Blocks."""
    try:
        me = own(client, patient=False)
        contacts = client.ask("GetAllContacts", neonize_pb.ContactsGetAllContactsReturnFunction).Contact
    except (LibraryError, AppError) as error:
        log.warning("the address book could not be read: %s", error)
        return None
    news = []
    for contact in contacts:
        name = contact.Info.FullName or contact.Info.FirstName
        jid = f"{contact.JID.User}@{contact.JID.Server}"
        if name and contact.JID.Server in _PEOPLE and journal.remember_name(f"contact:{jid}", name):
            news.append((jid, name))
    if news:
        journal.append(CONTACT_NAMES, json.dumps(news).encode(), offline=False)
    return me
