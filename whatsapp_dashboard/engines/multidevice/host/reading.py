"""From an entry of the journal to what the dashboard is told (ENG-1, ACC-8, ACC-10)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from whatsapp_dashboard.domain.engine_events import (
    ContactSeen,
    ConversationEvent,
    MessageEdited,
    MessageReceived,
    PollChanged,
    TimerChanged,
)
from whatsapp_dashboard.domain.ids import parse_jid
from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.multidevice.host.book import GROUP_TIMER, SessionBook
from whatsapp_dashboard.engines.multidevice.host.convert.calls import call_event
from whatsapp_dashboard.engines.multidevice.host.convert.history import history_events
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of, vote_event
from whatsapp_dashboard.engines.multidevice.host.convert.message_secrets import Found, history_secrets, secret_of
from whatsapp_dashboard.engines.multidevice.host.convert.receipts import receipt_events
from whatsapp_dashboard.engines.multidevice.host.convert.sealed_changes import is_closed
from whatsapp_dashboard.engines.multidevice.host.convert.undecryptable import waiting_event
from whatsapp_dashboard.engines.multidevice.host.feed import Read
from whatsapp_dashboard.engines.multidevice.host.journal import Entry, Journal
from whatsapp_dashboard.engines.multidevice.host.library import EventCode, LibraryError, packed
from whatsapp_dashboard.engines.multidevice.host.protos import neonize_pb
from whatsapp_dashboard.engines.raw import event_to_raw
from whatsapp_dashboard.errors import AppError

log = logging.getLogger(__name__)

CONTACT_NAMES = 1_001
"""Our own entries in the journal: names from the account's address book, as JSON ``[[jid, name], ...]``."""
LOST = 1_002
"""And messages that a crash lost, as JSON ``{wa_id, chat, sender, at}``."""
LOST_TEXT = "A message arrived here while the engine was being restarted after a crash and could not be kept. Look at it on the phone."
UNREADABLE_TEXT = "This message could not be read. Look at it on the phone."


