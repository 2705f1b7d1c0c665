"""A build step that lets the compiled pages talk to wherever they were loaded from.

Reflex writes one backend address into the bundle. A dashboard is reached as localhost, by an address in the house, or
behind a reverse proxy on another port, so the bundle asks the browser's own location instead.
"""

from __future__ import annotations

from typing import Any

from reflex_base.plugins import Plugin

_STATE_JS = "utils/state.js"
_MARK = "endpoint.port = window.location.port;"
_REPLACEMENTS = (
    ("endpoint.hostname = frontend_hostname;", f"endpoint.hostname = frontend_hostname;\n    {_MARK}"),
    ('endpoint.port = ""; // Assume websocket is on https port via load balancer.', ""),
)

_QUEUED = "const normalized = normalizeEvents(events);"
_GATE = "(event) => window.waOnce?.admits(event) ?? true"


def same_origin(source: str) -> str:
    """Make `getBackendURL` use the port the page came from. Raises RuntimeError when Reflex's source changed."""
    if _MARK in source:
        return source
    for old, new in _REPLACEMENTS:
        if source.count(old) != 1:
            raise RuntimeError(f"Reflex's {_STATE_JS} no longer contains {old!r}; adapt {__name__}")
        source = source.replace(old, new)
    return source


def admitted(source: str) -> str:
    """Let assets/once.js see each event before it waits in Reflex's queue (MSG-13). Raises RuntimeError when Reflex's source changed."""
    if _GATE in source:
        return source
    if source.count(_QUEUED) != 1:
        raise RuntimeError(f"Reflex's {_STATE_JS} no longer contains {_QUEUED!r}; adapt {__name__}")
    return source.replace(_QUEUED, _QUEUED.replace(";", f".filter({_GATE});"))


class SameOriginPlugin(Plugin):
    """Rewrites two places of Reflex's front end while it compiles: the address computation, and the queue of events."""

    def pre_compile(self, **context: Any) -> None:
        """Ask the compiler to pass `utils/state.js` through both."""
        context["add_modify_task"](_STATE_JS, lambda source: admitted(same_origin(source)))
