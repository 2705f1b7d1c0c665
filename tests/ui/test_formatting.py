"""WhatsApp's marks are read as WhatsApp reads them, and nothing is lost or made up (MSG-7, SEC-4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_dashboard.ui.inbox.formatting import Block, Part, blocks_of, parts_of

B, IT, S, C = "wa-bold", "wa-italic", "wa-struck", "wa-code"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("*bold*", [("bold", B)]),
        ("a *bold* word", [("a ", ""), ("bold", B), (" word", "")]),
        ("_it_ ~no~", [("it", IT), (" ", ""), ("no", S)]),
        ("*_both_*", [("both", f"{B} {IT}")]),
        ("_*both*_!", [("both", f"{IT} {B}"), ("!", "")]),
        ("`*as it is*`", [("*as it is*", C)]),
        ("*see `x`*", [("see ", B), ("x", f"{B} {C}")]),
        ("2*3*4", [("2*3*4", "")]),
        ("snake_case_name", [("snake_case_name", "")]),
        ("* not bold*", [("* not bold*", "")]),
        ("*not closed", [("*not closed", "")]),
        ("*over\nlines*", [("*over\nlines*", "")]),
        ("**", [("**", "")]),
        ("*a _b* c_", [("a _b", B), (" c_", "")]),
        ("(*x*)", [("(", ""), ("x", B), (")", "")]),
        ("*Ü* ¡*ñ*!", [("Ü", B), (" ¡", ""), ("ñ", B), ("!", "")]),
    ],
)
def test_marks_count_in_pairs_and_at_the_edge_of_words(text: str, parts: list[tuple[str, str]]) -> None:
    """MSG-7"""
    assert [(part.text, part.look) for part in parts_of(text)] == parts


def test_an_address_stays_whole_and_the_marks_around_it_count() -> None:
    """MSG-7: with underscores and stars in it, and without the full stop behind it."""
    assert parts_of("see https://x.example/a_b_c?q=*1*. ok") == [
        Part("see "), Part("https://x.example/a_b_c?q=*1", "https://x.example/a_b_c?q=*1"), Part("*. ok"),
    ]  # fmt: skip
    assert parts_of("*https://x.example/a*") == [Part("https://x.example/a", "https://x.example/a", B)]
    assert [part.href for part in parts_of("javascript:alert(1) data:text/html,x")] == [""]


def test_lists_quotes_and_blocks_of_code() -> None:
    """MSG-7"""
    text = "Hello\n- *one*\n* two\n1. first\n12) twelfth\n> said\n```a *b*\n  c```\nend"
    assert blocks_of(text) == [
        Block("text", [Part("Hello")]),
        Block("bullet", [Part("one", look=B)], "•"),
        Block("bullet", [Part("two")], "•"),
        Block("number", [Part("first")], "1."),
        Block("number", [Part("twelfth")], "12."),
        Block("quote", [Part("said")]),
        Block("code", [Part("a *b*\n  c")]),
        Block("text", [Part("end")]),
    ]
    assert blocks_of("-5 degrees\n>\n```\n") == [Block("text", [Part("-5 degrees\n>\n```\n")])]


@given(st.text("ab *_~`>-1.\n:/hts<&", max_size=60))
def test_nothing_is_lost_but_marks(text: str) -> None:
    """MSG-7, SEC-4: every sign that is no mark is drawn, in its order, whatever stands around it."""
    drawn = "".join(part.text for block in blocks_of(text) for part in block.parts)
    bare = str.maketrans("", "", "*_~`>-1. \n•")
    assert drawn.translate(bare) == text.translate(bare)
