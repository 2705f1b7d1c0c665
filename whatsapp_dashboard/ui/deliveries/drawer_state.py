"""One delivery in a drawer, current while it is open (HOOK-6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog

from whatsapp_dashboard.errors import AppError, NotFound
from whatsapp_dashboard.ui.components import toast_ok
from whatsapp_dashboard.ui.deliveries.lines import AttemptLine, DeliveryLine, attempt_lines, delivery_line, pretty
from whatsapp_dashboard.ui.live import following, while_open
from whatsapp_dashboard.ui.state import PageState, action
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.webhooks.state import REST_SECONDS, changes

log = structlog.get_logger(__name__)


class DrawerState(PageState):
    """What the drawer shows."""

    open: bool = False
    delivery_id: str = ""
    event_id: str = ""
    url: str = ""
    line: DeliveryLine = DeliveryLine("", "", "", "", "", "", "", "", "", "", "", "", "")
    body: str = ""
    raw_body: str = ""
    raw: bool = False
    headers: str = ""
    attempts: list[AttemptLine] = []
    now: str = ""

    @action
    async def show(self, delivery_id: str) -> AsyncIterator[Any]:
        """Open the drawer for one delivery."""
        self.delivery_id, self.raw = delivery_id[:60], False
        await self._read()
        self.open = True
        yield DrawerState.follow

    @action
    async def set_open(self, value: bool) -> None:
        """Close the drawer."""
        self.open = bool(value) and bool(self.delivery_id)

    @action
    async def set_raw(self, value: bool) -> None:
        """The body as it is sent, or with line breaks."""
        self.raw = bool(value)

    @action
    async def replay(self) -> Any:
        """Send it again, or try it now."""
        await self._services().deliveries.replay(await self._who(), self.delivery_id)
        await self._read()
        return toast_ok("Sending again")

    @following
    async def follow(self) -> None:
        """Read the delivery again whenever something changes."""
        delivery_id = self.delivery_id
        async for _ in while_open(self, changes(self._services().deliveries)):
            async with self:
                if not self.open or self.delivery_id != delivery_id:
                    return
                try:
                    await self._read()
                except NotFound:
                    self.open = False
                    return
                except AppError:
                    raise
                except Exception:
                    log.exception("the delivery could not be read; tried again")
            await asyncio.sleep(REST_SECONDS)

    async def _read(self) -> None:
        detail = await self._services().deliveries.get(await self._who(), self.delivery_id)
        now = self._services().clock.now()
        line, attempts = delivery_line(detail.row, now), attempt_lines(detail)
        if line != self.line:
            self.line = line
        if attempts != self.attempts:
            self.attempts = attempts
        self.event_id, self.url, self.now = detail.row.event_id, detail.row.url, iso(now)
        self.raw_body, self.body = detail.body, pretty(detail.body)
        self.headers = attempts[0].request_headers if attempts else ""
