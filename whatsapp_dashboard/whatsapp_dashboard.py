"""The app: pages, API, guard and runtime put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from whatsapp_dashboard.api.app import create_api
from whatsapp_dashboard.api.gate import PREFIXES
from whatsapp_dashboard.auth.headers import SecurityHeaders, content_policy, script_hashes
from whatsapp_dashboard.config import load_settings
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.runtime import Runtime
from whatsapp_dashboard.serving.caching import Caching
from whatsapp_dashboard.ui.app import create_app
from whatsapp_dashboard.ui.guard import Guard

BUILT = Path(".web/build/client")

settings = load_settings()
app = create_app()
guards: list[Guard] = []


def protect(inner: Any) -> Any:
    """The guard, and headers on security and caching, around pages and API; called once, when the server builds the app."""
    guard = Guard(inner, settings, PREFIXES)
    guards.append(guard)
    policy = content_policy(script_hashes(BUILT.rglob("*.html")))
    return SecurityHeaders(Caching(guard), policy=policy, https=settings.secure_cookies)


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """The runtime, up for as long as the server serves."""
    runtime = Runtime(settings)
    await runtime.start()
    for guard in guards:
        runtime.auth.sessions.on_ended.append(guard.end)
    watchers = [SteadyTask("guard-watch", guard.watch) for guard in guards]
    for watcher in watchers:
        watcher.start()
    try:
        yield
    finally:
        for watcher in watchers:
            await watcher.stop()
        await runtime.stop()


app.api_transformer = (create_api(settings), protect)
app.register_lifespan_task(lifespan)
