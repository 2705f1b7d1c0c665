"""What the build needs around it: Node.js, an environment that is the same for every user, and lock files that stay as committed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NPM_SETTINGS = {
    # Whatever the user's npm is told: these lines would be written into the lock file, with the address of the user's registry.
    "omit_lockfile_registry_resolved": "true",
    "package_lock": "true",
    "package_lock_only": "false",
    "lockfile_version": "3",
    "save": "true",
    "save_exact": "false",
    "save_prefix": "^",
    "dry_run": "false",
    "global": "false",
    # Half of what the build needs are development and optional packages.
    "include": "dev\n\noptional",
    "audit": "false",
    "fund": "false",
    "update_notifier": "false",
}
"""npm's settings that decide what comes out. Where packages come from (registry, proxy, certificates, log-in) is the user's."""
LOCKS = Path("reflex.lock")
_LOCK = "package-lock.json"


def search_path() -> str:
    """Where the build looks for programs: first beside this Python, where pip puts Node and npm."""
    return str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")


def has_node() -> bool:
    """Whether pages could be built here."""
    return all(shutil.which(program, path=search_path()) for program in ("node", "npm"))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build: ``given`` without what would make it another one on another machine."""
    kept = {name: value for name, value in given.items() if _npm_setting(name) not in NPM_SETTINGS and name != "NODE_ENV"}
    ours = {f"npm_config_{name}": value for name, value in NPM_SETTINGS.items()}
    reflex = {"REFLEX_USE_NPM": "true", "REFLEX_TELEMETRY_ENABLED": "false", "NO_COLOR": "1"}
    return {**kept, **ours, **reflex, "PATH": search_path()}


def _npm_setting(name: str) -> str:
    """Which setting of npm a variable is; npm knows each in small and capital letters, with either dash."""
    low = name.lower().replace("-", "_")
    return low.removeprefix("npm_config_") if low.startswith("npm_config_") else ""


class Kept:
    """Files of the checkout that the framework writes anew while it builds, as they were before."""

    def __init__(self, root: Path) -> None:
        paths = (root / ".gitignore", root / LOCKS / "package.json", root / LOCKS / _LOCK)
        self._before = {path: path.read_bytes() for path in paths if path.exists()}

    def put_back(self) -> None:
        """As if nothing had been built."""
        for path, content in self._before.items():
            _write(path, content)

    def settle(self) -> None:
        """Keep what the build has really changed, a package or its version, and nothing that is only written in another way."""
        for path, content in self._before.items():
            if path.suffix != ".json":
                _write(path, content)
            elif path.name == _LOCK:
                _settle_lock(path, content)
            elif _read(path.read_bytes()) == _read(content):
                _write(path, content)


def _settle_lock(path: Path, before: bytes) -> None:
    lock = _read(path.read_bytes()) if path.exists() else None
    if lock is None or _versions(lock) == _versions(_read(before)):
        _write(path, before)
        return
    for package in lock["packages"].values():
        package.pop("resolved", None)
    _write(path, (json.dumps(lock, indent=2, ensure_ascii=False) + "\n").encode())


def _versions(lock: Any) -> Any:
    """What a lock file pins: each package with its version, and what the project asks for."""
    packages = lock.get("packages") if isinstance(lock, dict) else None
    if not isinstance(packages, dict):
        return None
    root = packages.get("", {})
    asked = [root.get(kind, {}) for kind in ("dependencies", "devDependencies")]
    return asked, {name: package.get("version") for name, package in packages.items() if name}


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
