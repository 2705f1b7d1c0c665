"""A text with WhatsApp's marks, drawn. Every piece is drawn as text, in a span of its own: no markup is ever made of it (SEC-4)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui.inbox.formatting import Block, Part


def text_block(block: Block) -> rx.Component:
    """One block of :func:`formatting.blocks_of`."""
    return rx.match(
        block.kind,
        ("code", rx.el.pre(_pieces(block), class_name="wa-code-block", tab_index=0)),
        ("quote", rx.el.blockquote(_pieces(block), class_name="wa-said", dir="auto")),
        ("bullet", _entry(block)),
        ("number", _entry(block)),
        rx.el.div(_pieces(block), class_name="wa-run", dir="auto"),
    )


def _entry(block: Block) -> rx.Component:
    text = rx.el.span(_pieces(block), class_name="wa-run", dir="auto")
    return rx.el.div(rx.el.span(block.mark, class_name="wa-entry-mark"), text, class_name="wa-entry")


def _pieces(block: Any) -> rx.Component:
    return rx.foreach(block.parts, _piece)


def _piece(part: Part) -> rx.Component:
    return rx.cond(
        part.href != "",
        rx.el.a(part.text, href=part.href, target="_blank", rel="noopener noreferrer nofollow", class_name=part.look),
        rx.el.span(part.text, class_name=part.look),
    )
