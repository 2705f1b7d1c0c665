"""Messages of businesses with buttons, lists and forms, and the answers to them, as text people can read (MSG-1)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from whatsapp_dashboard.domain.messages import Content, Location, MessageType
from whatsapp_dashboard.engines.multidevice.host.convert import media
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

_MAX_PARAMS = 100_000
_MAX_CARDS = 20


def buttons(part: e2e_pb.ButtonsMessage) -> Content:
    """A text with up to three buttons."""
    header = part.text if part.WhichOneof("header") == "text" else ""
    text = _lines(header, part.contentText, part.footerText, options=[button.buttonText.displayText for button in part.buttons])
    return _under(text, part)


def list_of(part: e2e_pb.ListMessage) -> Content:
    """A text with a list to choose from, in sections."""
    options = [f"{row.title}: {row.description}" if row.description else row.title for section in part.sections for row in section.rows]
    return Content(MessageType.TEXT, _lines(part.title, part.description, part.footerText, options=options))


def template(part: e2e_pb.TemplateMessage) -> Content:
    """A message of a business made from an approved template."""
    shape = part.WhichOneof("format")
    if shape == "interactiveMessageTemplate":
        return interactive(part.interactiveMessageTemplate)
    if shape == "fourRowTemplate":
        rows = part.fourRowTemplate
        names = [_structured(getattr(button, button.WhichOneof("button") or "quickReplyButton").displayText) for button in rows.buttons]
        title = _structured(rows.highlyStructuredMessage) if rows.WhichOneof("title") == "highlyStructuredMessage" else ""
        return _under(_lines(title, _structured(rows.content), _structured(rows.footer), options=names), rows)
    hydrated = part.hydratedFourRowTemplate if shape else part.hydratedTemplate
    title = hydrated.hydratedTitleText if hydrated.WhichOneof("title") == "hydratedTitleText" else ""
    options = [_hydrated_button(button) for button in hydrated.hydratedButtons]
    return _under(_lines(title, hydrated.hydratedContentText, hydrated.hydratedFooterText, options=options), hydrated)


def interactive(part: e2e_pb.InteractiveMessage) -> Content:
    """A message with native buttons, a form, or cards side by side."""
    texts = [part.header.title, part.header.subtitle, part.body.text, part.footer.text]
    options = [_native_button(button.name, button.buttonParamsJSON) for button in part.nativeFlowMessage.buttons]
    cards = [interactive(card).text for card in part.carouselMessage.cards[:_MAX_CARDS] if not card.HasField("carouselMessage")]
    return _under(_lines(*texts, *cards, options=options), part.header)


def structured(part: e2e_pb.HighlyStructuredMessage) -> Content:
    """A message of the oldest kind of template."""
    return template(part.hydratedHsm) if part.HasField("hydratedHsm") else Content(MessageType.TEXT, _structured(part))


def buttons_response(part: e2e_pb.ButtonsResponseMessage) -> Content:
    """Somebody pressed a button."""
    return _chosen(part.selectedDisplayText, part.selectedButtonID)


def template_response(part: e2e_pb.TemplateButtonReplyMessage) -> Content:
    """Somebody pressed a quick reply of a template."""
    return _chosen(part.selectedDisplayText, part.selectedID)


def list_response(part: e2e_pb.ListResponseMessage) -> Content:
    """Somebody chose a row of a list."""
    return _chosen(part.title, part.description, part.singleSelectReply.selectedRowID)


def interactive_response(part: e2e_pb.InteractiveResponseMessage) -> Content:
    """Somebody pressed a native button or filled in a form."""
    native = part.nativeFlowResponseMessage
    given = _params(native.paramsJSON)
    return _chosen(part.body.text, *(_text(given.get(name)) for name in ("display_text", "title", "id")), native.name)


def _chosen(*candidates: str) -> Content:
    text = next((text.strip() for text in candidates if text.strip()), "")
    return Content(MessageType.TEXT, text or "(An option was chosen.)")


def _lines(*texts: str, options: Iterable[str] = ()) -> str:
    """Texts under each other and the options numbered below, as our own buttons are sent where they do not exist."""
    said = [text.strip() for text in texts if text.strip()]
    numbered = [f"{number}. {name}" for number, name in enumerate((one.strip() for one in options if one.strip()), 1)]
    return "\n\n".join([*said, "\n".join(numbered)]).strip()


def _under(text: str, part: Any) -> Content:
    """``text`` as the caption of the file or place that ``part`` has in its head, or by itself."""
    for name, make in (("imageMessage", media.image), ("videoMessage", media.video), ("documentMessage", media.document)):
        if name in part.DESCRIPTOR.fields_by_name and part.HasField(name):
            found = make(getattr(part, name))
            if found.media is not None:
                return replace(found, text=text)
    if "locationMessage" in part.DESCRIPTOR.fields_by_name and part.HasField("locationMessage"):
        return Content(MessageType.LOCATION, text, location=place_of(part.locationMessage))
    return Content(MessageType.TEXT, text or "(An empty message of a business.)")


def place_of(part: e2e_pb.LocationMessage | e2e_pb.LiveLocationMessage) -> Location:
    """A point on the map; zero for numbers that are none."""
    latitude = part.degreesLatitude if -90 <= part.degreesLatitude <= 90 else 0.0
    longitude = part.degreesLongitude if -180 <= part.degreesLongitude <= 180 else 0.0
    if isinstance(part, e2e_pb.LiveLocationMessage):
        return Location(latitude, longitude)
    return Location(latitude, longitude, name=part.name, address=part.address)


def _hydrated_button(button: e2e_pb.HydratedTemplateButton) -> str:
    if button.HasField("urlButton"):
        return f"{button.urlButton.displayText} ({button.urlButton.URL})"
    if button.HasField("callButton"):
        return f"{button.callButton.displayText} ({button.callButton.phoneNumber})"
    return button.quickReplyButton.displayText


def _structured(part: e2e_pb.HighlyStructuredMessage) -> str:
    """The words of a template whose text only the phone's app has."""
    return " ".join([part.elementName.replace("_", " "), *part.params]).strip()


def _native_button(name: str, params: str) -> str:
    given = _params(params)
    label = _text(given.get("display_text")) or _text(given.get("title")) or name.replace("_", " ")
    link = _text(given.get("url")) or _text(given.get("phone_number"))
    return f"{label} ({link})" if link else label


def _params(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if 0 < len(text) <= _MAX_PARAMS else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
