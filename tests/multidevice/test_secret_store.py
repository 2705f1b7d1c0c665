"""The secrets of messages are kept beside the journal, bounded, and survive restarts (MSG-12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatsapp_dashboard.engines.multidevice.host import secret_store
from whatsapp_dashboard.engines.multidevice.host.journal import Journal

SECRET = bytes(range(32))


def test_a_secret_survives_a_restart_and_the_first_one_counts(tmp_path: Path) -> None:
    """MSG-12: told twice, it stays the same."""
    journal = Journal(tmp_path)
    journal.secrets.remember([("M1", "carla", SECRET), ("M1", "dev", SECRET[::-1])])
    journal.secrets.remember([("M1", "carla", bytes(32))])
    journal.close()
    journal = Journal(tmp_path)
    assert journal.secrets.of("M1") == [("dev", SECRET[::-1]), ("carla", SECRET)]
    assert journal.secrets.of("M2") == []
    journal.close()


def test_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSG-12: the newest ones, also of sealed changes that wait for their message."""
    monkeypatch.setattr(secret_store, "KEEP_SECRETS", 1_000)
    journal = Journal(tmp_path)
    for number in range(3_000):
        journal.secrets.remember([(f"M{number}", "carla", SECRET)])
        journal.secrets.keep_sealed("T", f"change {number}".encode())
    assert journal.secrets.of("M2999")
    assert not journal.secrets.of("M100")
    assert journal._db.execute("SELECT count(*) FROM secret").fetchone()[0] <= 1_500
    kept = journal.secrets.sealed_for("T")
    assert (len(kept), kept[-1]) == (secret_store.KEEP_SEALED, b"change 2999")
    assert journal.secrets.sealed_targets() == {"T"}
    journal.close()


def test_a_full_disk_does_not_keep_messages_back(tmp_path: Path) -> None:
    """MSG-12, DUR-1: what cannot be kept is missing later, and nothing else."""
    journal = Journal(tmp_path)
    journal._db.execute("PRAGMA query_only = ON")
    journal.secrets.remember([("M1", "carla", SECRET)])
    journal.secrets.keep_sealed("M1", b"change")
    assert journal.secrets.of("M1") == []
    journal.close()
