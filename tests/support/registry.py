"""Lists everything a client might call: Reflex's event registry and the API's routes, as the real app has them."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Handler:
    """An entry of the event registry."""

    name: str
    arguments: dict[str, str]
    """Name to the annotation's text."""
    offered: bool
    """Whether it carries the mark of `action` or `background`."""


@dataclass(frozen=True)
class Route:
    """A method and path of the API."""

    method: str
    path: str


def load(data: Path) -> dict[str, Any]:
    """Import the app in a process of its own; what it has, for :func:`listed`."""
    environment = {**os.environ, "DATA_DIR": str(data), "__REFLEX_SKIP_COMPILE": "true"}
    result = subprocess.run(
        [sys.executable, "-m", "tests.support.registry"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return dict(json.loads(result.stdout.splitlines()[-1]))


def listed(found: dict[str, Any]) -> tuple[list[Handler], list[Route]]:
    """All handlers and all routes."""
    return [Handler(**item) for item in found["handlers"]], [Route(**item) for item in found["routes"]]


def _print() -> None:
    from reflex_base.registry import RegistrationContext
    from starlette.routing import Mount

    from whatsapp_dashboard.ui.state import is_callable
    from whatsapp_dashboard.whatsapp_dashboard import app

    handlers = []
    for name, entry in RegistrationContext.get().event_handlers.items():
        function = entry.handler.fn
        parameters = list(inspect.signature(function).parameters.values())[1:]
        arguments = {p.name: str(p.annotation) for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        handlers.append({"name": name, "arguments": arguments, "offered": is_callable(function)})
    api = app.api_transformer[0]  # type: ignore[index]
    routes = [
        {"method": method, "path": route.path}
        for route in _flat(api.routes)  # type: ignore[union-attr]
        if not isinstance(route, Mount)
        for method in sorted(getattr(route, "methods", None) or ())
        if method != "HEAD"
    ]
    print(json.dumps({"handlers": handlers, "routes": routes}))


def _flat(routes: list[Any]) -> list[Any]:
    """Routes with those of included routers, which newer FastAPI keeps nested."""
    found: list[Any] = []
    for route in routes:
        if hasattr(route, "path") and getattr(route, "methods", None):
            found.append(route)
            continue
        inner = getattr(route, "effective_route_contexts", None)
        found += list(inner()) if callable(inner) else _flat(list(getattr(route, "routes", None) or []))
    return found


if __name__ == "__main__":
    _print()
