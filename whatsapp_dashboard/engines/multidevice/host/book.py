"""What conversion looks up of one session: who is who, names of groups, options of polls."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow

from whatsapp_dashboard.engines.multidevice.host.convert.book import MessageSecret
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.journal import Journal
from whatsapp_dashboard.engines.multidevice.host.library import Client, LibraryError, packed
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb
from whatsapp_dashboard.errors import AppError

log = logging.getLogger(__name__)

GROUP_TIMER = 1_003
"""The kind of our own entries in the journal for timers of groups: JSON ``{chat, seconds, at}``."""
GROUP_SECONDS = 5.0
"""How long a group's messages wait for its name; it is asked for once."""
_REMEMBERED = 5_000


def jid_of(text: str) -> neonize_pb.JID:
    """``user@server`` as the library takes it."""
    user, _, server = text.partition("@")
    return neonize_pb.JID(User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not text)


class SessionBook:
    """Answers from the journal and the library's store. Called from worker threads."""

    def __init__(self, journal: Journal, threads: ThreadPoolExecutor) -> None:
        self._journal = journal
        self._threads = threads
        self._alts: OrderedDict[str, str] = OrderedDict()
        self.client: Client | None = None
        self.own_phone = journal.recall("phone") or ""
        self.own_lid = journal.recall("lid")

    def own(self, phone: str, lid: str | None) -> None:
        """Who the account is."""
        self.own_phone, self.own_lid = phone, lid
        self._journal.remember("phone", phone)
        self._journal.remember("lid", lid or "")

    def alt(self, jid: str) -> str | None:
        """The other address of a person: the LID of a phone number's JID, or the other way round."""
        if jid in self._alts:
            self._alts.move_to_end(jid)
            return self._alts[jid]
        known = self._ask_alt(jid)
        if known:
            self._alts[jid] = known
            if len(self._alts) > _REMEMBERED:
                self._alts.popitem(last=False)
        return known

    def _ask_alt(self, jid: str) -> str | None:
        name = "GetPNFromLID" if jid.endswith("@lid") else "GetLIDFromPN"
        if self.client is None:
            return None
        try:
            found = self.client.ask(name, neonize_pb.GetJIDFromStoreReturnFunction, *packed(jid_of(jid))).Jid
        except (LibraryError, AppError):
            return None
        return f"{found.User}@{found.Server}" if found.User else None

    def group_name(self, jid: str) -> str:
        """The subject of a group; empty when WhatsApp does not tell it in time."""
        known = self._journal.name(jid)
        if known is not None:
            return known
        if self.client is None:
            return ""
        asked = self._threads.submit(self._ask_group, self.client, jid)
        try:
            name = asked.result(GROUP_SECONDS)
        except (TooSlow, LibraryError, AppError):
            return ""
        self._journal.remember_name(jid, name)
        return name

    def group_is_called(self, jid: neonize_pb.JID, name: str) -> None:
        """WhatsApp told the name of a group."""
        if name:
            self._journal.remember_name(f"{jid.User}@{jid.Server}", name)

    def group_timer(self, group: neonize_pb.JID, timer: neonize_pb.GroupEphemeral, at: int) -> None:
        """The timer of a group was set or switched off ``at`` this time: journaled, and told like everything that happens in a chat."""
        seconds = timer.DisappearingTimer if timer.IsEphemeral else 0
        told = {"chat": f"{group.User}@{group.Server}", "seconds": seconds, "at": time_of(at).timestamp()}
        try:
            self._journal.append(GROUP_TIMER, json.dumps(told).encode(), offline=False)
        except sqlite3.Error:
            log.exception("the timer of a group could not be kept; its next message tells it again")

    @staticmethod
    def _ask_group(client: Client, jid: str) -> str:
        answer = client.ask("GetGroupInfo", neonize_pb.GetGroupInfoReturnFunction, *packed(jid_of(jid)))
        return answer.GroupInfo.GroupName.Name

    def poll(self, wa_id: str) -> tuple[str, ...] | None:
        """The options of a poll."""
        return self._journal.poll(wa_id)

    def secrets(self, wa_id: str) -> list[MessageSecret]:
        """The secrets of the messages with this id."""
        return [MessageSecret(sender, secret) for sender, secret in self._journal.secrets.of(wa_id)]
