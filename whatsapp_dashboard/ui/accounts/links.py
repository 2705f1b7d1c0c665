"""Where an account leads to on other pages."""

from __future__ import annotations

from typing import Any

import reflex as rx


def open_inbox(account_id: Any) -> Any:
    """Go to the conversations of one account."""
    return rx.redirect("/inbox?account=" + account_id)


def open_log(account_id: Any) -> Any:
    """Go to the messages of one account."""
    return rx.redirect("/messages?account=" + account_id)
