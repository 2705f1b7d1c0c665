"""What an engine host writes down before it acts (DUR-1)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE
from whatsapp_dashboard.engines.multidevice.host import secrets_table
from whatsapp_dashboard.engines.multidevice.host.journal import FILE, Entry, Journal, SentEntry


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An empty journal."""
    return Journal(tmp_path)


def test_events_come_back_in_order_until_they_are_done(journal: Journal, tmp_path: Path) -> None:
    """DUR-1: what was not acknowledged is there after a restart."""
    for number in range(5):
        journal.append(17, f"event {number}".encode(), offline=number < 2)
    journal.done([1, 3], ["A"])
    journal.close()
    again = Journal(tmp_path)
    assert again.after(0, 10) == [Entry(2, 17, True, b"event 1"), Entry(4, 17, False, b"event 3"), Entry(5, 17, False, b"event 4")]
    assert again.after(4, 10) == [Entry(5, 17, False, b"event 4")]
    assert again.has_arrived("A")
    assert not again.has_arrived("B")


def test_numbers_are_never_given_twice(journal: Journal, tmp_path: Path) -> None:
    """A late acknowledgement must not delete a newer event."""
    journal.append(17, b"one", offline=False)
    journal.done([1], [])
    journal.append(17, b"two", offline=False)
    assert journal.after(0, 10) == [Entry(2, 17, False, b"two")]


def test_a_key_is_remembered_from_the_intention_to_the_result(journal: Journal, tmp_path: Path) -> None:
    """DUR-1: effects happen once."""
    assert journal.intend("k") is None
    assert journal.intend("k") == SentEntry(None, None, in_doubt=False)
    journal.sent("k", "3EB0", 5.0)
    assert Journal(tmp_path).intend("k") == SentEntry("3EB0", 5.0, in_doubt=False)
    journal.not_sent("k")
    assert journal.intend("k") == SentEntry("3EB0", 5.0, in_doubt=False), "what was sent is not forgotten by a late failure"
    journal.intend("refused")
    journal.not_sent("refused")
    assert journal.intend("refused") is None


def test_many_threads_write_at_once(journal: Journal) -> None:
    """The library calls back on threads of its own."""
    threads = [threading.Thread(target=lambda: [journal.append(17, b"x", offline=False) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(journal.after(0, 10_000)) == 1_600


def test_what_was_appended_survives_a_kill(tmp_path: Path) -> None:
    """DUR-1, with a real process and SIGKILL."""
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from whatsapp_dashboard.engines.multidevice.host.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(300): journal.append(17, b'%d' % n, offline=False)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=PATIENCE, check=False)
    assert [entry.body for entry in Journal(tmp_path).after(0, 1_000)] == [b"%d" % n for n in range(300)]


def test_the_file_is_private(journal: Journal, tmp_path: Path) -> None:
    """SEC-7."""
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_names_and_polls_are_kept(journal: Journal) -> None:
    """MSG-1: votes come as hashes of the options."""
    journal.remember_poll("P", ["Yes", "No"])
    assert journal.poll("P") == ("Yes", "No")
    assert journal.poll("Q") is None
    assert journal.remember_name("1@g.us", "Team")
    assert not journal.remember_name("1@g.us", "Team")
    assert journal.remember_name("1@g.us", "New team")
    assert journal.name("1@g.us") == "New team"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A file with the two tables of whatsmeow's store that are read."""
    path = tmp_path / "session.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE whatsmeow_device (jid TEXT, lid TEXT)")
        db.execute("CREATE TABLE whatsmeow_message_secrets (our_jid TEXT, chat_jid TEXT, sender_jid TEXT, message_id TEXT, key BLOB)")
        db.execute("INSERT INTO whatsmeow_device VALUES ('34600:3@s.whatsapp.net', '900:3@lid')")
        for number, (sender, secret) in enumerate(
            [("700@lid", b"a"), ("900@lid", b"mine"), ("700@lid", b"c"), ("34600@s.whatsapp.net", b"d")]
        ):
            db.execute("INSERT INTO whatsmeow_message_secrets VALUES ('us', '700@lid', ?, ?, ?)", (sender, f"ID{number}", secret))
    return path


def test_the_store_tells_which_id_a_key_got(store: Path) -> None:
    """DUR-1: after a crash in the middle of a send."""
    assert secrets_table.id_of_secret(store, b"mine") == "ID1"
    assert secrets_table.id_of_secret(store, b"other") is None
    asked = [sys.executable, "-I", secrets_table.__file__, str(store), b"mine".hex()]
    assert subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip() == "ID1"


def test_the_store_tells_what_others_wrote_since(store: Path) -> None:
    """DUR-1: a message that died with the process is known, not lost in silence."""
    assert [found.wa_id for found in secrets_table.incoming_since(store, 0)] == ["ID0", "ID2"]
    assert [found.wa_id for found in secrets_table.incoming_since(store, 1)] == ["ID2"]
    assert secrets_table.newest_row(store) == 4
