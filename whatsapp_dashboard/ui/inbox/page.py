"""The inbox page: list, thread and details side by side; one at a time on a phone (MSG-7)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui.inbox.details_view import details
from whatsapp_dashboard.ui.inbox.dialogs import inbox_dialogs
from whatsapp_dashboard.ui.inbox.drawer import trace_drawer
from whatsapp_dashboard.ui.inbox.list_view import conversation_list
from whatsapp_dashboard.ui.inbox.state import InboxState
from whatsapp_dashboard.ui.inbox.thread_state import ThreadState
from whatsapp_dashboard.ui.inbox.thread_view import thread
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.waiting_view import waiting_badge


def inbox() -> rx.Component:
    """Three panes."""
    return rx.el.div(
        rx.el.h1("Inbox", class_name="wa-visually-hidden"),
        conversation_list(),
        thread(),
        details(),
        inbox_dialogs(),
        trace_drawer(),
        rx.script(src="/inbox.js"),
        rx.script(src="/composer.js"),
        rx.script(src="/thread.js"),
        rx.script(src="/viewer.js"),
        id="inbox", class_name="wa-inbox", custom_attrs={"data-open": rx.cond(ThreadState.conversation_id != "", "yes", "no")},
    )  # fmt: skip


PAGE = Page(
    route="/inbox", title="Inbox", icon="inbox", content=inbox, on_load=[InboxState.arrive], section="Messaging", wide=True,
    badge=waiting_badge,
)  # fmt: skip
