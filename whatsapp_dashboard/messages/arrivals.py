"""One message of a conversation as it comes in: is it new, whose is it, and what rows and events does it make? No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from whatsapp_dashboard.domain.account_settings import AccountSettings
from whatsapp_dashboard.domain.engine_events import MessageReceived
from whatsapp_dashboard.domain.ids import ContactKind, new_id, new_id_at
from whatsapp_dashboard.domain.messages import Direction, MediaRef, MessageStatus, MessageType, Origin, status_advances
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.changes import status_data
from whatsapp_dashboard.messages.contact_entries import ContactEntry, ConversationEntry, set_timer, timer_data
from whatsapp_dashboard.messages.contacts import ContactBook
from whatsapp_dashboard.messages.content import body_of, payload_of, preview
from whatsapp_dashboard.messages.last_word import answered_on_phone, contact_wrote
from whatsapp_dashboard.messages.message_book import MessageBook, MessageEntry
from whatsapp_dashboard.messages.message_events import incoming_data, outgoing_data
from whatsapp_dashboard.messages.takeover import pause_after_writing, state_data

Told = tuple[str, ContactEntry, str | None, dict[str, Any]]
"""Event type, contact, message id, data."""

_ANSWERABLE = frozenset({ContactKind.PERSON.value, ContactKind.GROUP.value})
UNREADABLE = "It cannot be read here."
"""Why no bot answers a message whose content nobody here can see."""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """What the inbound path needs to know of an account."""

    id: str
    workspace_id: str
    phone: str | None
    settings: dict[str, Any]


class Arrivals:
    """Collects the rows that the messages of one batch make."""

    def __init__(self, contacts: ContactBook, messages: MessageBook, now: datetime) -> None:
        self._contacts = contacts
        self._messages = messages
        self._now = now
        self.rows: list[tuple[dict[str, Any], ContactEntry]] = []
        self.media: list[dict[str, Any]] = []
        self.filled: list[dict[str, Any]] = []
        """What messages say that could not be read when they came: their id and new columns, with ``_`` before each name."""
        self.waiting: list[tuple[str, ContactEntry]] = []
        self.unreadable: list[tuple[str, ContactEntry]] = []
        """Incoming messages nobody can answer, unless they are filled."""
        self.readable: list[tuple[str, ContactEntry]] = []
        """And those that can be answered now."""
        self.taken_over: list[ContactEntry] = []
        """To whom a person has just written from the linked phone."""
        self.out_of_order: list[ContactEntry] = []
        """Where only the stored messages tell who had the last word (MSG-14)."""
        self.fresh_wa_ids: set[tuple[str, str]] = set()
        self.history_counts: Counter[str] = Counter()

    def take(self, account: KnownAccount, event: MessageReceived, position: int, in_doubt: Mapping[str, tuple[str, str]]) -> Iterator[Told]:
        """Work in one message. A message stored before changes nothing and triggers nothing (MSG-3), except one that could not be
        read then and can be now: WhatsApp sends it again under its id. Raises :class:`Invalid` for one without an id."""
        if not event.wa_id:
            raise Invalid("The message has no id, so nobody could tell whether it was stored before.", code="no_wa_id")
        contact = self._contacts.resolve(account.id, event.chat)
        if not event.from_me or not event.chat.is_person:
            self._contacts.name(contact, push_name=event.sender_name if event.chat.is_person else event.chat_name)
        direction = Direction.OUTGOING if event.from_me else Direction.INCOMING
        known = [entry for entry in self._messages.by_wa_id(account.id, event.wa_id) if self._is(entry, direction, contact)]
        if known:
            if known[0].unconfirmed:
                yield from self._prove(contact, known[0], event)
            elif known[0].type == MessageType.UNSUPPORTED and event.content.type is not MessageType.UNSUPPORTED:
                yield from self._fill(account, contact, known[0], event)
            return
        if event.from_me and (sent := self._echo_of(contact, event, in_doubt)):
            yield from self._settle_by_echo(contact, sent, event)
            return
        row = self._row(account, contact, event, position)
        self.rows.append((row, contact))
        self.fresh_wa_ids.add((account.id, event.wa_id))
        conversation = self._contacts.open(contact, event.at)
        self._hear(conversation, contact, event)
        if event.timer and not event.history and set_timer(conversation, event.timer.seconds, event.timer.set_at or event.at):
            yield "conversation.updated", contact, None, timer_data(conversation)
        self._show(conversation, row, event, preview(row["type"], row["body"], row["payload"], _filename(event)))
        if event.history:
            self.history_counts[account.id] += 1
        elif event.from_me:
            yield from self._typed_on_phone(account, contact, conversation, row, event)
        else:
            yield from self._new_incoming(account, contact, conversation, row, event)

    def _hear(self, conversation: ConversationEntry, contact: ContactEntry, event: MessageReceived) -> None:
        """Who has the last word now. What was written before the account was linked waits for nobody."""
        if event.from_me:
            unclear = answered_on_phone(conversation, event.at)
        else:
            unclear = not event.history and contact_wrote(conversation, event.at, late=event.offline)
        if unclear:
            self.out_of_order.append(contact)

    def reply_row(self, message_id: str, account_id: str, conversation_id: str, *, skipped: str = "") -> dict[str, Any]:
        """The reply decision an incoming message waits for, or why it waits for none."""
        return {
            "message_id": message_id,
            "account_id": account_id,
            "conversation_id": conversation_id,
            "state": "skipped" if skipped else "pending",
            "reason": skipped,
            "settled_at": self._now if skipped else None,
        }

    def _is(self, entry: MessageEntry, direction: Direction, contact: ContactEntry) -> bool:
        return entry.direction == direction and self._contacts.by_id(entry.contact_id) is contact

    def _echo_of(self, contact: ContactEntry, event: MessageReceived, in_doubt: Mapping[str, tuple[str, str]]) -> MessageEntry | None:
        """The message of ours that WhatsApp shows us again before its send was settled: the oldest one in doubt that went to
        the same contact and says the same. Only such a one: everything else was typed on the phone."""
        said = (event.content.type.value, body_of(event.content))
        for message_id in sorted(in_doubt):
            entry = self._messages.by_id(message_id)
            if in_doubt[message_id] != said or entry is None or self._contacts.by_id(entry.contact_id) is not contact:
                continue
            if entry.wa_id is None or entry.unconfirmed:
                return entry
        return None

    def _settle_by_echo(self, contact: ContactEntry, entry: MessageEntry, event: MessageReceived) -> Iterator[Told]:
        self._messages.set_wa_id(entry, event.wa_id)
        entry.unconfirmed = False
        self.fresh_wa_ids.add((entry.account_id, event.wa_id))
        if status_advances(MessageStatus(entry.status), MessageStatus.SENT):
            old, entry.status, entry.status_reason = entry.status, MessageStatus.SENT.value, ""
            entry.sent_at, entry.not_before = event.at, None
            yield "message.status", contact, entry.id, status_data(entry, old)

    def _prove(self, contact: ContactEntry, entry: MessageEntry, event: MessageReceived) -> Iterator[Told]:
        """WhatsApp shows us a message that was in doubt: it has it, and there is no need to send it anew."""
        old, entry.unconfirmed = entry.status, False
        if entry.status in (MessageStatus.QUEUED, MessageStatus.FAILED, MessageStatus.SENT):
            entry.status, entry.status_reason = MessageStatus.SENT.value, ""
            entry.sent_at, entry.not_before = event.at, None
        self._messages.touch(entry)
        yield "message.status", contact, entry.id, status_data(entry, old)

    def _row(self, account: KnownAccount, contact: ContactEntry, event: MessageReceived, position: int) -> dict[str, Any]:
        message_id = new_id_at(event.at, position) if event.history else new_id()
        status = MessageStatus.SENT if event.from_me else MessageStatus.RECEIVED
        entry = MessageEntry(
            id=message_id,
            account_id=account.id,
            contact_id=contact.id,
            conversation_id="",
            direction=(Direction.OUTGOING if event.from_me else Direction.INCOMING).value,
            type=event.content.type.value,
            origin=Origin.PHONE.value if event.from_me else None,
            at=event.at,
            wa_id=event.wa_id,
            body=body_of(event.content),
            status=status.value,
            status_reason="",
            history=event.history,
            sender_address=_author(event),
            reactions={},
            votes={},
            edited_at=None,
            edit_unreadable=False,
            revoked_at=None,
            sent_at=event.at if event.from_me else None,
            delivered_at=None,
            read_at=None,
            flagged_at=None,
            unconfirmed=False,
            resends=0,
            attempts=0,
            not_before=None,
        )
        self._messages.add(entry)
        row = {name: getattr(entry, name) for name in MessageEntry.__slots__}
        fixed = {"operator_id": None, "in_reply_to": None, "idempotency_key": None, "created_at": self._now}
        return row | self._said(account, event) | fixed

    def _said(self, account: KnownAccount, event: MessageReceived) -> dict[str, Any]:
        """The columns of what is told with a message and never changes afterwards."""
        return {
            "payload": payload_of(event.content),
            "media_id": self._media(account, event),
            "quoted_wa_id": event.content.quoted_id,
            "sender_address": _author(event),
            "sender_name": event.sender_name[:255],
            "recovered": event.offline and not event.history,
        }

    def _fill(self, account: KnownAccount, contact: ContactEntry, entry: MessageEntry, event: MessageReceived) -> Iterator[Told]:
        """Put what the message says in the place kept for it; it is told like a new one, and answered unless it is too old (ACC-10)."""
        entry.type = event.content.type.value
        if entry.edited_at is None or entry.edit_unreadable:
            entry.body = body_of(event.content)
        self._messages.touch(entry)
        row = {"id": entry.id, "type": entry.type} | self._said(account, event)
        self.filled.append({f"_{name}": value for name, value in row.items()})
        self.out_of_order.append(contact)
        conversation = self._contacts.open(contact, event.at)
        if conversation.last_message_id == entry.id:
            conversation.last_message_preview = preview(entry.type, entry.body, row["payload"], _filename(event))
            conversation.last_message_type = entry.type
            self._contacts.touch(conversation)
        if event.history:
            self.history_counts[account.id] += 1
        elif event.from_me:
            yield "message.sent", contact, entry.id, _sent_on_phone(contact, event, entry.body)
        else:
            patience = timedelta(minutes=AccountSettings.model_validate(account.settings).answer_recovered_minutes)
            if contact.kind in _ANSWERABLE and self._now - entry.at <= patience:
                self.readable.append((entry.id, contact))
            yield "message", contact, entry.id, self._incoming(account, contact, row | {"body": entry.body}, event)

    def _media(self, account: KnownAccount, event: MessageReceived) -> str | None:
        ref = event.content.media
        if not isinstance(ref, MediaRef):
            return None
        row = {
            "id": new_id(),
            "account_id": account.id,
            "state": "pending",
            "reason": "",
            "sha256": None,
            "mimetype": ref.mimetype[:128],
            "size": ref.size,
            "filename": ref.filename[:255],
            "seconds": ref.seconds,
            "token": ref.token,
            "attempts": 0,
            "not_before": None,
            "created_at": self._now,
        }
        self.media.append(row)
        return str(row["id"])

    def _show(self, conversation: ConversationEntry, row: dict[str, Any], event: MessageReceived, line: str) -> None:
        """What the inbox list shows. History only shows when nothing newer is there."""
        self._contacts.touch(conversation)
        if not event.from_me and (conversation.last_inbound_at is None or event.at > conversation.last_inbound_at):
            conversation.last_inbound_at = event.at
        if event.history and event.at < conversation.last_message_at and conversation.last_message_id:
            return
        conversation.last_message_at = max(conversation.last_message_at, event.at)
        conversation.last_message_id = row["id"]
        conversation.last_message_preview = line
        conversation.last_message_direction = row["direction"]
        conversation.last_message_type = row["type"]

    def _typed_on_phone(
        self, account: KnownAccount, contact: ContactEntry, conversation: ConversationEntry, row: dict[str, Any], event: MessageReceived
    ) -> Iterator[Told]:
        """A person answered from the linked phone: bots are silent in this conversation (AI-8)."""
        conversation.unread = 0
        self.taken_over.append(contact)
        yield "message.sent", contact, row["id"], _sent_on_phone(contact, event, row["body"])
        if pause_after_writing(conversation, AccountSettings.model_validate(account.settings), event.at):
            yield "conversation.updated", contact, None, state_data(conversation)

    def _new_incoming(
        self, account: KnownAccount, contact: ContactEntry, conversation: ConversationEntry, row: dict[str, Any], event: MessageReceived
    ) -> Iterator[Told]:
        conversation.unread += 1
        if conversation.status == "closed":
            conversation.status, conversation.closed_at = "active", None
            yield "conversation.updated", contact, None, {"status": "active"}
        if contact.kind in _ANSWERABLE:
            (self.unreadable if event.content.type is MessageType.UNSUPPORTED else self.waiting).append((row["id"], contact))
        yield "message", contact, row["id"], self._incoming(account, contact, row, event)

    def _incoming(self, account: KnownAccount, contact: ContactEntry, row: dict[str, Any], event: MessageReceived) -> dict[str, Any]:
        media = event.content.media
        return incoming_data(
            message_id=row["id"],
            wa_id=event.wa_id,
            chat=contact.address,
            sender=event.sender,
            sender_name=row["sender_name"],
            chat_name=contact.name or contact.push_name,
            own_phone=account.phone,
            type=event.content.type,
            body=row["body"],
            payload=row["payload"],
            media_id=row["media_id"],
            media=media if isinstance(media, MediaRef) else None,
            at=event.at,
            recovered=row["recovered"],
            quoted_wa_id=row["quoted_wa_id"],
        )


def _author(event: MessageReceived) -> str:
    """Who wrote it, in a group."""
    return str(event.sender) if event.sender and not event.chat.is_person else ""


def _sent_on_phone(contact: ContactEntry, event: MessageReceived, body: str) -> dict[str, Any]:
    return outgoing_data(wa_id=event.wa_id, to=contact.address, type=event.content.type.value, body=body, origin=Origin.PHONE.value)


def _filename(event: MessageReceived) -> str:
    return event.content.media.filename if event.content.media else ""
