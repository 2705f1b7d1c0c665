"""Messages of businesses, and what only the phone can handle (MSG-1)."""

from __future__ import annotations

import json

import pytest

from tests.multidevice.convert.build import OWN_PHONE, Notes, event, said
from whatsapp_dashboard.domain.ids import Address
from whatsapp_dashboard.domain.messages import Content, Location, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

QUOTE = e2e_pb.ContextInfo(stanzaID="Q1", participant="34600000001@s.whatsapp.net")
PHOTO = e2e_pb.ImageMessage(directPath="/x?y", mimetype="image/jpeg")


def text_of(message: e2e_pb.Message) -> str:
    content = said(message)
    assert content.type is MessageType.TEXT
    return content.text


def test_buttons_are_read_as_a_numbered_list() -> None:
    """MSG-1: as ours are sent where there are none."""
    button = e2e_pb.ButtonsMessage.Button
    names = [button(buttonID=name, buttonText=button.ButtonText(displayText=name)) for name in ("Yes", "No")]
    part = e2e_pb.ButtonsMessage(text="Order 7", contentText="Is it right?", footerText="Carla's Shop", buttons=names)
    assert text_of(e2e_pb.Message(buttonsMessage=part)) == "Order 7\n\nIs it right?\n\nCarla's Shop\n\n1. Yes\n2. No"


def test_buttons_under_a_picture_are_its_caption() -> None:
    """MSG-1."""
    content = said(e2e_pb.Message(buttonsMessage=e2e_pb.ButtonsMessage(imageMessage=PHOTO, contentText="Look")))
    assert (content.type, content.text, content.media is not None) == (MessageType.IMAGE, "Look", True)


def test_a_list_has_all_rows_of_all_sections() -> None:
    """MSG-1."""
    kind = e2e_pb.ListMessage
    rows = [kind.Row(title="Small", description="1 kg"), kind.Row(title="Large")]
    part = kind(title="Sizes", description="Choose", sections=[kind.Section(title="A", rows=rows)])
    assert text_of(e2e_pb.Message(listMessage=part)) == "Sizes\n\nChoose\n\n1. Small: 1 kg\n2. Large"


def test_a_template_shows_where_its_buttons_lead() -> None:
    """MSG-1: in both places phones look for it."""
    kind = e2e_pb.HydratedTemplateButton
    row = e2e_pb.TemplateMessage.HydratedFourRowTemplate(
        hydratedTitleText="Sale",
        hydratedContentText="Today",
        hydratedButtons=[
            kind(urlButton=kind.HydratedURLButton(displayText="Shop", URL="https://example.org")),
            kind(callButton=kind.HydratedCallButton(displayText="Call", phoneNumber="+34600111222")),
            kind(quickReplyButton=kind.HydratedQuickReplyButton(displayText="Stop")),
        ],
    )
    expected = "Sale\n\nToday\n\n1. Shop (https://example.org)\n2. Call (+34600111222)\n3. Stop"
    for part in (e2e_pb.TemplateMessage(hydratedFourRowTemplate=row), e2e_pb.TemplateMessage(hydratedTemplate=row)):
        assert text_of(e2e_pb.Message(templateMessage=part)) == expected
    structured = e2e_pb.HighlyStructuredMessage(hydratedHsm=e2e_pb.TemplateMessage(hydratedTemplate=row))
    assert text_of(e2e_pb.Message(highlyStructuredMessage=structured)) == expected


def test_a_template_whose_words_only_the_phone_has_shows_what_it_was_given() -> None:
    """MSG-1."""
    words = e2e_pb.HighlyStructuredMessage(elementName="order_ready", params=["7", "Monday"])
    button = e2e_pb.TemplateButton(quickReplyButton=e2e_pb.TemplateButton.QuickReplyButton(displayText=words))
    rows = e2e_pb.TemplateMessage.FourRowTemplate(highlyStructuredMessage=words, content=words, buttons=[button])
    shown = text_of(e2e_pb.Message(templateMessage=e2e_pb.TemplateMessage(fourRowTemplate=rows)))
    assert shown == "order ready 7 Monday\n\norder ready 7 Monday\n\n1. order ready 7 Monday"


