"""What a message says, whatever kind of message it is (MSG-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from whatsapp_dashboard.domain.messages import Content, MessageType, Poll
from whatsapp_dashboard.engines.multidevice.host.convert import choices, media, notices
from whatsapp_dashboard.engines.multidevice.host.convert.book import Book
from whatsapp_dashboard.engines.multidevice.host.convert.cards import card_of
from whatsapp_dashboard.engines.multidevice.host.convert.context import with_context
from whatsapp_dashboard.engines.multidevice.host.convert.unwrap import Unwrapped, unwrap
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

MAX_OPTIONS = 64
MAX_CARDS = 64

_SERVICE = frozenset({"messageContextInfo", "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage"})
"""What travels beside a message."""

_SILENT = frozenset(
    {
        "albumMessage",  # only announces the pictures that follow
        "call",
        "chat",
        "conditionalRevealMessage",
        "encCommentMessage",
        "encEventResponseMessage",
        "encReactionMessage",
        "groupRootKeyShare",
        "keepInChatMessage",
        "messageHistoryBundle",
        "messageHistoryNotice",
        "pinInChatMessage",
        "pollAddOptionMessage",
        "pollUpdateMessage",
        "protocolMessage",
        "reactionMessage",
        "rootSecretDistributeMessage",
        "scheduledCallEditMessage",
        "secretEncryptedMessage",
        "splitPaymentUpdateMessage",
        "statusLinkPreviewMetadata",
        "statusNotificationMessage",
        "stickerSyncRmrMessage",
    }
)
"""What says nothing to people by itself, or changes an earlier message."""

_COPIES = frozenset(
    {
        e2e_pb.MessageAssociation.HD_IMAGE_DUAL_UPLOAD,
        e2e_pb.MessageAssociation.HD_VIDEO_DUAL_UPLOAD,
        e2e_pb.MessageAssociation.HEVC_VIDEO_DUAL_UPLOAD,
        e2e_pb.MessageAssociation.MOTION_PHOTO,
    }
)
"""A second version of a file that was sent already."""


def content_of(message: e2e_pb.Message, book: Book, *, view_once: bool = False) -> Content | None:
    """What ``message`` says. None when it says nothing to people.

    ``view_once`` tells that its view-once wrapper was taken off before.
    """
    inside = unwrap(message)
    fields = {field.name: part for field, part in inside.message.ListFields()}
    if _is_copy(message) or _is_copy(inside.message):
        return None
    for name, part in fields.items():
        if name in _MAKERS:
            content = _MAKERS[name](part)
            return with_context(content, part, book, quoted=_bare) if hasattr(part, "DESCRIPTOR") else content
    if fields.keys() & _SILENT:
        return None
    return _nothing_known(inside, fields, view_once=view_once)


def _bare(message: e2e_pb.Message) -> Content | None:
    """What ``message`` says, without what it refers to itself."""
    fields = {field.name: part for field, part in unwrap(message).message.ListFields()}
    return next((_MAKERS[name](part) for name, part in fields.items() if name in _MAKERS), None)


def _nothing_known(inside: Unwrapped, fields: dict[str, Any], *, view_once: bool) -> Content | None:
    if inside.view_once or view_once:
        return notices.notice(media.WITHHELD)
    if fields and fields.keys() <= _SERVICE and not len(UnknownFieldSet(inside.message)):
        return None
    return notices.notice(notices.UNKNOWN)


def _is_copy(message: e2e_pb.Message) -> bool:
    return message.messageContextInfo.messageAssociation.associationType in _COPIES


def _text(part: str) -> Content:
    return Content(MessageType.TEXT, part)


def _extended_text(part: e2e_pb.ExtendedTextMessage) -> Content:
    return Content(MessageType.TEXT, part.text or part.matchedText or part.title)


def _location(part: e2e_pb.LocationMessage) -> Content:
    return Content(MessageType.LOCATION, part.comment, location=choices.place_of(part))


def _live_location(part: e2e_pb.LiveLocationMessage) -> Content:
    return Content(MessageType.LOCATION, part.caption or "Live location", location=choices.place_of(part))


def _contact(part: e2e_pb.ContactMessage) -> Content:
    return Content(MessageType.CONTACT, contacts=(card_of(part),))


def _contacts(part: e2e_pb.ContactsArrayMessage) -> Content:
    if not part.contacts:
        return Content(MessageType.TEXT, part.displayName or "(No contact was shared.)")
    return Content(MessageType.CONTACT, contacts=tuple(card_of(one) for one in part.contacts[:MAX_CARDS]))


def _poll(part: e2e_pb.PollCreationMessage) -> Content:
    options = tuple(option.optionName for option in part.options[:MAX_OPTIONS])
    selectable = part.selectableOptionsCount if part.selectableOptionsCount <= len(options) else 0
    return Content(MessageType.POLL, part.name, poll=Poll(part.name, options, selectable))


def _comment(part: e2e_pb.CommentMessage) -> Content:
    said = unwrap(part.message).message
    return Content(MessageType.TEXT, said.conversation or said.extendedTextMessage.text or notices.UNKNOWN)


def _rich(part: e2e_pb.AIRichResponseMessage) -> Content:
    texts = [piece.messageText for piece in part.submessages if piece.messageText]
    return Content(MessageType.TEXT, "\n".join(texts)) if texts else notices.notice(notices.UNKNOWN)


def _answer(part: Any) -> Content:
    return Content(MessageType.TEXT, part.text) if part.text else notices.notice(notices.UNKNOWN)


_MAKERS: dict[str, Callable[[Any], Content]] = {
    "conversation": _text,
    "extendedTextMessage": _extended_text,
    "imageMessage": media.image,
    "videoMessage": media.video,
    "ptvMessage": media.video,
    "audioMessage": media.audio,
    "documentMessage": media.document,
    "stickerMessage": media.sticker,
    "locationMessage": _location,
    "liveLocationMessage": _live_location,
    "contactMessage": _contact,
    "contactsArrayMessage": _contacts,
    "pollCreationMessage": _poll,
    "pollCreationMessageV2": _poll,
    "pollCreationMessageV3": _poll,
    "pollCreationMessageV5": _poll,
    "pollCreationMessageV6": _poll,
    "pollResultSnapshotMessage": notices.poll_result,
    "pollResultSnapshotMessageV3": notices.poll_result,
    "buttonsMessage": choices.buttons,
    "buttonsResponseMessage": choices.buttons_response,
    "listMessage": choices.list_of,
    "listResponseMessage": choices.list_response,
    "templateMessage": choices.template,
    "templateButtonReplyMessage": choices.template_response,
    "highlyStructuredMessage": choices.structured,
    "interactiveMessage": choices.interactive,
    "interactiveResponseMessage": choices.interactive_response,
    "richResponseMessage": _rich,
    "commentMessage": _comment,
    "questionResponseMessage": _answer,
    "statusQuestionAnswerMessage": _answer,
    "eventMessage": notices.event,
    "eventInviteMessage": notices.event_invite,
    "groupInviteMessage": notices.group_invite,
    "newsletterAdminInviteMessage": notices.channel_invite,
    "newsletterFollowerInviteMessageV2": notices.channel_invite,
    "productMessage": notices.product,
    "orderMessage": notices.order,
    "invoiceMessage": notices.invoice,
    "sendPaymentMessage": notices.payment,
    "requestPaymentMessage": notices.payment,
    "declinePaymentRequestMessage": notices.payment,
    "cancelPaymentRequestMessage": notices.payment,
    "paymentInviteMessage": notices.payment,
    "paymentReminderMessage": notices.payment,
    "splitPaymentMessage": notices.payment,
    "callLogMesssage": notices.call_log,
    "bcallMessage": notices.broadcast_call,
    "scheduledCallCreationMessage": notices.scheduled_call,
    "stickerPackMessage": notices.sticker_pack,
    "requestPhoneNumberMessage": notices.phone_number_request,
    "placeholderMessage": notices.placeholder,
}
