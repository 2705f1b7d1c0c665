"""Builds the pages into .web, only when what they are made of has changed: ``python -m whatsapp_dashboard.ui.build``, and at each start."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WEB = Path(".web")
BUILT = WEB / "build" / "client"
STAMP = WEB / "built-from"
LOCK = Path(".web.lock")
_SOURCES = ("whatsapp_dashboard/ui", "whatsapp_dashboard/domain", "assets", "reflex.lock")
_SINGLE = ("rxconfig.py", "requirements.txt", "whatsapp_dashboard/whatsapp_dashboard.py")
_LAST_LINES = 30


class BuildError(Exception):
    """The pages could not be built; the text says why."""


def ensure_built(root: Path, *, say: object = None) -> bool:
    """Build the pages in ``root`` if they are not up to date; returns whether that was needed. Raises :class:`BuildError`."""
    tell = say if callable(say) else (lambda _line: None)
    wanted = sources_hash(root)
    if _is_current(root, wanted):
        return False
    with (root / LOCK).open("w") as lock:
        # Two starts at once must not write into the same folder; the second one finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(root, wanted):
            return False
        first = not (root / WEB / "node_modules").exists()
        tell("Building the pages" + (" (the first time this takes a minute)" if first else ""))
        _build(root)
        # Of what the build has left behind: it may write its lists of packages anew.
        (root / STAMP).write_text(sources_hash(root), encoding="utf-8")
    return True


def sources_hash(root: Path) -> str:
    """A hash of everything the built pages depend on."""
    digest = hashlib.sha256()
    for path in _files(root):
        digest.update(str(path.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for name in _SINGLE:
        yield root / name
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*")):
            # Reflex links the assets of its own components into assets/external while it builds.
            if path.is_file() and "__pycache__" not in path.parts and "external" not in path.parts:
                yield path


def _is_current(root: Path, wanted: str) -> bool:
    try:
        return (root / STAMP).read_text(encoding="utf-8") == wanted and (root / BUILT / "index.html").exists()
    except OSError:
        return False


def _build(root: Path) -> None:
    (root / STAMP).unlink(missing_ok=True)
    environment = {
        **os.environ,
        # Node and npm are installed by pip, beside this Python.
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""),
        "REFLEX_USE_NPM": "true",
        # Whatever the user's npm is told: the lock file stays as it is committed.
        "npm_config_omit_lockfile_registry_resolved": "true",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
    ours = [path for path in (root / ".gitignore", root / "reflex.lock" / "package.json") if path.exists()]
    before = {path: path.read_bytes() for path in ours}
    result = subprocess.run(  # noqa: S603  (our own command line)
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    for path, content in before.items():
        # Reflex adds its own lines to .gitignore, and writes its list of packages anew in another order.
        if path.suffix != ".json" or json.loads(path.read_bytes()) == json.loads(content):
            path.write_bytes(content)
    if result.returncode != 0 or not (root / BUILT / "index.html").exists():
        tail = "\n".join(result.stdout.splitlines()[-_LAST_LINES:])
        raise BuildError(f"The pages could not be built. The last lines of the build:\n{tail}")


def _main() -> int:
    try:
        ensure_built(Path(__file__).resolve().parents[2], say=lambda line: print(line, file=sys.stderr))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main())
