"""From an event of the log to the body that receivers get: what belongs to it is looked up once for a whole batch (HOOK-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whatsapp_dashboard.events.log import EventRecord
from whatsapp_dashboard.webhooks import message_payloads, payload_base, payloads
from whatsapp_dashboard.webhooks.payload_base import Data, milliseconds
from whatsapp_dashboard.webhooks.payloads import Envelope
from whatsapp_dashboard.webhooks.recent import RecentBodies
from whatsapp_dashboard.webhooks.surroundings import SHORT_HOST, Surroundings, arrived, short

DELETED = "account.deleted"
"""Told although the account is gone, and without anything of it but its id."""


class BodyBuilder:
    """Builds bodies. ``public_url`` is where people reach the dashboard: links to media begin with it. What was built and stored lately is
    in ``recent``."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self.recent = RecentBodies()

    def build(self, event: EventRecord, around: Surroundings) -> str | None:
        """The body of ``event`` as JSON, or None when its account is gone."""
        if event.account_id and event.account_id not in around.accounts and event.type != DELETED:
            return None
        name, phone = around.accounts.get(event.account_id or "", (None, None))
        data = _BUILDERS[event.type](self, event, around, phone)
        return Envelope(
            event=event.type,
            account_id=event.account_id,
            account_name=name,
            account_phone=phone,
            timestamp=event.data.get("timestamp") or milliseconds(event.at),
            data=data.model_dump(by_alias=True),
        ).model_dump_json()

    def _media(self, media: dict[str, Any] | None) -> payload_base.Media | None:
        if media is None:
            return None
        return payload_base.Media(url=f"{self._public_url}/api/media/{media['id']}", **media)

    def _incoming(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        data = event.data
        return message_payloads.IncomingMessage(
            message_id=data["message_id"],
            sender=data["from"],
            from_name=data["from_name"],
            to=data["to"] or _own(phone),
            body=data["body"],
            type=data["type"],
            is_group=data["is_group"],
            group_name=data["group_name"],
            has_media=data["has_media"],
            media=self._media(data["media"]),
            wa_id=data["wa_id"],
            conversation_id=event.conversation_id or "",
            author=data.get("author"),
            recovered=True if data["recovered"] else None,
            **around.said(arrived(event)),
        )

    def _sent(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        data, chat = event.data, around.chat_of(event)
        stored = around.message_of(event)
        media = stored.media
        return message_payloads.SentMessage(
            message_id=event.message_id or "",
            sender=_own(phone),
            to=data["to"],
            to_name=chat.contact_name,
            body=data["body"],
            type=data["type"],
            is_group=chat.is_group,
            group_name=chat.contact_name if chat.is_group else None,
            has_media=media is not None,
            media=self._media(media),
            origin=data["origin"],
            unconfirmed=data.get("unconfirmed", False),
            wa_id=data.get("wa_id") or stored.wa_id,
            conversation_id=event.conversation_id or "",
            **around.said(stored),
        )

    def _status(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        data = event.data
        return message_payloads.StatusChange(
            **_about(event, around),
            status=data["status"],
            old_status=data.get("old_status"),
            reason=data["reason"],
            flagged=data.get("flagged", False),
        )

    def _reaction(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return message_payloads.Reaction(**_about(event, around), sender=short(event.data["sender"]), emoji=event.data["emoji"])

    def _edit(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        data = event.data
        return message_payloads.Edit(
            **_about(event, around),
            body=data["body"],
            readable=data.get("readable", True),
            options=data.get("options"),
            at=milliseconds(data["at"]),
        )

    def _revoke(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return message_payloads.Revoke(**_about(event, around), at=milliseconds(event.data["at"]))

    def _vote(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return message_payloads.Vote(**_about(event, around), voter=short(event.data["voter"]), options=event.data["options"])

    def _call(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        chat = around.chat_of(event)
        caller = chat.contact or short(event.data["from"])
        return payloads.Call(caller=caller, from_name=chat.contact_name, video=event.data["video"], at=milliseconds(event.data["at"]))

    def _session_status(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        known = {name: event.data[name] for name in ("status", "old_status", "reason", "attempt")}
        return payloads.SessionStatus(**known, code=event.data.get("code", ""))

    def _session_qr(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return payloads.SessionQr(expires_at=milliseconds(event.data["expires_at"]), last=event.data["last"])

    def _restricted(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return payloads.SessionRestricted(reason=event.data["reason"], until=milliseconds(event.data["until"]))

    def _created(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return payloads.ConversationCreated(conversation_id=event.conversation_id or "", **around.chat_of(event).who)

    def _updated(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        chat = around.chat_of(event)
        return payloads.ConversationUpdated(
            conversation_id=event.conversation_id or "",
            **chat.who,
            status=chat.status,
            answered_by=chat.answered_by,
            bot_paused_until=chat.bot_paused_until,
            unread=chat.unread,
            disappear_seconds=chat.disappear_seconds,
            handover_reason=chat.handover_reason,
        )

    def _handed_over(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        who = around.chat_of(event).who
        return payloads.ConversationHandedOver(conversation_id=event.conversation_id or "", **who, reason=event.data["reason"])

    def _merged(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        chat = around.chat_of(event)
        return payloads.ConversationMerged(conversation_id=event.conversation_id or "", **chat.who, merged_id=event.data["merged_id"])

    def _deleted(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return payloads.AccountDeleted(by=event.data.get("by", ""))

    def _credits(self, event: EventRecord, around: Surroundings, phone: str | None) -> Data:
        return payloads.CreditsExhausted(**{name: event.data[name] for name in ("balance", "held", "price")})


_Builder = Callable[[BodyBuilder, EventRecord, Surroundings, str | None], Data]
_BUILDERS: dict[str, _Builder] = {
    "message": BodyBuilder._incoming,
    "message.sent": BodyBuilder._sent,
    "message.status": BodyBuilder._status,
    "message.reaction": BodyBuilder._reaction,
    "message.edited": BodyBuilder._edit,
    "message.revoked": BodyBuilder._revoke,
    "message.vote": BodyBuilder._vote,
    "call": BodyBuilder._call,
    "session.status": BodyBuilder._session_status,
    "session.qr": BodyBuilder._session_qr,
    "session.restricted": BodyBuilder._restricted,
    "conversation.created": BodyBuilder._created,
    "conversation.updated": BodyBuilder._updated,
    "conversation.handed_over": BodyBuilder._handed_over,
    "conversation.merged": BodyBuilder._merged,
    "account.deleted": BodyBuilder._deleted,
    "credits.exhausted": BodyBuilder._credits,
}


def _about(event: EventRecord, around: Surroundings) -> dict[str, Any]:
    stored = around.message_of(event)
    where = {"wa_id": stored.wa_id, "conversation_id": event.conversation_id or ""}
    return {"message_id": event.message_id or "", **where, "direction": stored.direction, **around.chat_of(event).who}


def _own(phone: str | None) -> str:
    return f"{phone}{SHORT_HOST}" if phone else ""
