"""Which requirement is proved where."""

from __future__ import annotations

from tests.support.requirements import known, listed, proofs


def test_tests_name_only_requirements_that_exist() -> None:
    """OPS-1: a requirement id in a test's docstring stands in docs/requirements.md."""
    unknown = {requirement: files for requirement, files in proofs().items() if requirement not in known()}
    assert not unknown


def test_the_list_says_where_each_requirement_is_proved() -> None:
    """OPS-1: every proof in docs/requirements.md is one, and no proved requirement stands there without."""
    where = proofs()
    wrong = {name: files - set(where.get(name, [])) for name, files in listed().items() if files - set(where.get(name, []))}
    missing = [name for name, files in listed().items() if where.get(name) and not files]
    assert not wrong, "run: python -m tests.support.requirements"
    assert not missing, "run: python -m tests.support.requirements"
