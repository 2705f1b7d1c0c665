"""The Knowledge page (AI-5)."""

from __future__ import annotations

import reflex as rx

from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.components import badge, card, empty_state, error_state, inline_error, page_header, relative_time, skeleton_rows
from whatsapp_dashboard.ui.knowledge.add_state import AddState
from whatsapp_dashboard.ui.knowledge.dialogs import dialogs
from whatsapp_dashboard.ui.knowledge.edit_state import EditState
from whatsapp_dashboard.ui.knowledge.lines import DocumentLine, FoundLine, Word
from whatsapp_dashboard.ui.knowledge.state import DocumentState, KnowledgeState, SearchState
from whatsapp_dashboard.ui.navigation import Page
from whatsapp_dashboard.ui.session import CAN_WORK


def knowledge_page() -> rx.Component:
    """What bots may answer from."""
    return rx.box(
        rx.script(src="/knowledge.js"),
        page_header("Knowledge", "What your bots may answer from.", rx.cond(CAN_WORK, _add())),
        rx.cond(
            KnowledgeState.loaded,
            rx.cond(
                KnowledgeState.failed != "",
                error_state("The documents could not be read", KnowledgeState.failed),
                rx.cond(
                    KnowledgeState.total == 0,
                    empty_state(
                        "book-open",
                        "Nothing known yet",
                        "Add opening hours, prices, policies: texts, files or pages of your website. The passages that fit a question "
                        "are given to the model, so that bots answer from what your business knows.",
                        rx.cond(CAN_WORK, _add()),
                    ),
                    rx.fragment(_search(), _documents()),
                ),
            ),
            skeleton_rows(),
        ),
        dialogs(),
    )


def _add() -> rx.Component:
    return rx.button(rx.icon("plus", size=16), "Add", on_click=AddState.start)


def _search() -> rx.Component:
    def word(piece: Word) -> rx.Component:
        return rx.el.span(piece.text, class_name=rx.cond(piece.hit, "wa-hit", ""))

    def found(line: FoundLine, number: rx.Var[int]) -> rx.Component:
        return rx.box(
            rx.flex(
                rx.text(number + 1, ". ", line.title, size="2", weight="medium", overflow_wrap="anywhere"),
                rx.cond(line.heading != "", rx.text(line.heading, size="1", color=theme.TEXT_MUTED)),
                rx.spacer(),
                rx.text("score ", line.score, size="1", color=theme.TEXT_MUTED, font_variant_numeric="tabular-nums"),
                gap="8px",
                align="baseline",
                wrap="wrap",
            ),
            rx.text(rx.foreach(line.words, word), size="2", white_space="pre-wrap", overflow_wrap="anywhere", margin_top="4px"),
            padding="10px 0",
            border_top=theme.LINE,
            custom_attrs={"data-found": line.title},
        )

    return card(
        rx.form(
            rx.flex(
                rx.input(
                    name="question",
                    placeholder="Ask what a customer would ask",
                    aria_label="Question",
                    auto_complete="off",
                    flex="1",
                    min_width="200px",
                ),
                rx.button(rx.icon("search", size=14), "Search", type="submit", variant="soft"),
                gap="8px",
                wrap="wrap",
            ),
            on_submit=SearchState.search,
            reset_on_submit=False,
        ),
        inline_error(SearchState.error),
        rx.cond(
            SearchState.asked != "",
            rx.box(
                rx.cond(
                    SearchState.found.length() == 0,
                    rx.text("Nothing fits: a bot would be given no passage for this.", size="2", color=theme.TEXT_MUTED),
                    rx.foreach(SearchState.found, found),
                ),
                margin_top="12px",
                role="status",
            ),
        ),
        title="What would a bot be given?",
        margin_bottom="16px",
    )


