"""Writes the first revision anew from the models: ``python alembic/regenerate.py``.

Only while nothing was released. Afterwards a change of the models is a revision of its own:
``alembic revision --autogenerate --rev-id 0002 -m "What changes"``.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from alembic import command  # noqa: E402

from whatsapp_dashboard.core.migrations import alembic_config, migration_connection  # noqa: E402

VERSIONS = ROOT / "alembic" / "versions"
FIRST = "0001"


def _write(connection: Any) -> None:
    command.revision(alembic_config(connection), message="First tables", autogenerate=True, rev_id=FIRST)


async def main() -> None:
    """Compare the models with an empty database, and write what is missing: everything."""
    others = [path.name for path in VERSIONS.glob("*.py") if not path.name.startswith(FIRST)]
    if others:
        raise SystemExit(f"There are later revisions ({', '.join(others)}): write a new one instead.")
    for path in VERSIONS.glob("*.py"):
        path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        async with migration_connection(f"sqlite+aiosqlite:///{folder}/empty.db") as connection:
            await connection.run_sync(_write)


asyncio.run(main())
for path in VERSIONS.glob("*.py"):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "### " not in line), encoding="utf-8")
for arguments in (["format", "--quiet"], ["check", "--fix", "--quiet"]):
    subprocess.run([sys.executable, "-m", "ruff", *arguments, str(VERSIONS)], check=True)
