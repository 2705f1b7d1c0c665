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


def open_chatbot(account_id: Any) -> Any:
    """Go to the AI of one account."""
    return rx.redirect("/chatbot?account=" + account_id)


def open_webhooks(account_id: Any) -> Any:
    """Go to the webhooks that get one account's events."""
    return rx.redirect("/webhooks?account=" + account_id)
