"""What pages are made of. Import from here: ``from whatsapp_dashboard.ui.components import page_header, empty_state``."""

from whatsapp_dashboard.ui.components.badges import account_status, badge, dot
from whatsapp_dashboard.ui.components.dialogs import confirm_dialog, form_dialog, inline_error, send_again_dialog
from whatsapp_dashboard.ui.components.fields import day_field, field, search_field, switch_field, text_area, text_field
from whatsapp_dashboard.ui.components.layout import (
    avatar,
    card,
    copy_button,
    data_table,
    page_header,
    relative_time,
    stat,
)
from whatsapp_dashboard.ui.components.scrolling import preformatted, scrolls
from whatsapp_dashboard.ui.components.states import empty_state, error_state, skeleton_cards, skeleton_rows
from whatsapp_dashboard.ui.components.toasts import toast_error, toast_info, toast_ok

__all__ = [
    "account_status",
    "avatar",
    "badge",
    "card",
    "confirm_dialog",
    "copy_button",
    "data_table",
    "day_field",
    "dot",
    "empty_state",
    "error_state",
    "field",
    "form_dialog",
    "inline_error",
    "page_header",
    "preformatted",
    "relative_time",
    "scrolls",
    "search_field",
    "send_again_dialog",
    "skeleton_cards",
    "skeleton_rows",
    "stat",
    "switch_field",
    "text_area",
    "text_field",
    "toast_error",
    "toast_info",
    "toast_ok",
]