class Reader:
    """Reads entries of one session. Called from worker threads, one entry after the other."""

    def __init__(self, journal: Journal, book: SessionBook) -> None:
        self._journal = journal
        self._book = book
        self._missed = 0

    def read(self, entry: Entry) -> Read:
        """What the dashboard is told of ``entry``. Never raises: what cannot be read is told as such."""
        wa_ids: list[str] = []
        try:
            if entry.code == EventCode.OFFLINE_SYNC_COMPLETED:
                count, self._missed = self._missed, 0
                return Read([{"t": "caught_up", "count": count}], [])
            events = list(self._events(entry, wa_ids))
        except Exception:
            log.exception("an event could not be read (kind %s)", entry.code)
            events = self._unreadable(entry)
        frames: list[dict[str, Any]] = []
        for event in events:
            if isinstance(event, MessageReceived):
                self._missed += entry.offline and not event.history
                if event.content.poll:
                    self._journal.remember_poll(event.wa_id, event.content.poll.options)
            elif isinstance(event, PollChanged):
                self._journal.remember_poll(event.target_wa_id, event.options)
            frames.append({"t": "event", "offline": entry.offline, "e": event_to_raw(event)})
        return Read(frames, wa_ids)

    def _events(self, entry: Entry, wa_ids: list[str]) -> Iterable[ConversationEvent]:
        match entry.code:
            case EventCode.MESSAGE:
                message = neonize_pb.Message.FromString(entry.body)
                wa_ids.append(message.Info.ID)
                if message.Message.HasField("pollUpdateMessage"):
                    return self._vote(message)
                return self._message(message, entry.body)
            case EventCode.RECEIPT:
                return receipt_events(neonize_pb.Receipt.FromString(entry.body), self._book)
            case EventCode.UNDECRYPTABLE:
                waiting = waiting_event(neonize_pb.UndecryptableMessage.FromString(entry.body), self._book)
                return [waiting] if waiting else []
            case EventCode.HISTORY_SYNC:
                sync = neonize_pb.HistorySync.FromString(entry.body).Data
                events = list(history_events(sync, self._book))
                wa_ids += [event.wa_id for event in events if isinstance(event, MessageReceived)]
                return events + self._learned(list(history_secrets(sync, self._book)))
            case EventCode.CALL_OFFER:
                return call_event(neonize_pb.CallOffer.FromString(entry.body), self._book)
            case EventCode.CALL_OFFER_NOTICE:
                return call_event(neonize_pb.CallOfferNotice.FromString(entry.body), self._book)
            case _ if entry.code == CONTACT_NAMES:
                return [ContactSeen(parse_jid(jid, alt=self._book.alt(jid)), name=name) for jid, name in json.loads(entry.body)]
            case _ if entry.code == GROUP_TIMER:
                told = json.loads(entry.body)
                return [TimerChanged(parse_jid(told["chat"]), told["seconds"], datetime.fromtimestamp(told["at"], UTC))]
            case _ if entry.code == LOST:
                return [self._lost(json.loads(entry.body), wa_ids)]
        return []

    def _message(self, message: neonize_pb.Message, body: bytes) -> list[ConversationEvent]:
        """What it means; and what came before it, sealed with the secret that it brings."""
        events = events_of(message, self._book)
        if events and is_closed(events[0]):
            assert isinstance(events[0], MessageEdited)
            self._journal.secrets.keep_sealed(events[0].target_wa_id, body)
        found = secret_of(message)
        return events + self._learned([found]) if found else events

    def _learned(self, secrets: list[Found]) -> list[ConversationEvent]:
        """Keep these, and read what came sealed with them before."""
        kept = self._journal.secrets
        kept.remember(secrets)
        waiting = kept.sealed_targets() & {wa_id for wa_id, _, _ in secrets}
        earlier = [body for wa_id in waiting for body in kept.sealed_for(wa_id)]
        opened = [event for body in earlier for event in events_of(neonize_pb.Message.FromString(body), self._book)]
        return [event for event in opened if not is_closed(event)]

    def _vote(self, message: neonize_pb.Message) -> list[ConversationEvent]:
        if self._book.client is None:
            return []
        try:
            answer = self._book.client.ask("DecryptPollVote", neonize_pb.ReturnFunctionWithError, *packed(message))
        except (LibraryError, AppError) as error:
            log.warning("a vote could not be opened: %s", error)
            return []
        event = vote_event(message, list(answer.PollVoteMessage.selectedOptions), self._book)
        return [event] if event else []

    def _lost(self, told: dict[str, Any], wa_ids: list[str]) -> MessageReceived:
        wa_ids.append(told["wa_id"])
        chat = parse_jid(told["chat"], alt=self._book.alt(told["chat"]))
        sender = chat if chat.is_person else parse_jid(told["sender"], alt=self._book.alt(told["sender"]))
        name = "" if chat.is_person else self._book.group_name(str(chat))
        content = Content(MessageType.UNSUPPORTED, LOST_TEXT)
        return MessageReceived(told["wa_id"], chat, content, datetime.fromtimestamp(told["at"], UTC), sender=sender, chat_name=name)

    def _unreadable(self, entry: Entry) -> list[ConversationEvent]:
        """A message whose conversion failed is still a message: it is shown, with a sentence in place of what it says."""
        if entry.code != EventCode.MESSAGE:
            return []
        try:
            message = neonize_pb.Message.FromString(entry.body)
            message.Message.Clear()
            return [
                replace(event, content=Content(MessageType.UNSUPPORTED, UNREADABLE_TEXT))
                for event in events_of(message, self._book)
                if isinstance(event, MessageReceived)
            ]
        except Exception:
            log.exception("not even its sender could be read")
            return []


def lost_entry(wa_id: str, chat: str, sender: str) -> bytes:
    """The journal's entry for a message that was lost."""
    return json.dumps({"wa_id": wa_id, "chat": chat, "sender": sender, "at": time.time()}).encode()
