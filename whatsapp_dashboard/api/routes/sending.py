"""Sending messages of every kind (API-3, MSG-1)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import UploadFile

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.once import IdempotencyKey
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.domain.messages import Buttons, ContactCard, Content, Direction, Location, MediaFile, MessageType, Origin, Poll
from whatsapp_dashboard.domain.numbers import international
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.encoded import decode, is_data_uri
from whatsapp_dashboard.messages.media_types import choose_type, type_to_send

router = Router(prefix="/api/messages/send", tags=["messages"])


class _Target(Given):
    """Where a message goes: to a number of an account, or into a conversation."""

    model_config = ConfigDict(extra="forbid")

    account_id: Annotated[str, Field(max_length=64)]
    number: Annotated[str | None, Field(max_length=1_000, description="+34600111222, 34600111222@c.us, local; see docs/api.md")] = None
    conversation_id: Annotated[str | None, Field(max_length=64)] = None
    quoted_id: Annotated[str | None, Field(max_length=64, description="Our id of the message this one replies to")] = None


class TextMessage(_Target):
    """A text."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"account_id": "01a1…", "number": "+34600111222", "message": "Hello from the API"}]}
    )

    message: Annotated[str, Field(max_length=1_000_000)]
    from_inbox: Annotated[bool, Field(description="A person wrote it, not a program: the bot pauses")] = False


class MediaSource(Given):
    """A file: its bytes as base64, or the URL where it lies. Its type is found from the bytes; ``mimetype``, or the ending of its name,
    helps where they do not tell (text, archives). A document without a name, and a name without an ending, get the one of the type."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://example.org/menu.pdf"}, {"base64": "JVBERi0…", "filename": "menu.pdf"}]},
    )

    base64: Annotated[
        str | None,
        Field(
            description="The bytes of the file, or a `data:` URI with them. White space, both alphabets and missing padding are read. "
            "Either this or url"
        ),
    ] = None
    url: Annotated[
        str | None,
        Field(
            max_length=2_048,
            description="Where the file lies (http or https). It is fetched now, within 20 seconds and up to MEDIA_MAX_MB; redirects are "
            "not followed. An address on a private network is refused (code private_network) until an owner allows the host. A `data:` URI "
            "may stand here as well",
        ),
    ] = None
    mimetype: Annotated[str, Field(max_length=255)] = ""
    filename: Annotated[str, Field(max_length=1_000, description="Empty, and with url: the name the server gives, or the URL's end")] = ""

    @model_validator(mode="before")
    @classmethod
    def _data_uri_is_no_link(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(url := given.get("url"), str) and given.get("base64") is None and is_data_uri(url):
            return {**given, "base64": url, "url": None}
        return given


class MediaMessage(_Target):
    """A file with a caption, as JSON. The same fields with ``file`` may come as ``multipart/form-data``."""

    media: MediaSource
    caption: Annotated[str, Field(max_length=1_000_000)] = ""
    voice: bool = False


class _MediaForm(_Target):
    """A form has no null: an empty field is absent."""

    caption: Annotated[str, Field(max_length=1_000_000)] = ""
    voice: bool = False
    from_inbox: bool = False
    """Sent by a person in the inbox, which pauses the bot (AI-8), not by a program."""


class LocationMessage(_Target):
    """A point on the map; degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=255)] = ""
    address: Annotated[str, Field(max_length=1_000)] = ""


class ContactMessage(_Target):
    """A contact card."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    phones: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=10)]


class PollMessage(_Target):
    """A question with options; ``selectable`` 0 allows any number of answers."""

    question: Annotated[str, Field(max_length=10_000)]
    options: Annotated[list[Annotated[str, Field(max_length=10_000)]], Field(max_length=100)]
    selectable: Annotated[int, Field(ge=0, le=12)] = 1


class ButtonsMessage(_Target):
    """A text with choices; numbered text where the engine has no buttons."""

    message: Annotated[str, Field(max_length=1_000_000)]
    options: Annotated[list[Annotated[str, Field(max_length=10_000)]], Field(max_length=100)]


class MessageOut(BaseModel):
    """A message that was accepted: stored, and on its way."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    account_id: str
    conversation_id: str
    type: str
    status: str
    status_reason: str
    unconfirmed: Annotated[
        bool, Field(description="Sending was cut off, by a crash or a lost connection, and nothing has proved since that WhatsApp has it")
    ]
    created_at: datetime
    number: Annotated[str | None, Field(description="Where it goes: + and country code. Null for groups and hidden numbers")] = None
    number_other: Annotated[
        str | None,
        Field(description="Another number that the digits of the request could mean: write + and the country code to be sure"),
    ] = None


