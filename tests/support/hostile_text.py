"""Every regular expression of the program, and text made of its own pieces to make it slow.

``python -m tests.support.hostile_text`` tries them all and prints the ones that do not get through in time.
"""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from re import _constants as kinds  # type: ignore[attr-defined]  # how Python itself reads a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "whatsapp_dashboard"
SIGNS = 30_000
"""Of each text: what is linear needs milliseconds for it, what is quadratic many seconds."""
CPU_SECONDS = 0.4
_FUNCTIONS = {"compile": 1, "match": 2, "fullmatch": 2, "search": 2, "findall": 2, "finditer": 2, "split": 3, "sub": 4, "subn": 4}
"""Of :mod:`re`, and where they take flags."""
_CATEGORIES = {kinds.CATEGORY_DIGIT: "1", kinds.CATEGORY_SPACE: " \n", kinds.CATEGORY_WORD: "a", kinds.CATEGORY_NOT_WORD: "!"}
_LONGEST_REPEAT = 64
_TEXTS = 150
"""Of one pattern at most."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression and the line it stands in."""

    where: str
    pattern: str | bytes
    flags: int = 0


class Unreadable(Exception):
    """A pattern that is only known while the program runs."""


def patterns(package: Path = PACKAGE) -> Iterator[Pattern | Unreadable]:
    """All of them: what :mod:`re` is given, and what is called ``pattern`` where values are checked."""
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text())
        names = _names(tree, package.parent)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            where = f"{path.relative_to(package.parent)}:{node.lineno}"
            function = ast.unparse(node.func)
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            if function.startswith("re.") and (place := _FUNCTIONS.get(function[3:])):
                flags = named.get("flags") or (node.args[place] if len(node.args) > place else None)
                yield _read(where, node.args[0] if node.args else named["pattern"], flags, names)
            elif "pattern" in named:
                yield _read(where, named["pattern"], None, names)


