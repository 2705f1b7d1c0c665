"""Looking for what should be gone: in every column of every table, in the bytes of the database, and in every file of the data folder."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import MetaData, select, text
from sqlalchemy.ext.asyncio import create_async_engine

_WORDS = re.compile(rb"[A-Za-z0-9_.-]*(?:" + b"|".join([b"CANARY[A-Za-z0-9_.-]*", b"canari[a-z]*"]) + rb")", re.IGNORECASE)


async def in_tables(url: str, needles: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """For each table (found by looking, the full-text index too) the canaries in it."""
    engine = create_async_engine(url)
    found: dict[str, list[str]] = {}
    try:
        async with engine.connect() as connection:
            metadata = MetaData()
            await connection.run_sync(metadata.reflect)
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(text("*")).select_from(table))).all()
                hits = in_bytes("\n".join(repr(tuple(row)) for row in rows).encode(), needles)
                if hits:
                    found[table.name] = hits
    finally:
        await engine.dispose()
    return found


def in_files(folder: Path, needles: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """For each file in the folder, of whatever depth, the canaries in its name and bytes.

    Looked at in a copy that another process makes: whoever opens and closes a file of SQLite loses the locks that its process holds on it.
    """
    found = {}
    with tempfile.TemporaryDirectory() as copy:
        subprocess.run(["cp", "-r", str(folder), copy], check=False, stderr=subprocess.DEVNULL)  # sockets are no files, and some vanish
        root = Path(copy) / folder.name
        for path in sorted(root.rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            if hits := in_bytes(path.name.encode() + b"\n" + data, needles):
                found[str(path.relative_to(root))] = hits
    return found


def in_bytes(data: bytes, needles: tuple[str, ...] = ()) -> list[str]:
    """The canaries in some bytes; ``needles`` are looked for as well."""
    others = [needle for needle in needles if needle.encode() in data]
    return sorted({match.decode() for match in _WORDS.findall(data)} | set(others))
