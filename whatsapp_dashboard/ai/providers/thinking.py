"""Takes out of a model's text what the model thought before it answered: that is for nobody else to read (AI-1). Pure.

Servers print thinking in the forms of many families of models, and a limit or a template may swallow the begin or the end of it. In doubt
something is thinking. What stands in code is a quotation: people ask about such tags too.
"""

from __future__ import annotations

import re
from bisect import bisect_right

_NAMES = (
    r"think|thinks|thinking|thinking_process|thoughts?|thought_process|reason|reasoning|reasoning_content|reflection|reflect|analysis"
    r"|scratchpad|(?:inner_|internal_)?monologue|inner_thoughts?|chain_of_thought|cot|cot_budget_reflect|antthinking"
)
_MARK = re.compile(
    # <think>, </Thinking>, <seed:think>, <think id="1">, <|think|>, &lt;think&gt;
    rf"(?:<|&lt;)[|｜]?(?P<end>/?)(?:\w{{1,20}}:)?(?P<name>{_NAMES})(?:\s+\w{{1,20}}=[^<>]{{0,200}})?\s?(?P<alone>/?)[|｜]?(?:>|&gt;)"
    r"|(?-i:\[(?P<end3>/?)THINK\])"  # Mistral
    r"|◁(?P<end4>/?)think▷"  # Kimi
    r"|<\|(?:START_THINKING|begin_of_thought)\|>|(?P<end5><\|(?:END_THINKING|end_of_thought)\|>)"  # Cohere; OpenThinker
    r"|<\|channel>\s*thought\b|(?P<end6><channel\|>)"  # Gemma 4
    r"|<unused94>|(?P<end7><unused95>)",  # MedGemma
    re.IGNORECASE,
)
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]+\1(?!`)")
_THOUGHTS_FENCED = re.compile(
    r"^ {0,3}(```+)[ \t]*(?:think|thinking|thoughts?|reasoning)[ \t]*\n.*?(?:^ {0,3}\1[ \t]*$\n?|\Z)", re.DOTALL | re.MULTILINE
)
_HARMONY = re.compile(r"<\|(?:channel|message)\|>")
_CHANNEL = re.compile(
    r"<\|channel\|>\s{0,3}(\w{1,20})\b[^<]{0,200}(?:<\|constrain\|>[^<]{0,200})?<\|message\|>(.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
"""OpenAI's harmony (gpt-oss): each part says on which channel it is; "final" is for people."""
_BARE_FINAL = re.compile(r"assistant\s?final(?=\S)")
_BARE_CHANNEL = re.compile(r"\A(?:analysis|commentary)(?=[A-Z\"'“])")
"""The same after a server has dropped the special tokens: "analysisWe need ...assistantfinalAt nine."."""
_PLAIN = (
    re.compile(r"\AHere(?:'s| is) my thought process:(?:.*?Here(?:'s| is) my response:|.*\Z)", re.DOTALL),  # Granite
    re.compile(r"\A.*\[BEGIN FINAL RESPONSE\]", re.DOTALL),  # Apriel
    re.compile(r"\AHere are my reasoning steps:.*\Z", re.DOTALL),
    re.compile(r"\A[*#_ ]{0,8}Thinking Process:?[*_ ]{0,4}:?[ ]{0,4}\n.*\Z", re.DOTALL | re.IGNORECASE),  # Qwen 3.5, without its tags
)
_WRAPPING = re.compile(r"\A<(answer|response|output|final|final_answer)>(.*?)(?:</\1>\s*)?\Z", re.DOTALL | re.IGNORECASE)
_TOKEN = re.compile(
    r"<[|｜](?:start|end|return|call|message|channel|im_end|im_start|eot_id|endoftext|end_of_text|end▁of▁sentence|(?:START|END)_(?:RESPONSE|TEXT)"
    r"|(?:begin|end)_of_solution|end_of_turn)[|｜]>|<end_of_turn>|\[END FINAL RESPONSE\]|</s>\Z"
)
_SENTENCE_ENDS = re.compile(r"[.!?…。！？؟।:]+[\"'”’»)\]*_]*(?=\s|\Z)|[。！？]|\n")


def without_thoughts(text: str) -> str:
    """``text`` without the thinking in it; empty when it is nothing else, also when the thinking was cut before it ended."""
    text = _final_channel(_THOUGHTS_FENCED.sub("", text.strip()))
    text = _without_marked(text).strip()
    for pattern in _PLAIN:
        text = pattern.sub("", text)
    text = _outside_code(_TOKEN, text).strip()
    wrapped = _WRAPPING.match(text)
    return wrapped[2].strip() if wrapped else text


def _final_channel(text: str) -> str:
    code = _code(text)
    if any(not _inside(code, found.start()) for found in _HARMONY.finditer(text)):
        return "\n\n".join(found[2].strip() for found in _CHANNEL.finditer(text) if found[1].lower() == "final")
    if _BARE_CHANNEL.match(text):
        ends = list(_BARE_FINAL.finditer(text))
        return text[ends[-1].end() :] if ends else ""
    return text


def _without_marked(text: str) -> str:
    """Without what stands between a mark and the next end of thinking. One pass, however many marks there are."""
    code = _code(text)
    kept: list[str] = []
    at = 0
    marks = [mark for mark in _MARK.finditer(text) if not _inside(code, mark.start())]
    ends = [mark for mark in marks if _is_end(mark)]
    passed = 0
    for mark in marks:
        if mark.start() < at:
            continue
        if _is_end(mark):  # its begin was swallowed: all before was thinking
            kept, at = [], mark.end()
            continue
        kept.append(text[at : mark.start()])
        at = mark.end()
        if mark["alone"]:
            continue
        while passed < len(ends) and ends[passed].start() < mark.end():
            passed += 1
        if passed == len(ends):  # cut: all that follows is thinking
            return _whole("".join(kept), text[mark.start() - 1 : mark.start()])
        at = _own_end(mark, ends, passed).end()
    return "".join([*kept, text[at:]])


def _own_end(mark: re.Match[str], ends: list[re.Match[str]], passed: int) -> re.Match[str]:
    """The next end of the same name among the next few, else the next one."""
    name = (mark["name"] or "").lower()
    return next((end for end in ends[passed : passed + 8] if (end["name"] or "").lower() == name), ends[passed])


def _is_end(mark: re.Match[str]) -> bool:
    return any(mark[name] for name in ("end", "end3", "end4", "end5", "end6", "end7"))


def _whole(before: str, sign: str) -> str:
    """What stands before thinking that was cut, without the begin of a sentence that leads into it. ``sign``: the one before its mark."""
    if sign in ("", "\n"):
        return before
    ends = [found.end() for found in _SENTENCE_ENDS.finditer(before)]
    return before[: ends[-1]] if ends else ""


def _code(text: str) -> list[tuple[int, int]]:
    """Where code stands, in order. A fence that holds the end of thinking and no begin before it is none: thinking has spilled into it."""
    spans: list[tuple[int, int]] = []
    place, begun, ticks = 0, -1, ""
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line)
        if begun < 0 and fence:
            begun, ticks = place, fence[1]
        elif begun >= 0 and fence and fence[1].startswith(ticks) and not line[fence.end() :].strip():
            first = _MARK.search(text, begun, place)
            if not (first and _is_end(first)):
                spans.append((begun, place + len(line)))
            begun = -1
        elif begun < 0:
            spans += [(place + found.start(), place + found.end()) for found in _INLINE.finditer(line)]
        place += len(line)
    return spans


def _inside(spans: list[tuple[int, int]], place: int) -> bool:
    at = bisect_right(spans, place, key=lambda span: span[0]) - 1
    return at >= 0 and spans[at][0] <= place < spans[at][1]


def _outside_code(pattern: re.Pattern[str], text: str) -> str:
    code = _code(text)
    return pattern.sub(lambda found: found[0] if _inside(code, found.start()) else "", text)
