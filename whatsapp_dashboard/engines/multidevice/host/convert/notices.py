"""What only the phone can do something with, as a sentence that says what it is (MSG-1)."""

from __future__ import annotations

from typing import Any

from whatsapp_dashboard.domain.messages import Content, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.envelope import time_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

UNKNOWN = "This message type is not supported yet; look at the phone."
_LOOK = "Look at it on the phone."


def notice(text: str) -> Content:
    """A message that cannot be shown here, and why."""
    return Content(MessageType.UNSUPPORTED, text)


def event(part: e2e_pb.EventMessage) -> Content:
    """An invitation to an event."""
    what = "Event cancelled" if part.isCanceled else "Event"
    when = f", {time_of(part.startTime):%Y-%m-%d %H:%M} UTC" if part.startTime > 0 else ""
    return notice(_said(f"{what}: {part.name}{when}.", part.description, part.location.name, part.joinLink, _LOOK))


def event_invite(part: e2e_pb.EventInviteMessage) -> Content:
    """An invitation to somebody else's event."""
    return notice(_said(f"Invitation to an event: {part.eventTitle}", part.caption, part.callLink, _LOOK))


def event_answer(part: e2e_pb.EventResponseMessage) -> Content:
    """Whether somebody comes to an event."""
    answers = {part.GOING: "Comes to the event", part.NOT_GOING: "Does not come to the event", part.MAYBE: "May come to the event"}
    guests = f", with {part.extraGuestCount} more" if part.extraGuestCount > 0 else ""
    return notice(f"{answers.get(part.response, 'Answered the invitation to an event')}{guests}.")


def group_invite(part: e2e_pb.GroupInviteMessage) -> Content:
    """An invitation into a group."""
    return notice(_said(f"Invitation to the group “{part.groupName}”.", part.caption, "It can be accepted on the phone."))


def channel_invite(part: Any) -> Content:
    """An invitation to administer or follow a channel."""
    return notice(_said(f"Invitation to the channel “{part.newsletterName}”.", part.caption, "It can be accepted on the phone."))


def product(part: e2e_pb.ProductMessage) -> Content:
    """A product of a catalogue."""
    item = part.product
    price = _money(item.priceAmount1000, item.currencyCode)
    title = item.title or part.catalog.title
    return Content(MessageType.TEXT, _said(f"Product: {title}{price}", part.body, item.description, item.URL, part.footer))


def order(part: e2e_pb.OrderMessage) -> Content:
    """An order from a catalogue."""
    count = f"{part.itemCount} item{'' if part.itemCount == 1 else 's'}" if part.itemCount > 0 else "some items"
    total = _money(part.totalAmount1000, part.totalCurrencyCode)
    return Content(MessageType.TEXT, _said(f"Order: {part.orderTitle or 'from the catalogue'}, {count}{total}", part.message))


def invoice(part: e2e_pb.InvoiceMessage) -> Content:
    """An invoice."""
    return notice(_said("An invoice.", part.note, _LOOK))


def payment(part: Any) -> Content:
    """Money sent, asked for or refused, and invitations to pay this way."""
    note = part.noteMessage if "noteMessage" in part.DESCRIPTOR.fields_by_name else e2e_pb.Message()
    return notice(_said("A payment message.", note.conversation or note.extendedTextMessage.text, _LOOK))


def call_log(part: e2e_pb.CallLogMessage) -> Content:
    """The trace a call leaves in the chat."""
    kind = "video call" if part.isVideo else "voice call"
    missed = part.callOutcome in (e2e_pb.CallLogMessage.MISSED, e2e_pb.CallLogMessage.SILENCED_UNKNOWN_CALLER)
    return notice(f"Missed {kind}." if missed else f"A {kind}.")


def broadcast_call(part: e2e_pb.BCallMessage) -> Content:
    """A call to many."""
    return notice(_said("A call.", part.caption, _LOOK))


def scheduled_call(part: e2e_pb.ScheduledCallCreationMessage) -> Content:
    """A call planned for later."""
    when = f" for {time_of(part.scheduledTimestampMS):%Y-%m-%d %H:%M} UTC" if part.scheduledTimestampMS > 0 else ""
    return notice(_said(f"A call was planned{when}.", part.title, _LOOK))


def sticker_pack(part: e2e_pb.StickerPackMessage) -> Content:
    """A set of stickers."""
    return notice(_said(f"Sticker pack “{part.name}” by {part.publisher or 'somebody'}.", part.caption, _LOOK))


def poll_result(part: e2e_pb.PollResultSnapshotMessage) -> Content:
    """The result of a poll, shared."""
    votes = [f"{vote.optionName}: {vote.optionVoteCount}" for vote in part.pollVotes]
    return Content(MessageType.TEXT, "\n".join([f"Poll result: {part.name}", *votes]))


def phone_number_request(part: e2e_pb.RequestPhoneNumberMessage) -> Content:
    """Somebody who knows only our hidden identity asks for the number."""
    return notice(f"Asks for your phone number. {_LOOK}")


def placeholder(part: e2e_pb.PlaceholderMessage) -> Content:
    """WhatsApp keeps the message from linked devices."""
    return notice("WhatsApp shows this message only on the phone.")


def _money(amount1000: int, currency: str) -> str:
    return f", {amount1000 / 1000:,.2f} {currency}".rstrip() if amount1000 > 0 else ""


def _said(*parts: str) -> str:
    return "\n".join(part.strip() for part in parts if part.strip())
