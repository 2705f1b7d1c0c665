"""Markdown of models becomes WhatsApp's own marks; everything else stays as it is (AI-1)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ai.conftest import Bot, says
from whatsapp_dashboard.ai.views import TryTurn
from whatsapp_dashboard.ai.whatsapp_text import whatsapp_text

SHOP = "https://shop.example/a_b_c"
CONVERTED = [
    # bold, italic, struck
    ("**bold** and *it*", "*bold* and _it_"), ("__very important__", "*very important*"), ("_it_ **b**", "_it_ *b*"),
    ("***both***", "_*both*_"), ("~~no~~ yes", "~no~ yes"), ("**two\nlines**", "*two*\n*lines*"),
    ("这是**重点**内容", "这是*重点*内容"),
    ("**Note:**now", "*Note:* now"), ("**注意：**内容", "*注意：*内容"), ("**שלום** עולם", "*שלום* עולם"),
    ("🍞 **Brot** 🍞", "🍞 *Brot* 🍞"),
    # headings and rules
    ("# Title\n\nText", "*Title*\n\nText"), ("### **Our hours** ###\nNine.", "*Our hours*\nNine."), ("a\n\n---\n\nb", "a\n\n———\n\nb"),
    # lists
    ("* a\n* b\n\n\n\nNext", "- a\n- b\n\n\n\nNext"), ("1. a\n   * b\n     + c\n2. d", "1. a\n   - b\n     - c\n2. d"),
    ("1. **a**\n  - b\n  - c\n2. d", "1. *a*\n  - b\n  - c\n2. d"),
    ("3) a\n4) **b**", "3) a\n4) *b*"), ("- **Mon**: 9\n\n- **Tue**: 10", "- *Mon*: 9\n\n- *Tue*: 10"),
    ("- x\n\n  more **y**\n- z", "- x\n\n  more *y*\n- z"), ("- a\n  more of a\n- b **c**", "- a\n  more of a\n- b *c*"),
    ("1. one\n\n   ```sh\n   ls\n   ```\n2. two", "1. one\n\n```\nls\n```\n2. two"),
    # links and pictures
    (f"[our shop]({SHOP})", f"our shop ({SHOP})"), (f"[{SHOP}]({SHOP})", SHOP),
    ("[shop.example](https://www.shop.example/)", "https://www.shop.example/"),
    (f"<{SHOP}>", SHOP), (f"**[Shop]({SHOP})**", f"*Shop ({SHOP})*"), (f"[Book here:]({SHOP})", f"Book here: {SHOP}"),
    ("[mail](mailto:a@b.c) or [a@b.c](mailto:a@b.c)", "mail (a@b.c) or a@b.c"), ("[call us](tel:+34600111222)", "call us (+34600111222)"),
    ("[a](https://en.example/wiki/A_(b))", "a (https://en.example/wiki/A_(b))"), (f'[x]({SHOP} "A title")', f"x ({SHOP})"),
    (f"![Menu]({SHOP}.png)", f"Menu ({SHOP}.png)"), (f"![]({SHOP}.png)", f"{SHOP}.png"), (f"see {SHOP}_*d* **x**", f"see {SHOP}_*d* *x*"),
    # tables
    ("| Day | Hours |\n|---|---:|\n| Mon | **9** |\n| Tue | 10 |", "*Day: Hours*\n- Mon: *9*\n- Tue: 10"),
    ("Hi\n\n| Day | Open | Close |\n|---|---|---|\n| Mon | 9 | 5 |\n| Tue | | 6 |\n\nBye",
     "Hi\n\n- Mon – Open: 9, Close: 5\n- Tue – Close: 6\n\nBye"),
    # code
    ("```python\nx = **a**\n```", "```\nx = **a**\n```"), ("~~~\n# a\n~~~", "```\n# a\n```"), ("use `a*b*c` **z**", "use `a*b*c` *z*"),
    # the rest
    ("> so **b**\n> it is", "> so *b*\n> it is"), ("a\\*b\\* **c**", "a*b* *c*"), ("a<br>b<br/>\nc", "a\nb\nc"),
    ("- [ ] call **Ana**", "- [ ] call *Ana*"),
    ("2**3**4 is **not** 2*3*4", "2**3**4 is *not* 2*3*4"), ("**a** my_var __init__ <b>x</b> &amp;", "*a* my_var __init__ <b>x</b> &amp;"),
]  # fmt: skip
UNCHANGED = [
    "", "Hello!", "*bold* and _it_ and ~no~", "2*3*4 = 24", "2 * 3 * 4", "2**3**4", "snake_case_word, __init__", "a ~ b ~ c",
    "5 > 3", "1.50 €",
    "Plain  with   spaces\n   indented\n\n\nlines ", "    four spaces", "windows\r\nlines\r\n", "- a\n- b", "1. a\n2. b",
    "1. a\n   - b\n     - c\n2. d", "#1 in town", "# ",
    "text\n===\nmore", "[Note]: closed on Monday", "[1] and [x] and (y)", "[x](javascript:alert(1))", "AT&amp;T &copy;",
    "<b>not</b>", "`*a*`",
    f"{SHOP}?x_y=*1* and {SHOP}", "a_b_c@shop.example", "שלום, מה שלומך?", "مرحبا *بك*", "👩‍🍳 🍞", "> quoted", "C:\\new\\table",
    "\ue0000\ue001",
]  # fmt: skip


@pytest.mark.parametrize(("written", "sent"), CONVERTED)
def test_markdown_becomes_what_whatsapp_shows(written: str, sent: str) -> None:
    """AI-1"""
    assert whatsapp_text(written) == sent


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_is_no_markdown_is_not_touched(text: str) -> None:
    """AI-1: to the byte, also what is in WhatsApp's form already."""
    assert whatsapp_text(text) == text


