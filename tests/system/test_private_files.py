"""Only the user who runs the dashboard can read its data (SEC-7)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installations import settings_in
from tests.support.server import Server
from whatsapp_dashboard.system.private_files import begin_privately, tighten


def loose(folder: Path) -> list[str]:
    """What others may read, write or look into."""
    return [str(path) for path in (folder, *folder.rglob("*")) if not path.is_symlink() and path.lstat().st_mode & 0o077]


def test_a_dashboard_makes_its_files_for_itself_only_and_closes_those_of_older_versions(new_server: Callable[..., Server]) -> None:
    """SEC-7: the database and its journal, key, sandbox, locks, folders; the pages stay readable."""
    before = os.umask(0o022)
    os.umask(before)
    server = new_server()
    server.start()
    assert (server.data_dir / "dashboard.db-wal").exists()
    assert loose(server.data_dir) == []
    server.terminate()
    for path in (server.data_dir, *server.data_dir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    server.start()
    assert loose(server.data_dir) == []


def test_what_cannot_be_closed_does_not_end_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-7, SEC-8: a file of somebody else, or a file system without rights; links are not followed."""
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    settings = settings_in(tmp_path / "data")
    (settings.data_dir / "sessions" / "a").mkdir(parents=True)
    (settings.data_dir / "dashboard.db").touch(0o644)
    (settings.data_dir / "sessions" / "a" / "link").symlink_to(outside)

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(Path, "chmod", refuse)
        tighten(settings)
    assert loose(settings.data_dir)
    tighten(settings)
    assert loose(settings.data_dir) == []
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_others_need_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-7: with DATA_DIR at the home folder or a shared one, only the dashboard's own files are closed."""
    tmp_path.chmod(0o755)
    (tmp_path / "dashboard.db").touch(0o644)
    (tmp_path / "index.html").touch(0o644)
    monkeypatch.setenv("HOME", str(tmp_path / "ana"))
    tighten(settings_in(tmp_path))
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "dashboard.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "index.html").stat().st_mode & 0o777 == 0o644


def test_new_files_are_private_from_their_first_moment(tmp_path: Path) -> None:
    """SEC-7: by the umask, so that no file is readable before it is closed."""
    before = begin_privately()
    try:
        (tmp_path / "new").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
