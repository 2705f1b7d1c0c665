"""Takes a message out of the wrappers WhatsApp puts around it: disappearing, view-once, captions of documents, copies of devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from whatsapp_dashboard.engines.multidevice.host.protos import e2e_pb

_DEPTH = 12
_ONCE = frozenset({"viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"})
_WRAPPERS = tuple(
    field.name
    for field in e2e_pb.Message.DESCRIPTOR.fields
    if field.message_type is not None and field.message_type in (e2e_pb.FutureProofMessage.DESCRIPTOR, e2e_pb.DeviceSentMessage.DESCRIPTOR)
)
"""Every field that holds another whole message, those of future features included."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The message inside, and what its wrappers said."""

    message: e2e_pb.Message
    view_once: bool = False
    edited: bool = False


def unwrap(message: e2e_pb.Message) -> Unwrapped:
    """The innermost message of ``message``."""
    view_once = edited = False
    for _ in range(_DEPTH):
        name = _wrapper_of(message)
        if name is None:
            break
        view_once = view_once or name in _ONCE
        edited = edited or name == "editedMessage"
        message = getattr(message, name).message
    return Unwrapped(message, view_once, edited)


def layers(message: e2e_pb.Message) -> Iterator[e2e_pb.Message]:
    """``message`` and every message inside, the outermost first."""
    for _ in range(_DEPTH):
        yield message
        name = _wrapper_of(message)
        if name is None:
            return
        message = getattr(message, name).message


def _wrapper_of(message: e2e_pb.Message) -> str | None:
    return next((name for name in _WRAPPERS if message.HasField(name)), None)  # type: ignore[arg-type]
