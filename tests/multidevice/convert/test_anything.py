"""Whatever WhatsApp sends, conversion answers (ENG-2)."""

from __future__ import annotations

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.multidevice.convert.build import Notes, event, info, source
from whatsapp_dashboard.domain.engine_events import ConversationEvent
from whatsapp_dashboard.engines.multidevice.host.convert.content import content_of
from whatsapp_dashboard.engines.multidevice.host.convert.incoming import events_of, vote_event
from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb
from whatsapp_dashboard.engines.raw import event_from_raw, event_to_raw

CHATS = [
    "34600111222@s.whatsapp.net",
    "111222333444555@lid",
    "1@g.us",
    "1@newsletter",
    "status@broadcast",
    "7@broadcast",
    "9@bot",
    "x@y",
    "",
]
TEXTS = [
    "",
    "Hello",
    "{",
    '{"id": 3}',
    "[" * 5_000,
    "\x00",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "a@lid",
    "1:2@lid",
]
NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: [0, 1, -1, 2**31 - 1, -(2**31)],
    FieldDescriptor.CPPTYPE_UINT32: [0, 1, 2**32 - 1],
    FieldDescriptor.CPPTYPE_INT64: [0, 1, -1, 2**63 - 1, -(2**63)],
    FieldDescriptor.CPPTYPE_UINT64: [0, 1, 2**64 - 1],
    FieldDescriptor.CPPTYPE_DOUBLE: [0.0, 91.5, -200.0, float("nan"), float("inf")],
    FieldDescriptor.CPPTYPE_FLOAT: [0.0, float("nan"), float("-inf")],
    FieldDescriptor.CPPTYPE_BOOL: [True, False],
}


def fill(message: Any, choose: random.Random, depth: int) -> Any:
    """Random fields of ``message``, a few of each level."""
    fields = message.DESCRIPTOR.fields
    for chosen in choose.sample(list(fields), k=min(len(fields), choose.randint(0, 3 if depth else 5))):
        value_of = value(chosen, choose)
        if chosen.message_type is not None:
            if depth >= 6:
                continue
            part = getattr(message, chosen.name)
            for _ in range(choose.randint(1, 2)) if chosen.is_repeated else range(1):
                child = part.add() if chosen.is_repeated else part
                child.SetInParent() if not chosen.is_repeated else None
                fill(child, choose, depth + 1)
        elif chosen.is_repeated:
            getattr(message, chosen.name).extend([value_of, value(chosen, choose)])
        else:
            setattr(message, chosen.name, value_of)
    return message


def value(field: FieldDescriptor, choose: random.Random) -> Any:
    """A value the field can hold, odd ones gladly."""
    if field.enum_type is not None:
        return choose.choice(field.enum_type.values).number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return choose.randbytes(choose.randint(0, 40))
    if field.type == FieldDescriptor.TYPE_STRING:
        return choose.choice(TEXTS)
    return choose.choice(NUMBERS.get(field.cpp_type, [None]))


@settings(max_examples=400, deadline=None)
@given(
    seed=st.integers(min_value=0, max_value=2**32),
    chat=st.sampled_from(CHATS),
    from_me=st.booleans(),
    edit=st.sampled_from(["", "1", "3", "7", "8"]),
)
def test_no_valid_message_of_whatsapp_makes_conversion_fail(seed: int, chat: str, from_me: bool, edit: str) -> None:
    """MSG-1: any mixture of fields becomes events that survive the way to the dashboard, or nothing."""
    choose = random.Random(seed)
    message = fill(e2e_pb.Message(), choose, 0)
    whole = event(e2e_pb.Message(), info(source(chat, from_me=from_me), edit=edit), IsEdit=choose.random() < 0.1)
    whole.Message.CopyFrom(message)
    found: list[ConversationEvent] = events_of(whole, Notes())
    vote_event(whole, [b"x"], Notes())
    for one in found:
        assert event_from_raw(event_to_raw(one), offline=False) is not None


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_a_message_of_an_unknown_future_kind_is_told_as_such(data: bytes) -> None:
    """MSG-1: a field number nobody knows yet."""
    message = e2e_pb.Message.FromString(varint(60_000 << 3 | 2) + varint(len(data)) + data)
    content = content_of(message, Notes())
    assert content is not None
    assert content.text == "This message type is not supported yet; look at the phone."


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])