def test_native_buttons_and_cards_are_read() -> None:
    """MSG-1: broken parameters leave the button's kind."""
    kind = e2e_pb.InteractiveMessage
    flow = kind.NativeFlowMessage
    buttons = [
        flow.NativeFlowButton(name="quick_reply", buttonParamsJSON=json.dumps({"display_text": "Yes", "id": "y"})),
        flow.NativeFlowButton(name="cta_url", buttonParamsJSON=json.dumps({"display_text": "Shop", "url": "https://example.org"})),
        flow.NativeFlowButton(name="single_select", buttonParamsJSON="{broken"),
    ]
    part = kind(header=kind.Header(title="Hi"), body=kind.Body(text="Choose"), nativeFlowMessage=flow(buttons=buttons))
    expected = "Hi\n\nChoose\n\n1. Yes\n2. Shop (https://example.org)\n3. single select"
    assert text_of(e2e_pb.Message(interactiveMessage=part)) == expected
    template = e2e_pb.TemplateMessage(interactiveMessageTemplate=part)
    assert text_of(e2e_pb.Message(templateMessage=template)) == expected
    cards = kind(body=kind.Body(text="Our week"), carouselMessage=kind.CarouselMessage(cards=[part, part]))
    assert text_of(e2e_pb.Message(interactiveMessage=cards)).count("1. Yes") == 2


def test_a_header_with_a_picture_or_a_place_is_shown() -> None:
    """MSG-1."""
    kind = e2e_pb.InteractiveMessage
    picture = kind(header=kind.Header(imageMessage=PHOTO), body=kind.Body(text="Look"))
    assert said(e2e_pb.Message(interactiveMessage=picture)).type is MessageType.IMAGE
    place = e2e_pb.LocationMessage(degreesLatitude=40.4, degreesLongitude=-3.7)
    here = kind(header=kind.Header(locationMessage=place), body=kind.Body(text="Here"))
    assert said(e2e_pb.Message(interactiveMessage=here)).location == Location(40.4, -3.7)


RESPONSES = [
    e2e_pb.Message(
        buttonsResponseMessage=e2e_pb.ButtonsResponseMessage(selectedDisplayText="Yes", selectedButtonID="y", contextInfo=QUOTE)
    ),
    e2e_pb.Message(templateButtonReplyMessage=e2e_pb.TemplateButtonReplyMessage(selectedDisplayText="Yes", contextInfo=QUOTE)),
    e2e_pb.Message(listResponseMessage=e2e_pb.ListResponseMessage(title="Yes", contextInfo=QUOTE)),
    e2e_pb.Message(
        interactiveResponseMessage=e2e_pb.InteractiveResponseMessage(
            body=e2e_pb.InteractiveResponseMessage.Body(text="Yes"), contextInfo=QUOTE
        )
    ),
    e2e_pb.Message(
        interactiveResponseMessage=e2e_pb.InteractiveResponseMessage(
            nativeFlowResponseMessage=e2e_pb.InteractiveResponseMessage.NativeFlowResponseMessage(name="x", paramsJSON='{"id": "Yes"}'),
            contextInfo=QUOTE,
        )
    ),
]


@pytest.mark.parametrize("message", RESPONSES)
def test_a_choice_is_a_text_that_quotes_what_was_asked(message: e2e_pb.Message) -> None:
    """MSG-1: bots understand it as if it had been typed."""
    quote = {"quoted_id": "Q1", "quoted_from_me": True, "quoted_sender": Address(phone=OWN_PHONE)}
    assert said(message) == Content(MessageType.TEXT, "Yes", **quote)  # type: ignore[arg-type]


def test_a_choice_without_a_text_is_told_all_the_same() -> None:
    """MSG-1."""
    assert text_of(e2e_pb.Message(buttonsResponseMessage=e2e_pb.ButtonsResponseMessage(selectedButtonID="b1"))) == "b1"
    assert text_of(e2e_pb.Message(listResponseMessage=e2e_pb.ListResponseMessage())) == "(An option was chosen.)"


def test_a_product_and_an_order_are_told_with_their_price() -> None:
    """MSG-1."""
    item = e2e_pb.ProductMessage.ProductSnapshot(title="Bread", priceAmount1000=2_500, currencyCode="EUR", URL="https://example.org")
    assert text_of(e2e_pb.Message(productMessage=e2e_pb.ProductMessage(product=item))) == "Product: Bread, 2.50 EUR\nhttps://example.org"
    part = e2e_pb.OrderMessage(orderTitle="Breakfast", itemCount=1, totalAmount1000=7_000, totalCurrencyCode="EUR", message="Soon?")
    assert text_of(e2e_pb.Message(orderMessage=part)) == "Order: Breakfast, 1 item, 7.00 EUR\nSoon?"


