"""A press on a page acts once (MSG-13): the browser names each one, and the server remembers the name with what it changed.

The names are made by ``assets/once.js``, travel beside the event, and are answered when the method is through: until then the pressed
button or form is busy. An event that is sent anew after a broken connection carries the name of the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex_base.event.context import EventContext

from whatsapp_dashboard import runtime
from whatsapp_dashboard.core import once

FIELD = "press"
_NAME = re.compile(r"[A-Za-z0-9-]{8,80}")


def pressed() -> str:
    """The name of the press the running method answers; empty when it answers none (a page that loads, an event another one caused)."""
    context = EventContext.get()
    name = context.router_data.get(FIELD)
    return name if context.parent_txid is None and isinstance(name, str) and _NAME.fullmatch(name) else ""


async def request_of(name: str, session_id: str | None, what: str) -> once.Request | None:
    """The press as a request under a key; None when there is no press, or nobody who could have pressed."""
    who = await runtime.current().auth.principal_of_session(session_id, roll=False) if name and session_id else None
    return runtime.current().request_keys.begin(who.operator_id, f"press:{name}", what[:255]) if who else None


def answered(name: str) -> Any:
    """Tell the browser that the press is through."""
    return rx.call_script(f"window.waOnce?.answered('{name}')")


def with_answer(result: Any, name: str) -> Any:
    """What a method gave back, and behind it that the press is through."""
    if not name:
        return result
    events = list(result) if isinstance(result, Sequence) and not isinstance(result, str) else [] if result is None else [result]
    return [*events, answered(name)]
