"""Files of messages shown in place: pictures, films, sound, documents, stickers (MSG-7, MSG-9)."""

from __future__ import annotations

from typing import Any

import reflex as rx


def chat_media(item: Any) -> rx.Component:
    """The file of ``item`` (a Bubble), or what is known about it while it is not there. Addresses come from ids of ours only."""
    return rx.cond(
        item.media_state == "stored",
        rx.match(
            item.type,
            ("image", _picture(item, "wa-media")),
            ("sticker", _picture(item, "wa-sticker")),
            ("video", rx.el.video(src=_address(item), controls=True, preload="metadata", class_name="wa-media")),
            ("audio", _sound(item)),
            ("voice", _sound(item)),
            _document(item),
        ),
        rx.cond(item.media_state == "pending", _note("loader", "Fetching the file…", "wa-file-wait"), _failed(item)),
    )


def _address(item: Any) -> Any:
    return rx.Var.create("/api/media/") + item.media_id


def _picture(item: Any, class_name: str) -> rx.Component:
    return rx.el.a(
        rx.el.img(src=_address(item), alt=rx.cond(item.text != "", item.text, item.type), loading="lazy", class_name=class_name),
        href=_address(item), target="_blank", rel="noopener", aria_label="Open the picture", class_name="wa-media-link",
    )  # fmt: skip


def _sound(item: Any) -> rx.Component:
    return rx.el.audio(src=_address(item), controls=True, preload="metadata", class_name="wa-audio", aria_label="Sound")


def _document(item: Any) -> rx.Component:
    return rx.el.a(
        rx.el.span(rx.icon("file-text", size=20), class_name="wa-file-icon"),
        rx.el.span(
            rx.el.span(item.file, class_name="wa-file-name", dir="auto", title=item.file),
            rx.el.span(item.file_info, class_name="wa-file-info"),
            class_name="wa-file-text",
        ),
        rx.icon("download", size=16, flex_shrink="0"),
        href=_address(item) + "?download=true", download=True, class_name="wa-file", aria_label=rx.Var.create("Download ") + item.file,
    )  # fmt: skip


def _note(icon: str, text: Any, class_name: str) -> rx.Component:
    return rx.el.span(rx.icon(icon, size=16, flex_shrink="0"), rx.el.span(text), class_name=f"wa-file {class_name}")


def _failed(item: Any) -> rx.Component:
    return _note("file-x", item.media_note, "wa-file-failed")
