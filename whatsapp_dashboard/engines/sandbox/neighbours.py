"""A world for each workspace, all behind one socket and each with a memory of its own (ACC-15).

The first workspace has the world without a name, which was there before there were others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from whatsapp_dashboard.errors import Permanent

FIRST_WORKSPACE = "first_workspace"
"""The engine option that names it."""
FOLDER = "worlds"
"""Where the memories of all other worlds lie, in the data folder."""
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_SEEDS = 1_000_000


def world_of(workspace_id: str, options: Mapping[str, str]) -> str:
    """The name of a workspace's world; where nobody says which workspace is the first, all have the one without a name."""
    return "" if options.get(FIRST_WORKSPACE, workspace_id) == workspace_id else workspace_id


def check_name(name: object) -> str:
    """The name an engine or a phone asks for. Raises :class:`Permanent` for what cannot be one."""
    if name in (None, ""):
        return ""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Permanent("A world is named by letters, digits and hyphens.", code="bad_world")
    return name


def memory_of(data_dir: Path, name: str) -> Path:
    """The file of a world."""
    return data_dir / FOLDER / f"{name}.db" if name else data_dir / "sandbox.db"


def seed_of(first: int, name: str) -> int:
    """The seed of a world, so that its people and phones have numbers of their own."""
    return int(hashlib.sha256(f"{first}:{name}".encode()).hexdigest(), 16) % _SEEDS
