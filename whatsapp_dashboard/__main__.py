"""The commands beside serving: ``python -m whatsapp_dashboard backup|restore|rotate-key`` (``./run`` passes them on)."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from whatsapp_dashboard.config import ConfigError, load_settings
from whatsapp_dashboard.core.crypto import CryptoError, parse_key
from whatsapp_dashboard.system.backup import BackupError, backup, restore
from whatsapp_dashboard.system.data_lock import DataFolderBusy
from whatsapp_dashboard.system.rekey import rotate


def main(arguments: list[str] | None = None) -> int:
    """Run one command; prints one sentence and returns the exit code."""
    parser = argparse.ArgumentParser(prog="./run", description="Keep the dashboard's data safe.")
    commands = parser.add_subparsers(dest="command", required=True)
    save = commands.add_parser("backup", help="write everything into one new file; works while the dashboard runs")
    save.add_argument("file", type=Path)
    load = commands.add_parser("restore", help="bring a backup back into an empty data folder")
    load.add_argument("file", type=Path)
    turn = commands.add_parser("rotate-key", help="encrypt all stored secrets with a new key; stop the dashboard first")
    turn.add_argument("--new-key", help="base64 of 32 bytes; needed when ENCRYPTION_KEY is set")
    options = parser.parse_args(arguments)
    try:
        print(_run(options))
    except (BackupError, ConfigError, CryptoError, DataFolderBusy) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    settings = load_settings()
    if options.command == "backup":
        backup(settings, options.file)
        return f"Everything is in {options.file}. It holds the encryption key: keep it as safe as the dashboard itself."
    if options.command == "restore":
        restore(settings, options.file)
        return f"Restored into {settings.data_dir.resolve()}. Start the dashboard with ./run"
    count = asyncio.run(rotate(settings, parse_key(options.new_key) if options.new_key else None))
    ending = " Start the dashboard with ENCRYPTION_KEY set to the new key." if settings.encryption_key else ""
    return f"{count} secrets are now encrypted with the new key.{ending}"


if __name__ == "__main__":
    sys.exit(main())
