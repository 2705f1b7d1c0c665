"""Which requirement is proved where."""

from __future__ import annotations

from tests.support.requirements import DOCUMENT, known, proofs, rendered


def test_tests_name_only_requirements_that_exist() -> None:
    """OPS-1: a requirement id in a test's docstring stands in docs/requirements.md."""
    unknown = {requirement: files for requirement, files in proofs().items() if requirement not in known()}
    assert not unknown


def test_the_list_says_where_each_requirement_is_proved() -> None:
    """OPS-1: docs/requirements.md is up to date."""
    assert DOCUMENT.read_text() == rendered(), "run: python -m tests.support.requirements"
