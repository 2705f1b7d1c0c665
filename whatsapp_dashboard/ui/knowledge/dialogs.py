"""Adding documents, looking into one, changing one, deleting one (AI-5)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import confirm_dialog, inline_error, scrolls, text_area, text_field
from whatsapp_dashboard.ui.knowledge.add_state import AddState
from whatsapp_dashboard.ui.knowledge.edit_state import EditState
from whatsapp_dashboard.ui.knowledge.lines import PartLine
from whatsapp_dashboard.ui.knowledge.state import DocumentState, KnowledgeState
from whatsapp_dashboard.ui.session import CAN_ADMINISTER

_FORM = "knowledge-form"
_SEND = rx.call_script(f"document.getElementById('{_FORM}').requestSubmit()")


def dialogs() -> rx.Component:
    """All of them."""
    return rx.fragment(
        _add(),
        _document(),
        _edit(),
        confirm_dialog(
            open_=KnowledgeState.doomed_id != "",
            on_open_change=KnowledgeState.set_asking,
            title="Delete “" + KnowledgeState.doomed_title + "”?",
            text="Bots no longer answer from it. This cannot be undone.",
            confirm="Delete",
            on_confirm=KnowledgeState.delete,
        ),
    )


def _add() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title("Add to the knowledge base", size="4", margin_bottom="12px"),
            rx.segmented_control.root(
                rx.segmented_control.item("Upload files", value="file"),
                rx.segmented_control.item("Write a text", value="text"),
                rx.segmented_control.item("From a URL", value="url"),
                value=AddState.way,
                on_change=AddState.choose,
                width="100%",
                margin_bottom="16px",
                aria_label="How to add",
            ),
            rx.cond(AddState.way == "file", _files(), _form()),
            max_width="560px",
            aria_describedby="",
        ),
        open=AddState.open,
        on_open_change=AddState.set_open,
    )


def _files() -> rx.Component:
    return rx.box(
        rx.el.label(
            rx.icon("upload", size=22),
            rx.text("Drop files here, or choose them", weight="medium", size="2", color=theme.TEXT),
            rx.text("Text, Markdown, CSV, HTML, PDF", size="1"),
            rx.el.input(type="file", id="knowledge-files", multiple=True, accept=".txt,.md,.markdown,.csv,.pdf,.html,.htm"),
            id="knowledge-drop",
            class_name="wa-drop",
        ),
        rx.el.ul(id="knowledge-uploads", class_name="wa-uploads", tab_index=0, aria_label="Files", key=AddState.edition.to(str)),
        rx.flex(rx.dialog.close(rx.button("Done", variant="soft", color_scheme="gray")), justify="end", margin_top="12px"),
    )


def _form() -> rx.Component:
    return rx.form(
        rx.vstack(
            rx.cond(
                AddState.way == "url",
                text_field(
                    "URL", "url", "Fetched once; “Index again” fetches it anew.", placeholder="https://example.org/faq", key=_key("u")
                ),
            ),
            text_field(
                "Title",
                "title",
                rx.cond(AddState.way == "url", "Without one: the title of the page.", "What it is about; searched as well."),
                max_length=255,
                key=_key("t"),
            ),
            rx.cond(
                AddState.way == "text",
                _text_area(rows="10", key=_key("x")),
            ),
            inline_error(AddState.error),
            rx.cond(AddState.private_host != "", _private()),
            _buttons("Add", AddState.busy),
            spacing="4",
            width="100%",
        ),
        on_submit=AddState.submit,
        reset_on_submit=False,
        id=_FORM,
    )


def _buttons(submit: str, busy: rx.Var[bool]) -> rx.Component:
    return rx.flex(
        rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
        rx.button(submit, type="submit", loading=busy),
        gap="8px",
        justify="end",
        width="100%",
    )


def _text_area(**props: Any) -> rx.Component:
    return text_area("Text", "text", "Lines that begin with # are headings.", resize="vertical", **props)


def _private() -> rx.Component:
    return rx.cond(
        CAN_ADMINISTER,
        rx.button(
            "Allow ",
            AddState.private_host,
            " and add",
            type="button",
            size="1",
            variant="soft",
            color_scheme="amber",
            on_click=[AddState.will_allow(True), _SEND],
        ),
        rx.text("Ask an owner to allow ", AddState.private_host, ".", size="1"),
    )


def _document() -> rx.Component:
    def part(line: PartLine) -> rx.Component:
        return rx.box(
            rx.text(line.number, ". ", line.heading, size="1", color=theme.TEXT_MUTED),
            rx.text(line.text, size="2", white_space="pre-wrap", overflow_wrap="anywhere"),
            padding="10px 0",
            border_bottom=theme.LINE,
            key=line.number,
        )

    return rx.dialog.root(
        rx.dialog.content(
            rx.flex(
                rx.dialog.title(DocumentState.title, size="4", margin="0", overflow_wrap="anywhere"),
                rx.dialog.close(rx.icon_button(rx.icon("x", size=16), variant="ghost", color_scheme="gray", aria_label="Close")),
                justify="between",
                align="start",
                gap="12px",
            ),
            rx.cond(
                DocumentState.origin != "", rx.text(DocumentState.origin, size="1", color=theme.TEXT_MUTED, overflow_wrap="anywhere")
            ),
            rx.box(
                rx.foreach(DocumentState.parts, part),
                rx.cond(DocumentState.parts.length() == 0, rx.text("No passages yet.", size="2", color=theme.TEXT_MUTED, padding="12px 0")),
                rx.cond(DocumentState.more != "", rx.text(DocumentState.more, size="1", color=theme.TEXT_MUTED, padding_top="8px")),
                max_height="60vh",
                overflow_y="auto",
                margin_top="8px",
                **scrolls("Passages"),
            ),
            max_width="680px",
            aria_describedby="",
        ),
        open=DocumentState.open,
        on_open_change=DocumentState.set_open,
    )


def _edit() -> rx.Component:
    edition = EditState.edition.to(str)
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(rx.cond(EditState.editable, "Edit", "Rename"), size="4", margin_bottom="12px"),
            rx.form(
                rx.vstack(
                    text_field("Title", "title", max_length=255, default_value=EditState.title, key="title" + edition),
                    rx.cond(EditState.editable, _text_area(rows="14", default_value=EditState.text, key="text" + edition)),
                    rx.cond(EditState.note != "", rx.text(EditState.note, size="1", color=theme.TEXT_MUTED)),
                    inline_error(EditState.error),
                    _buttons("Save", EditState.busy),
                    spacing="4",
                    width="100%",
                ),
                on_submit=EditState.submit,
                reset_on_submit=False,
            ),
            max_width="680px",
            aria_describedby="",
        ),
        open=EditState.document_id != "",
        on_open_change=EditState.set_open,
    )


def _key(name: str) -> rx.Var[str]:
    return AddState.edition.to(str) + AddState.way + name
