"""A start that cannot succeed ends with one sentence (SEC-8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatsapp_dashboard.config import ConfigError, Settings
from whatsapp_dashboard.system.preflight import prepare_data_folder, wait_for_database


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type,call-arg]


def test_a_second_dashboard_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """SEC-8, MSG-3: two would answer every message twice."""
    first = prepare_data_folder(settings(data_dir=tmp_path))
    with pytest.raises(ConfigError, match="Another dashboard"):
        prepare_data_folder(settings(data_dir=tmp_path))
    first.free()
    again = prepare_data_folder(settings(data_dir=tmp_path))
    again.free()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """SEC-8: the sentence names the setting and the folder."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="DATA_DIR"):
        prepare_data_folder(settings(data_dir=tmp_path / "file" / "data"))


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    """SEC-8, OBS-6: what was tried, never the secret."""
    said: list[str] = []
    with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
        wait_for_database(settings(database_url="postgresql://ana:geheim@127.0.0.1:1/x"), said.append, seconds=0.6)
    assert "geheim" not in str(caught.value) + "".join(said)
    assert said, "whoever waits is told why"


def test_a_database_that_answers_is_not_waited_for(tmp_path: Path) -> None:
    """OPS-1: the start stays quick."""
    said: list[str] = []
    wait_for_database(settings(data_dir=tmp_path), said.append)
    assert said == []
