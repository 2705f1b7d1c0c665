"""The commands beside serving: ``python -m whatsapp_dashboard COMMAND`` (``./run`` passes them on)."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from whatsapp_dashboard.auth.recovery import reset_access
from whatsapp_dashboard.config import ConfigError, Settings, load_settings
from whatsapp_dashboard.core.crypto import CryptoError, parse_key
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.messages.media_sweep import MediaSweep
from whatsapp_dashboard.system.backup import BackupError, backup
from whatsapp_dashboard.system.data_lock import DataFolderBusy, DataLocks
from whatsapp_dashboard.system.forget_secrets import forget
from whatsapp_dashboard.system.installation import check_revision, newest_revision, stored_revision
from whatsapp_dashboard.system.private_files import begin_privately
from whatsapp_dashboard.system.rekey import rotate
from whatsapp_dashboard.system.restore import restore
from whatsapp_dashboard.system.sqlite_file import check_file, sqlite_path

_NEW_KEY = "NEW_ENCRYPTION_KEY"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; prints one sentence and returns the exit code."""
    options = _parser().parse_args(arguments)
    begin_privately()
    try:
        print(_run(options, load_settings()))
    except (BackupError, ConfigError, CryptoError, DataFolderBusy, AppError) as error:
        print(error, file=sys.stderr)
        return 1
    except DBAPIError as error:
        print(f"The database cannot be used: {str(error.orig).strip()}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'The data folder'} cannot be used: {error.strerror or error}.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run", description="Keep the dashboard's data safe, and its people able to log in.")
    commands = parser.add_subparsers(dest="command", required=True)
    save = commands.add_parser("backup", help="write everything into one new file; works while the dashboard runs")
    save.add_argument("file", type=Path)
    load = commands.add_parser("restore", help="bring a backup back into an empty data folder")
    load.add_argument("file", type=Path)
    turn = commands.add_parser("rotate-key", help="encrypt all stored secrets with a new key; stop the dashboard first", allow_abbrev=False)
    turn.add_argument(
        "--new-key-file",
        metavar="FILE",
        help=f"a file with base64 of 32 bytes, - for standard input; {_NEW_KEY} in the environment does as well. Needed when ENCRYPTION_KEY"
        " is set. Not an argument, because every user of the machine can read those",
    )
    back = commands.add_parser("reset-password", help="a new password for an operator, without second factor; the dashboard may run")
    back.add_argument("username")
    back.add_argument("--ask", action="store_true", help="ask for the password (or read a line of standard input) instead of making one")
    commands.add_parser("forget-secrets", help="for a lost encryption key: remove what cannot be read any more; stop the dashboard first")
    commands.add_parser("sweep-media", help="put aside all files that no message names, also when they are very many")
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> str:
    match options.command:
        case "backup":
            backup(settings, options.file)
            return f"Everything is in {options.file}. It holds the encryption key: keep it as safe as the dashboard itself."
        case "restore":
            note = restore(settings, options.file)
            return f"Restored into {settings.data_dir.resolve()}.{note} Start the dashboard with ./run"
        case "rotate-key":
            count = asyncio.run(rotate(settings, _new_key(options.new_key_file)))
            ending = " Start the dashboard with ENCRYPTION_KEY set to the new key." if settings.encryption_key else ""
            return f"{count} secrets are now encrypted with the new key.{ending}"
        case "forget-secrets":
            return asyncio.run(forget(settings))
        case "sweep-media":
            return asyncio.run(_sweep_media(settings))
        case _:
            return asyncio.run(_reset_password(settings, options.username, _asked() if options.ask else None))


def _new_key(file: str | None) -> bytes | None:
    """The new key, never from the command line itself."""
    if file == "-":
        return parse_key(sys.stdin.readline().strip())
    if file:
        return parse_key(Path(file).read_text(encoding="utf-8").strip())
    given = os.environ.get(_NEW_KEY, "").strip()
    return parse_key(given) if given else None


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigError("The two are not the same. Nothing was changed.")
    return password


async def _open(settings: Settings) -> Database:
    """The database of a dashboard that runs or does not; one of an older version is brought up to date, as a start would do."""
    path = sqlite_path(settings.database)
    revision = await stored_revision(settings.database) if path is None or check_file(path) else None
    if revision is None:
        raise ConfigError("There is no dashboard in the database yet. Check DATA_DIR and DATABASE_URL, or start the dashboard once.")
    check_revision(revision, "The database")
    if revision != newest_revision():
        locks = DataLocks(settings)
        locks.take()
        try:
            await upgrade(settings.database)
        finally:
            locks.free()
    return Database(settings.database)


async def _reset_password(settings: Settings, username: str, password: str | None) -> str:
    db = await _open(settings)
    try:
        name, chosen, disabled = await reset_access(db, username, password)
    finally:
        await db.close()
    shown = "" if password else f"New password of {name}: {chosen}\nIt is shown only once. "
    note = f" {name} is disabled: another owner must enable the operator on the team page." if disabled else ""
    return f"{shown}The second factor is off, all sessions of {name} are ended, and the lock-out is lifted.{note}"


async def _sweep_media(settings: Settings) -> str:
    db = await _open(settings)
    try:
        moved = await MediaSweep(db, settings.media_dir).run(in_any_case=True)
    finally:
        await db.close()
    return f"{moved} files that no message names were put aside. Until they are deleted in some days, they come back when they are needed."


if __name__ == "__main__":
    sys.exit(main())