def _documents() -> rx.Component:
    return rx.box(
        rx.box(
            rx.el.ul(rx.foreach(KnowledgeState.lines, _document), style={"listStyle": "none", "margin": "0", "padding": "0"}),
            **theme.CARD,
        ),
        rx.flex(
            rx.cond(
                KnowledgeState.cursor != "",
                rx.button("Newest", variant="soft", color_scheme="gray", on_click=KnowledgeState.go("")),
            ),
            rx.cond(
                KnowledgeState.older != "",
                rx.button("Older", variant="soft", color_scheme="gray", on_click=KnowledgeState.go(KnowledgeState.older)),
            ),
            gap="8px",
            justify="end",
            margin_top="12px",
        ),
    )


def _document(line: DocumentLine) -> rx.Component:
    return rx.el.li(
        rx.flex(
            rx.vstack(
                rx.el.button(
                    line.title,
                    on_click=DocumentState.show(line.id),
                    title=line.title,
                    class_name="wa-text-button",
                    style={"fontSize": "14px", "fontWeight": "500", "maxWidth": "100%", "overflowWrap": "anywhere"},
                ),
                rx.flex(
                    rx.badge(line.kind, size="1", variant="outline", color_scheme="gray"),
                    rx.cond(
                        (line.origin != "") & (line.origin != line.title),
                        rx.text(line.origin, size="1", color=theme.TEXT_MUTED, title=line.origin, max_width="320px", **theme.CLIP),
                    ),
                    rx.cond(line.size != "", rx.text(line.size, size="1", color=theme.TEXT_MUTED)),
                    rx.cond(line.passages != "", rx.text(line.passages, size="1", color=theme.TEXT_MUTED)),
                    rx.box(relative_time(line.updated), font_size="12px", color=theme.TEXT_MUTED),
                    gap="8px",
                    align="center",
                    wrap="wrap",
                ),
                rx.cond(line.reason != "", rx.text(line.reason, size="1", color="var(--red-11)", overflow_wrap="anywhere")),
                spacing="1",
                align="start",
                min_width="0",
                flex="1",
            ),
            _state(line),
            rx.switch(
                checked=line.enabled,
                on_change=lambda on: KnowledgeState.switch(line.id, on),
                disabled=~CAN_WORK,
                size="1",
                aria_label="Search “" + line.title + "”",
            ),
            rx.cond(CAN_WORK, _menu(line)),
            gap="14px",
            align="center",
            padding="12px 16px",
            border_bottom=theme.LINE,
        ),
        key=line.id,
        custom_attrs={"data-document": line.id, "data-state": line.state},
    )


def _state(line: DocumentLine) -> rx.Component:
    return rx.match(
        line.state,
        ("ready", rx.cond(line.enabled, badge("Ready", "good"), badge("Off", "neutral"))),
        ("failed", badge("Failed", "bad")),
        ("indexing", rx.flex(rx.spinner(size="1"), badge("Indexing", "busy"), gap="6px", align="center")),
        badge("Waiting", "neutral"),
    )


def _menu(line: DocumentLine) -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=16), variant="ghost", color_scheme="gray", size="2", aria_label="Actions for " + line.title
            )
        ),
        rx.menu.content(
            rx.menu.item(rx.icon("eye", size=14), "Show passages", on_select=DocumentState.show(line.id)),
            rx.menu.item(rx.icon("pencil", size=14), rx.cond(line.origin == "", "Edit", "Rename"), on_select=EditState.start(line.id)),
            rx.menu.item(
                rx.icon("refresh-cw", size=14),
                rx.cond(line.is_url, "Fetch and index again", "Index again"),
                on_select=KnowledgeState.reindex(line.id),
            ),
            rx.menu.separator(),
            rx.menu.item(rx.icon("trash-2", size=14), "Delete", color_scheme="red", on_select=KnowledgeState.ask_delete(line.id)),
        ),
    )


PAGE = Page(
    route="/knowledge",
    title="Knowledge",
    icon="book-open",
    content=knowledge_page,
    on_load=[KnowledgeState.open_page],
    section="Automation",
)