def texts(pattern: Pattern) -> list[Any]:
    """A beginning that fits, a piece again and again, and an end that does not fit: of all of these the pattern consists of."""
    found: dict[str, None] = {}
    for sequence in _sequences(parser.parse(pattern.pattern, pattern.flags)):
        words = [node[0] is kinds.LITERAL for node in sequence] + [False]  # the middle of a word is no place to go wrong
        beginnings = dict.fromkeys(_sample(sequence[:length]) for length in range(len(sequence) + 1) if not words[length] or not length)
        pieces = dict.fromkeys([*beginnings, *(one for node in sequence if node[0] is not kinds.LITERAL for one in _pieces(node))])
        for beginning, piece, end in product(beginnings, filter(None, pieces), ("", "\x01", "\n\x01")):
            found[beginning + piece * (SIGNS // len(piece)) + end] = None
    step = len(found) // _TEXTS + 1
    chosen = list(found)[::step]
    return [text.encode("utf-8", "replace") for text in chosen] if isinstance(pattern.pattern, bytes) else chosen


def attempt(pattern: Pattern) -> None:
    """Look for the pattern in all texts, the ways it can be looked for."""
    compiled: Any = re.compile(pattern.pattern, pattern.flags)
    for text in texts(pattern):
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # processor time: how busy the machine is does not matter
        compiled.match(text)
        compiled.fullmatch(text)
        for _ in compiled.finditer(text):
            pass
        signal.setitimer(signal.ITIMER_PROF, 0)


def slow(package: Path = PACKAGE) -> list[str]:
    """The patterns that are not through in time: ``file:line pattern``. Those that cannot be read are named too."""
    found = [str(each) for each in patterns(package) if isinstance(each, Unreadable)]
    every, done = [each for each in patterns(package) if isinstance(each, Pattern)], 0
    while done < len(every):
        run = subprocess.run(
            [sys.executable, "-m", __spec__.name if __spec__ else __name__, str(package), str(done)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        done += len(run.stdout.splitlines())
        if run.returncode:
            if run.returncode != -signal.SIGPROF:
                raise AssertionError(run.stderr)
            found.append(f"{every[done].where} {every[done].pattern!r}")
            done += 1
    return found


def _names(tree: ast.Module, root: Path) -> dict[str, Any]:
    """The constants that a pattern may be put together from: the module's own, and those it takes from its neighbours in ``root``."""
    names: dict[str, Any] = {"re": re}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            path = root / f"{node.module.replace('.', '/')}.py"
            theirs = _constants(ast.parse(path.read_text())) if path.is_file() else {}
            names |= {alias.asname or alias.name: theirs[alias.name] for alias in node.names if alias.name in theirs}
    return names | _constants(tree)


def _constants(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in (node for node in tree.body if isinstance(node, ast.Assign)):
        try:
            value = ast.literal_eval(node.value)
        except ValueError:
            continue
        if isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = value
        elif isinstance(node.targets[0], ast.Tuple):
            found |= dict(zip((ast.unparse(name) for name in node.targets[0].elts), value, strict=False))
    return found


def _read(where: str, pattern: ast.expr, flags: ast.expr | None, names: dict[str, Any]) -> Pattern | Unreadable:
    try:
        read = [eval(compile(ast.Expression(part), where, "eval"), {**names}) if part else 0 for part in (pattern, flags)]
    except NameError:
        return Unreadable(f"{where} {ast.unparse(pattern)}")
    return Pattern(where, read[0], int(read[1]))


def _sequences(tree: Any) -> Iterator[list[Any]]:
    """The pattern itself, and every part of it that is a pattern of its own."""
    nodes = list(tree)
    if not any(kind is kinds.BRANCH and len(nodes) == 1 for kind, _ in nodes):
        yield nodes
    for kind, value in nodes:
        for inner in _inner(kind, value):
            yield from _sequences(inner)


def _inner(kind: Any, value: Any) -> list[Any]:
    if kind is kinds.BRANCH:
        return list(value[1])
    if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is kinds.SUBPATTERN:
        return [value[3]]
    if kind in (kinds.ASSERT, kinds.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is kinds.ATOMIC_GROUP else []


def _pieces(node: Any) -> list[str]:
    """Texts that fit one part of a pattern."""
    kind, value = node
    if kind is kinds.IN:
        return [sign for item in value for sign in _members(item)] or ["a", "1", " "]
    if kind is kinds.ANY:
        return ["a", " "]
    inner = _inner(kind, value)
    return [piece for part in inner for one in part if one[0] is not kinds.LITERAL for piece in _pieces(one)] + [_sample([node])]


def _members(item: Any) -> str:
    kind, value = item
    if kind is kinds.CATEGORY:
        return _CATEGORIES.get(value, "")
    return chr(value) if kind is kinds.LITERAL else chr(value[0]) if kind is kinds.RANGE else ""


def _sample(nodes: Any) -> str:
    """A text that fits these parts one after the other, as far as that is easily said."""
    return "".join(_one(kind, value) for kind, value in nodes)


def _one(kind: Any, value: Any) -> str:
    if kind is kinds.LITERAL:
        return chr(value)
    if kind in (kinds.ANY, kinds.NOT_LITERAL):
        return "a"
    if kind is kinds.IN:
        refused = "".join(_members(item) for item in value)
        members = refused if value[0][0] is not kinds.NEGATE else next(sign for sign in "a1 !" if sign not in refused)
        return members[:1] or "!"
    if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
        return _sample(value[2]) * min(max(value[0], 1), _LONGEST_REPEAT)
    if kind is kinds.ASSERT_NOT:
        return ""
    return _sample(inner[0]) if (inner := _inner(kind, value)) else ""


def _main() -> None:
    every = [each for each in patterns(Path(sys.argv[1])) if isinstance(each, Pattern)]
    for pattern in every[int(sys.argv[2]) :]:
        attempt(pattern)
        print(pattern.where, flush=True)


if __name__ == "__main__":
    _main() if len(sys.argv) > 1 else print("\n".join(slow()))
