"""PostgreSQL's own programs for backups. The password goes to them by their environment: every user of the machine can read arguments."""

from __future__ import annotations

import os
import shutil
import subprocess

from sqlalchemy import URL, make_url

_SECONDS = 3_600
_KNOWN = {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "options", "connect_timeout", "application_name", "target_session_attrs"}
_SECRET = {"password": "PGPASSWORD", "sslpassword": "PGSSLPASSWORD"}


class ToolError(Exception):
    """A program is missing or failed; the text says why."""


def run_tool(name: str, database: str, *arguments: str) -> None:
    """Run ``pg_dump`` or ``pg_restore`` on the database at the URL ``database``. Raises :class:`ToolError`."""
    tool = shutil.which(name)
    if tool is None:
        raise ToolError(f"{name} is not installed. Install PostgreSQL's client programs (Debian: postgresql-client).")
    where, variables = _connection(make_url(database))
    command = [tool, *arguments, "--no-password", f"--dbname={where}"]
    result = subprocess.run(  # noqa: S603  (our own arguments)
        command, env=os.environ | variables, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if result.returncode:
        raise ToolError(f"{name} failed: {result.stderr.strip()[-500:]}")


def _connection(url: URL) -> tuple[str, dict[str, str]]:
    """The address without secrets, in the words of PostgreSQL's programs, and the variables with the secrets."""
    options = {name: str(value) for name, value in url.query.items()}
    if "ssl" in options:
        options.setdefault("sslmode", options["ssl"])
    secrets = {_SECRET[name]: value for name, value in options.items() if name in _SECRET}
    if url.password is not None:
        secrets["PGPASSWORD"] = url.password
    plain = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: value for name, value in options.items() if name in _KNOWN or name in ("host", "port")},
    )
    return plain.render_as_string(hide_password=False), secrets
