"""An installation on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installations import settings_in
from whatsapp_dashboard.config import Settings


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a dashboard that was never started; the test runs on both databases."""
    return settings_in(tmp_path / "data", database_url)
