"""How many files and connections this process may have open (API-4)."""

from __future__ import annotations

import resource

MOST = 65_536
"""More is never asked for: some programs walk through all that are allowed."""
_RESERVED = 512
"""Kept for the database, files, engine hosts and outgoing requests."""


def raise_limit() -> int:
    """Raise the limit of open files as far as the system allows, for this process and those it starts. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else soft


def for_connections(descriptors: int, wanted: int) -> int:
    """How many of ``wanted`` connections fit, when everything else is to go on with ``descriptors`` open files."""
    return max(1, min(wanted, descriptors - min(_RESERVED, descriptors // 2)))