@pytest.mark.parametrize("text", [sent for _, sent in CONVERTED if "\\" not in sent and "———" not in sent])
def test_what_was_converted_stays(text: str) -> None:
    """AI-1: nothing is done twice."""
    if "**" not in text:
        assert whatsapp_text(text) == text


_WORDS = st.characters(codec="utf-8", categories=["L", "N", "Zs", "Po"], exclude_characters="*_~`\\[]()#<>|+-&!.@:")


@given(st.text(alphabet=_WORDS, max_size=200))
def test_words_are_left_alone(text: str) -> None:
    """AI-1"""
    assert whatsapp_text(text) == text


@given(st.text(alphabet="ab *_~`#[]()<>|-+.\n\\1!:", max_size=200))
def test_no_text_is_refused_or_emptied(text: str) -> None:
    """AI-1: whatever a model prints."""
    assert bool(whatsapp_text(text).strip()) == bool(text.strip())


@pytest.mark.parametrize("evil", ["**a", "[", "![", "*a_", "> ", "- ", "|a", "`", "<br", "](", "\\*"])
def test_a_text_made_to_be_slow_is_not(evil: str) -> None:
    """SEC-8: a server of somebody's own answers what it likes."""
    begun = time.process_time()
    whatsapp_text(evil * (20_000 // len(evil)))
    assert time.process_time() - begun < 5


async def test_customers_and_the_try_it_chat_get_the_same(bot: Bot) -> None:
    """AI-1, AI-7: and what people type is sent as they typed it."""
    await bot.provider("openai")
    await bot.turn_on()
    bot.server.behave("openai", says("## Hours\n**Monday**: see [here](https://shop.example)"))
    await bot.house.receive("When?")
    await bot.house.until_sent(1)
    tried = await bot.trying.chat(bot.house.cast.ben, bot.house.account, [TryTurn("user", "When?")])
    assert bot.house.engine.texts == [tried.text] == ["*Hours*\n*Monday*: see here (https://shop.example)"]
    await bot.house.say_as_ben("**mine** # as typed")
    await bot.house.until_sent(2)
    assert bot.house.engine.texts[1] == "**mine** # as typed"