def _media_schema() -> dict[str, Any]:
    """The JSON form of :class:`MediaMessage` in one piece: the document knows only models that routes name."""
    schema = MediaMessage.model_json_schema()
    schema["properties"]["media"] = schema.pop("$defs")["MediaSource"]
    return schema


@router.post("", status_code=202)
async def send_text(given: TextMessage, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a text."""
    return await _send(services, who, given, Content(MessageType.TEXT, given.message), key)


@router.post(
    "/media",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _media_schema()},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["account_id", "file"],
                        "properties": {
                            **{name: {"type": "string"} for name in ("account_id", "number", "conversation_id", "quoted_id", "caption")},
                            "voice": {"type": "boolean"},
                            "from_inbox": {"type": "boolean", "description": "A person wrote it: the bot pauses (AI-8)"},
                            "file": {"type": "string", "format": "binary"},
                        },
                    }
                },
            },
        }
    },
)
async def send_media(request: Request, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a file: as JSON with base64 or a URL to fetch it from, or as a form with the file itself."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await request.form(max_files=1, max_fields=16)
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid("The form needs a file in its field “file”.", code="file_missing", field="file")
        target: _MediaForm | MediaMessage = _parse(_MediaForm, {name: value or None for name, value in form.items() if name != "file"})
        media = MediaFile(await file.read(), file.content_type or "", file.filename or "")
    else:
        target = given = _parse(MediaMessage, await _json(request))
        if given.media.url is not None:
            earlier = await services.media_links.sent_before(who, given.account_id, key, given.caption, given.voice)
            if earlier:
                return message_out(earlier, await services.messages.goes_to(who, earlier))
        media = await _file(services, who, given.media)
    kind = MessageType.VOICE if target.voice else choose_type(type_to_send(media.data, media.filename, media.mimetype))
    return await _send(services, who, target, Content(kind, target.caption, media=media), key)


@router.post("/location", status_code=202)
async def send_location(given: LocationMessage, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a location."""
    place = Location(given.latitude, given.longitude, given.name, given.address)
    return await _send(services, who, given, Content(MessageType.LOCATION, location=place), key)


@router.post("/contact", status_code=202)
async def send_contact(given: ContactMessage, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a contact card."""
    card = ContactCard(given.name, tuple(given.phones))
    return await _send(services, who, given, Content(MessageType.CONTACT, contacts=(card,)), key)


@router.post("/poll", status_code=202)
async def send_poll(given: PollMessage, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a poll."""
    poll = Poll(given.question, tuple(given.options), given.selectable)
    return await _send(services, who, given, Content(MessageType.POLL, given.question, poll=poll), key)


@router.post("/buttons", status_code=202)
async def send_buttons(given: ButtonsMessage, who: Who, services: Services, key: IdempotencyKey = None) -> MessageOut:
    """Send a text with choices."""
    return await _send(services, who, given, Content(MessageType.BUTTONS, given.message, buttons=Buttons(tuple(given.options))), key)


async def _file(services: Services, who: Who, source: MediaSource) -> MediaFile:
    if (source.base64 is None) == (source.url is None):
        raise Invalid("Say either base64 or url.", code="media_source", field="media")
    if source.url is not None:
        return await services.media_links.fetch(who, source.url, mimetype=source.mimetype, filename=source.filename)
    found = await asyncio.to_thread(decode, source.base64 or "")
    return MediaFile(found.data, source.mimetype or found.mimetype, source.filename or found.filename)


async def _send(services: Services, who: Who, target: _Target, content: Content, key: str | None) -> MessageOut:
    if target.quoted_id is not None:
        quoted = await services.message_log.get(who, target.quoted_id)
        content = replace(content, quoted_id=quoted.wa_id or None, quoted_from_me=quoted.row.direction == Direction.OUTGOING)
    accepted = await services.messages.accept(
        who,
        target.account_id,
        content,
        number=target.number,
        conversation_id=target.conversation_id,
        idempotency_key=key,
        origin=Origin.OPERATOR if getattr(target, "from_inbox", False) else Origin.API,
    )
    return message_out(accepted.message, accepted.number, accepted.other)


def message_out(message: object, number: str | None, other: str | None = None) -> MessageOut:
    """A stored message as the answer to whoever sent it, with the number it goes to and what else was possible (digits)."""
    out = MessageOut.model_validate(message)
    out.number, out.number_other = international(number), international(other)
    return out


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise Invalid("The body is neither JSON nor a form.", code="bad_body") from None


_Model = TypeVar("_Model", bound=BaseModel)


def _parse(model: type[_Model], values: Any) -> _Model:
    """Validate a body that FastAPI did not, with the same error document."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in error.errors()]) from None
