"""A stopped session's store, encrypted at rest (SEC-7, ACC-4).

While a session runs, the library needs its store as a plain SQLite file (mode 600). When it has stopped, the file is sealed with
AES-256-GCM under a key of its own, and removed. The key is the session's credential in the database, sealed there by the
program's key, so that a rotation of that key never touches these files. After a crash the plain file stays until the next stop; it is
the newer one whenever both are there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from whatsapp_dashboard.engines.multidevice.protocol import LOCK_FILE, STORE_FILE

SEALED_FILE = "session.sealed"
_NONCE_BYTES = 12
_PLACE = b"multidevice session store v1"


class MissingStore(Exception):
    """The session's files are gone or damaged: it must be linked anew. The text says what is wrong."""


class Vault:
    """The files of one session. Every method blocks: call them on a worker thread."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._key = key
        self._plain = folder / STORE_FILE
        self._sealed = folder / SEALED_FILE

    @staticmethod
    def new_key() -> bytes:
        """A key for a session that is to be linked."""
        return AESGCM.generate_key(256)

    @property
    def message_secret(self) -> bytes:
        """What a host marks messages with; useless for opening the store."""
        return hmac.digest(self._key, b"message secrets", hashlib.sha256)

    def begin(self) -> None:
        """Room for a session that is to be linked: whatever an earlier one left is removed."""
        self.wipe()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def unseal(self) -> None:
        """Make the store ready to run. Raises :class:`MissingStore`."""
        if not self._plain.exists():
            if not self._sealed.exists():
                raise MissingStore("The stored session is gone from the data folder.")
            raw = self._sealed.read_bytes()
            try:
                data = AESGCM(self._key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PLACE)
            except (InvalidTag, ValueError):
                raise MissingStore("The stored session is damaged or belongs to another key.") from None
            _write(self._plain, data)
        self._sealed.unlink(missing_ok=True)

    def seal(self) -> bool:
        """Encrypt the store and remove the plain file; False when a process still has the session, then nothing is done."""
        with self._owned() as ours:
            if not ours or not self._plain.exists():
                return ours
            with closing(sqlite3.connect(self._plain)) as db:
                data = db.serialize()
            nonce = os.urandom(_NONCE_BYTES)
            _write(self._sealed, nonce + AESGCM(self._key).encrypt(nonce, data, _PLACE))
            for suffix in ("", "-wal", "-shm"):
                self._plain.with_name(self._plain.name + suffix).unlink(missing_ok=True)
            return True

    def wipe(self) -> None:
        """Forget the session."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def _owned(self) -> Iterator[bool]:
        """Whether no process has the session; it stays so meanwhile."""
        if not self.folder.is_dir():
            yield True
            return
        descriptor = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)


def _write(target: Path, data: bytes) -> None:
    """Write the file whole or not at all, and on disk."""
    part = target.with_name(target.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
