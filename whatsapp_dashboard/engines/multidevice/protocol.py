"""What the dashboard and an engine host say to each other (ENG-2): frames as in ``engines/wire.py`` over a socket pair.

The dashboard says ``hello`` with :data:`VERSION`, then ``call`` frames; each names a session and a method of :class:`Method`. The host
answers each with ``reply`` or ``error`` and says unasked, always with the session as ``s``:

- ``event``: one event of a conversation, ``e`` as in ``engines/raw.py``, ``offline`` when it had waited on WhatsApp's server;
- ``caught_up``: all that had waited was handed over, ``count`` messages;
- ``session``: ``e`` is ``qr``, ``qr_expired``, ``ready``, ``restricted`` or ``gone``;
- ``hung``: the library does not let go of a session that was closed, so the process must be replaced.

``event`` and ``caught_up`` carry a number ``n``. The dashboard says ``stored`` with the numbers that it has stored; what was not
acknowledged is told again by the next process that opens the session.
"""

from __future__ import annotations

from enum import StrEnum

VERSION = 1
STORE_FILE = "session.db"
"""The library's own store: keys and Signal sessions, plain while the session runs."""
PROXY_VARIABLE = "ENGINE_HOST_PROXY"
"""Names the proxy to a host, in its environment: other users of the machine can read arguments, and a proxy may have a password."""
LOCK_FILE = "session.lock"
"""Whoever holds its lock (flock) owns the session's folder."""


class Method(StrEnum):
    """What a host can be asked."""

    PING = "ping"
    OPEN = "open"
    CLOSE = "close"
    LOGOUT = "logout"
    PROBE = "probe"
    PAIR = "pair"
    SEND = "send"
    REACT = "react"
    EDIT = "edit"
    REVOKE = "revoke"
    READ = "read"
    TYPING = "typing"
    DOWNLOAD = "download"
    LOOKUP = "lookup"
