"""The one place that builds the parts, wires them, and starts and stops them in order (SEC-9)."""

from __future__ import annotations

from whatsapp_dashboard.auth.service import AuthService
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import KEY_FILE, SecretBox, load_keys
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.migrations import upgrade
from whatsapp_dashboard.events.bus import EventBus
from whatsapp_dashboard.messages.log import MessageLog
from whatsapp_dashboard.system.overview import Overview

_current: Runtime | None = None


class Runtime:
    """Every long-lived part of one process."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.clock = clock or Clock()
        configured = settings.encryption_key.get_secret_value() if settings.encryption_key else None
        self.box = SecretBox(*load_keys(configured, settings.data_dir / KEY_FILE))
        self.db = Database(settings.database)
        self.bus = EventBus(self.db)
        self.db.on_commit.append(self.bus.wake)
        self.auth = AuthService(self.db, self.box, settings, self.clock)
        self.message_log = MessageLog(self.db)
        self.overview = Overview(self.db, self.clock)

    async def start(self) -> None:
        """Bring everything up; when it returns the program is ready."""
        global _current  # noqa: PLW0603
        await upgrade(self.settings.database)
        await self.bus.start()
        await self.auth.start()
        _current = self

    async def stop(self) -> None:
        """Take everything down in reverse order."""
        global _current  # noqa: PLW0603
        _current = None
        await self.auth.stop()
        await self.bus.stop()
        await self.db.close()


def current() -> Runtime:
    """The running runtime. Raises RuntimeError before start and after stop."""
    if _current is None:
        raise RuntimeError("the dashboard is not running")
    return _current
