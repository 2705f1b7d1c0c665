"""What the fork server imports once for all its forks: the dashboard, the sandbox world and the protocol peer, none of them started.

Nothing here may start a thread or read settings: a fork has only the thread that made it, and each has settings of its own.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from importlib import import_module
from pathlib import Path

from whatsapp_dashboard.auth import passwords

MODULES = (
    "apscheduler.executors.asyncio",
    "apscheduler.triggers.interval",
    "reflex.app",
    "reflex.istate.manager.memory",
    "reflex_components_core.core.banner",
    "reflex_components_radix.plugin",
    "reflex_components_radix.themes",
    "reflex_components_sonner",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "whatsapp_dashboard.api.app",
    "whatsapp_dashboard.auth.headers",
    "whatsapp_dashboard.runtime",
    "whatsapp_dashboard.system.preflight",
    "whatsapp_dashboard.ui.app",
    "whatsapp_dashboard.ui.build",
    "whatsapp_dashboard.engines.sandbox.server",
    "tests.peer.control",
    "tests.peer.server",
)

os.chdir(Path(__file__).resolve().parents[2])
# As serve.py sets them before it imports the app.
os.environ |= {"__REFLEX_SKIP_COMPILE": "true", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true", "REFLEX_ENV_MODE": "prod"}
for module in MODULES:
    import_module(module)
asyncio.run(passwords.prepare())  # the hash that stands in for unknown names, as each start makes it
assert threading.active_count() == 1, threading.enumerate()
gc.freeze()  # forks share what is there
