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


def same_origin(source: str) -> str:
    """Make `getBackendURL` use the port the page came from. Raises RuntimeError when Reflex's source changed."""
    if _MARK in source:
        return source
    for old, new in _REPLACEMENTS:
        if source.count(old) != 1:
            raise RuntimeError(f"Reflex's {_STATE_JS} no longer contains {old!r}; adapt {__name__}")
        source = source.replace(old, new)
    return source


class SameOriginPlugin(Plugin):
    """Rewrites the address computation in Reflex's front end while it compiles."""

    def pre_compile(self, **context: Any) -> None:
        """Ask the compiler to pass `utils/state.js` through `same_origin`."""
        context["add_modify_task"](_STATE_JS, same_origin)