def test_a_shared_poll_result_is_read() -> None:
    """MSG-1."""
    kind = e2e_pb.PollResultSnapshotMessage
    part = kind(name="When?", pollVotes=[kind.PollVote(optionName="Today", optionVoteCount=3)])
    assert text_of(e2e_pb.Message(pollResultSnapshotMessage=part)) == "Poll result: When?\nToday: 3"


def test_an_answer_of_an_assistant_and_a_comment_are_texts() -> None:
    """MSG-1."""
    rich = e2e_pb.Message()
    rich.richResponseMessage.submessages.add().messageText = "Hello"
    assert text_of(rich) == "Hello"
    comment = e2e_pb.CommentMessage(message=e2e_pb.Message(conversation="Nice"))
    assert text_of(e2e_pb.Message(commentMessage=comment)) == "Nice"
    assert text_of(e2e_pb.Message(questionResponseMessage=e2e_pb.QuestionResponseMessage(text="Blue"))) == "Blue"


NOTICES = {
    "eventMessage": (e2e_pb.EventMessage(name="Market", startTime=1_790_000_000), "Event: Market, 2026-09-21 14:13 UTC."),
    "eventInviteMessage": (e2e_pb.EventInviteMessage(eventTitle="Market"), "Invitation to an event: Market"),
    "groupInviteMessage": (e2e_pb.GroupInviteMessage(groupName="Shop"), "Invitation to the group “Shop”."),
    "newsletterAdminInviteMessage": (e2e_pb.NewsletterAdminInviteMessage(newsletterName="News"), "Invitation to the channel “News”."),
    "newsletterFollowerInviteMessageV2": (e2e_pb.NewsletterFollowerInviteMessage(newsletterName="N"), "Invitation to the channel “N”."),
    "invoiceMessage": (e2e_pb.InvoiceMessage(note="May"), "An invoice.\nMay"),
    "sendPaymentMessage": (e2e_pb.SendPaymentMessage(noteMessage=e2e_pb.Message(conversation="Rent")), "A payment message.\nRent"),
    "declinePaymentRequestMessage": (e2e_pb.DeclinePaymentRequestMessage(), "A payment message."),
    "callLogMesssage": (e2e_pb.CallLogMessage(isVideo=True, callOutcome=e2e_pb.CallLogMessage.MISSED), "Missed video call."),
    "bcallMessage": (e2e_pb.BCallMessage(caption="Team"), "A call.\nTeam"),
    "scheduledCallCreationMessage": (
        e2e_pb.ScheduledCallCreationMessage(scheduledTimestampMS=1_790_000_000_000, title="Plans"),
        "A call was planned for 2026-09-21 14:13 UTC.\nPlans",
    ),
    "stickerPackMessage": (e2e_pb.StickerPackMessage(name="Cats", publisher="Dev"), "Sticker pack “Cats” by Dev."),
    "requestPhoneNumberMessage": (e2e_pb.RequestPhoneNumberMessage(), "Asks for your phone number."),
    "placeholderMessage": (e2e_pb.PlaceholderMessage(), "WhatsApp shows this message only on the phone."),
    "musicMessage": (e2e_pb.MusicMessage(), "This message type is not supported yet; look at the phone."),
}


@pytest.mark.parametrize("field", NOTICES)
def test_what_only_the_phone_can_handle_is_said_in_a_sentence(field: str) -> None:
    """MSG-1: never an empty bubble, never an exception."""
    part, expected = NOTICES[field]
    message = e2e_pb.Message()
    getattr(message, field).SetInParent()
    getattr(message, field).CopyFrom(part)
    content = said(message)
    assert content.type is MessageType.UNSUPPORTED
    assert content.text.startswith(expected)


def test_every_field_of_a_message_has_an_answer() -> None:
    """MSG-1: an empty part of any kind is a message, a change or silence, but no exception."""
    for field in e2e_pb.Message.DESCRIPTOR.fields:
        message = e2e_pb.Message()
        if field.message_type is None:
            message.conversation = ""
        else:
            getattr(message, field.name).SetInParent()
        assert len(events_of(event(message), Notes())) <= 1
