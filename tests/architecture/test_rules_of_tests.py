"""The rules that tests themselves keep to."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from tests.support.processes import alive
from tests.support.waiting import block_until

ROOT = Path(__file__).resolve().parents[2]
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted((ROOT / "tests").rglob("*.py"))}

CLOCKS = {"monotonic", "perf_counter", "process_time", "time"}
MEASURED = re.compile(r"(?:^|_)(?:seconds?|took|elapsed|waited|waits|lasted|spent|duration|delays?|latency|worst|slowest|p\d\d)(?:_|$)")
"""What measured times are called."""


def test_every_test_says_what_it_proves() -> None:
    """OPS-1: a docstring on every test, so that docs/requirements.md can say where a promise is proved."""
    silent = [
        f"{name}: {node.name}"
        for name, tree in TREES.items()
        if Path(name).name.startswith("test_")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_no_test_judges_by_a_time_under_a_second() -> None:
    """OPS-1: on a busy machine a moment may take seconds, so that a test fails by chance. What must happen is waited for with patience
    (tests.support.waiting); a time-out that must come stands in ``pytest.raises(TimeoutError)``."""
    hasty = [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for name, tree in TREES.items()
        for node in _patient(tree)
        if (isinstance(node, ast.Compare) and _compares_a_moment(node)) or (isinstance(node, ast.Call) and _waits_a_moment(node))
    ]
    assert not hasty


def _patient(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those in which a time-out is what must come."""
    left = [tree]
    while left:
        node = left.pop()
        if not (isinstance(node, ast.With | ast.AsyncWith) and any(_expects_a_timeout(item.context_expr) for item in node.items)):
            yield node
            left += ast.iter_child_nodes(node)


def _expects_a_timeout(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "raises" and any("TimeoutError" in ast.unparse(given) for given in node.args)


def _compares_a_moment(node: ast.Compare) -> bool:
    """Whether it compares something measured with a part of a second."""
    return any(
        isinstance(how, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        and any(_is_measured(one) and _is_moment(other) for one, other in permutations(pair))
        for how, pair in zip(node.ops, pairwise([node.left, *node.comparators]), strict=True)
    )


def _waits_a_moment(node: ast.Call) -> bool:
    """Whether it waits less than a second for what must happen."""
    given = {word.arg: word.value for word in node.keywords} | dict(enumerate(node.args))
    match ast.unparse(node.func):
        case "asyncio.timeout":
            limit = given.get(0, given.get("delay"))
        case "asyncio.wait_for":
            limit = given.get(1, given.get("timeout"))
        case "until" | "block_until":
            limit = given.get("seconds")
        case _:
            return False
    return limit is not None and _is_moment(limit)


def _is_measured(node: ast.expr) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _name(part.func) in CLOCKS:
            return True
        if isinstance(part, ast.Name | ast.Attribute) and MEASURED.search(_name(part)):
            return True
    return False


def _is_moment(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a parent of one's choice")
def test_what_outlives_a_command_is_named_killed_and_a_failure() -> None:
    """OPS-1: no run of the tests leaves anything behind."""
    leaving = "import subprocess; subprocess.Popen(['sleep', '4711'], start_new_session=True)"
    code = f"""
import sys
from tests.tools import watched
watched.GRACE_SECONDS = 1
sys.exit(watched.main([sys.executable, "-c", {leaving!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    pid = re.fullmatch(r"Still running after the end, and killed: (\d+) sleep 4711", done.stderr.strip())
    assert pid is not None, done.stderr
    block_until(lambda: not alive(int(pid[1])))
