"""The machine room: what runs for this dashboard (OBS-4)."""

from __future__ import annotations

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.system.processes import ProcessesView

router = Router(prefix="/api/system", tags=["system"])


@router.get("/processes")
async def processes(who: Who, services: Services) -> ProcessesView:
    """The dashboard's process and those of its engines, with their memory in bytes and their sessions."""
    return await services.processes.look(who)
