"""Makes WhatsApp's own marks of the Markdown that models write (AI-1). Pure.

``*bold*``, ``_italic_``, ``~struck~``, code and lists are WhatsApp's; it has no headings, tables and links with their own text. What is no
Markdown stays as it is, to the byte. What people type never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

_URL = re.compile(r"https?://(?:[^\s<>()\[\]\"`|]|\([^\s<>()]{0,200}\))+", re.IGNORECASE)
_URL_END = "*_~.,;:!?'"
_HELD = re.compile("\ue000(\\d+)\ue001")
_LINE_BREAK = re.compile(r" ?<br ?/?>\n?", re.IGNORECASE)
_MAY_LINK = re.compile(r"(?:https?://|mailto:|tel:|[\w.+-]{1,64}@|www\.|/|#|\ue000)", re.IGNORECASE)
_LEFT_OVER = re.compile(r"\*\*(?![\s*])([^*\n]{1,500}?)(?<!\s)\*\*(\w?)")
"""Bold that CommonMark does not see: "**Note:**now"."""
_ANGLED = re.compile("<(\ue000\\d+\ue001)>")
_MOST = 50_000
_RULE = "———"
_INDENT = "  "
_LEAVES = frozenset({"inline", "fence", "hr", "table_open"})


def _parser() -> MarkdownIt:
    # Without what in a chat is rather meant as it stands: four spaces, a line below a line, HTML, "[note]: text", "&copy;".
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    made.disable(["code", "lheading", "reference", "html_block", "html_inline", "entity"])
    made.normalizeLink = made.normalizeLinkText = str  # type: ignore[method-assign,assignment]
    made.validateLink = lambda url: _MAY_LINK.match(url) is not None  # type: ignore[method-assign,assignment]
    return made


_MARKDOWN = _parser()


def whatsapp_text(text: str) -> str:
    """``text`` as WhatsApp shows it best. One that is far too long for a message stays as it is."""
    if len(text) > _MOST:
        return text
    held: list[str] = []
    source = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\ue000" not in source:
        source = _URL.sub(lambda found: _hold(found[0], held), source)
    tokens = _MARKDOWN.parse(source)
    if all(token.type.startswith("paragraph_") or _is_plain(token) for token in tokens):
        return text
    page = _Page(source.split("\n"), held, stars_are_bold=not any(_has_strong(token) for token in tokens))
    page.write(tokens)
    return page.restored("".join(page.parts)).strip("\n") or text


def _hold(url: str, held: list[str]) -> str:
    """A name for an address, so that nothing in it is read as a mark."""
    kept = url.rstrip(_URL_END)
    held.append(kept)
    return f"\ue000{len(held) - 1}\ue001{url[len(kept) :]}"


def _is_plain(token: Token) -> bool:
    """Whether an inline token is nothing but text."""
    if token.type != "inline" or any(pattern.search(token.content) for pattern in (_LINE_BREAK, _LEFT_OVER, _ANGLED)):
        return False
    parts = ["\n" if child.type == "softbreak" else child.content for child in token.children or [] if child.type in ("text", "softbreak")]
    return len(parts) == len(token.children or []) and _bare("".join(parts)) == _bare(token.content)


def _bare(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n"))


def _has_strong(token: Token) -> bool:
    return any(child.type == "strong_open" and child.markup == "**" for child in token.children or [])


@dataclass
class _Page:
    """The text in the making. ``stars_are_bold``: single stars are WhatsApp's already, for there is no double one."""

    lines: list[str]
    held: list[str]
    stars_are_bold: bool
    parts: list[str] = field(default_factory=list)
    written_to: int = 0
    """The line of the source up to which all is written."""
    lists: list[int | None] = field(default_factory=list)
    """The number of the next item of each list that is open; None without numbers."""
    quotes: int = 0
    marks: list[str] = field(default_factory=list)
    """Of items that have no text yet."""

    def restored(self, text: str) -> str:
        """``text`` with its addresses."""
        return _HELD.sub(lambda found: self.held[int(found[1])], text)

    def write(self, tokens: Sequence[Token]) -> None:
        """Everything, in order."""
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type in _LEAVES:
                at = self._leaf(tokens, at)
                continue
            self._container(token)
            at += 1

    def _container(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                number = self.lists[-1]
                self.marks.append("- " if number is None else f"{number}{token.markup} ")
                self.lists[-1] = None if number is None else number + 1
            case "list_item_close" if self.marks:
                self.marks.pop()
            case "blockquote_open":
                self.quotes += 1
            case "blockquote_close":
                self.quotes -= 1

    def _leaf(self, tokens: Sequence[Token], at: int) -> int:
        """One paragraph, heading, piece of code, rule or table. Returns the place behind it."""
        token, end = tokens[at], at + 1
        begin, stop = token.map or (self.written_to, self.written_to)
        if token.type == "fence":
            text = f"```\n{token.content.rstrip(chr(10))}\n```"
        elif token.type == "hr":
            text = _RULE
        elif token.type == "table_open":
            end = next(n for n in range(at, len(tokens)) if tokens[n].type == "table_close") + 1
            text = self._table(tokens[at:end])
        elif _is_plain(token) and not self.lists and not self.quotes and tokens[at - 1].type == "paragraph_open":
            text = "\n".join(self.lines[begin:stop])
        else:
            text = self._inline(token.children or [], heading=tokens[at - 1].type == "heading_open")
        self._put(text, begin, stop)
        return end

    def _put(self, text: str, begin: int, stop: int) -> None:
        code = text.startswith("```")
        # As deep as it was typed: two spaces or four, as the model has it.
        typed, lead = self.lines[begin], ""
        if self.lists and not code:
            lead = _INDENT * (len(self.lists) - 1) if self.quotes else typed[: len(typed) - len(typed.lstrip())]
        first, rest = lead + "".join(self.marks), lead + (_INDENT if self.marks and not code else "")
        self.marks = []
        quote = "> " * min(1, self.quotes)
        if self.parts:
            blank = sum(not line.strip(" >\t") for line in self.lines[self.written_to : begin])
            self.parts.append("\n" * (blank + 1))
        lines = text.split("\n")
        indented = [quote + (rest if n else first) + line for n, line in enumerate(lines)]
        self.parts.append("\n".join(indented))
        self.written_to = max(stop, self.written_to)
        while self.written_to > begin and not self.lines[self.written_to - 1].strip(" >\t"):
            self.written_to -= 1

    def _table(self, tokens: Sequence[Token]) -> str:
        """Each row is a line: two columns as "name: value", more with the names of the columns."""
        rows: list[list[str]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(self._inline(token.children or []).replace("\n", " ").strip())
        head, *body = rows
        if len(head) <= 2:
            title = ": ".join(_unmarked(cell) for cell in head if cell)
            return "\n".join(([f"*{title}*"] if title else []) + [f"- {': '.join(cell for cell in row if cell)}" for row in body])
        lines = []
        for row in body:
            told = [f"{_unmarked(name)}: {cell}" if name else cell for name, cell in zip(head[1:], row[1:], strict=False) if cell]
            lines.append(f"- {row[0]} – {', '.join(told)}" if told else f"- {row[0]}")
        return "\n".join(lines)

    def _inline(self, children: Sequence[Token], *, heading: bool = False) -> str:
        said = self._marked(children, bold=heading)
        said = "\n".join(line.strip() for line in said.split("\n"))
        return _wrapped(said, "*") if heading else said

    def _marked(self, children: Sequence[Token], *, bold: bool = False) -> str:
        out: list[str] = []
        at = 0
        while at < len(children):
            child = children[at]
            if child.nesting == 1:
                end = _closing(children, at)
                inner = self._marked(children[at + 1 : end], bold=bold or child.type == "strong_open")
                out.append(self._span(child, inner, _last(out), _first(children[end + 1 :]), bold=bold))
                at = end + 1
                continue
            if child.type == "image":
                out.append(self._link(child.content, str(child.attrs.get("src", ""))))
            elif child.type == "code_inline":
                out.append(f"{child.markup}{child.content}{child.markup}")
            elif child.type in ("softbreak", "hardbreak"):
                out.append("" if _last(out) == "\n" else "\n")
            else:
                out.append(_LEFT_OVER.sub(_bold_left_over, _LINE_BREAK.sub("\n", _ANGLED.sub(r"\1", child.content))))
            at += 1
        return "".join(out)

    def _span(self, opened: Token, inner: str, before: str, after: str, *, bold: bool) -> str:
        mark = opened.markup
        if opened.type == "link_open":
            return self._link(inner, str(opened.attrs.get("href", "")))
        within_word = before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
        if within_word or (mark == "__" and " " not in inner):  # 2**3**4, __init__
            return f"{mark}{inner}{mark}"
        if opened.type == "strong_open":
            return inner if bold else _wrapped(inner, "*")
        if opened.type == "s_open":
            return _wrapped(inner, "~")
        if mark == "*" and self.stars_are_bold:
            return inner if bold else _wrapped(inner, "*")
        return _wrapped(inner, "_")

    def _link(self, text: str, url: str) -> str:
        said, plain = self.restored(text).strip(), self.restored(url).removeprefix("mailto:").removeprefix("tel:")
        if not said or _address(said) == _address(plain):
            return plain
        return f"{said} {plain}" if said.endswith(":") else f"{said} ({plain})"


def _bold_left_over(found: re.Match[str]) -> str:
    return f"*{found[1]}*" + (f" {found[2]}" if found[2].isascii() and found[2] else found[2])


def _closing(children: Sequence[Token], at: int) -> int:
    depth = 0
    for place in range(at, len(children)):
        depth += children[place].nesting
        if depth == 0:
            return place
    return len(children)


def _last(out: Sequence[str]) -> str:
    return next((part[-1] for part in reversed(out) if part), "")


def _first(children: Sequence[Token]) -> str:
    return children[0].content[:1] if children and children[0].type == "text" else ""


def _wrapped(text: str, mark: str) -> str:
    """WhatsApp's marks hold for one line, and stand directly at the words."""
    lines = []
    for line in text.split("\n"):
        bare = line.strip()
        lines.append(line.replace(bare, f"{mark}{bare}{mark}", 1) if bare else line)
    return "\n".join(lines)


def _unmarked(cell: str) -> str:
    return cell.strip("*")


def _address(text: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", text.strip("*_~ ").lower()).rstrip("/")
