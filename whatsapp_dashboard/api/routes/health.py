"""Health for load balancers and orchestrators, without login (OBS-5)."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi.responses import JSONResponse

from whatsapp_dashboard import runtime
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.errors import DatabaseAway

router = Router(prefix="/health", tags=["health"])

PROOF_SECONDS = 3.0
"""Within this time something must be stored."""


@router.get("/live")
async def live() -> dict[str, str]:
    """The process runs and answers."""
    return {"status": "alive", "timestamp": datetime.now(UTC).isoformat()}


@router.get("/ready")
async def ready() -> JSONResponse:
    """Whether it can do its work: 200, or 503 with the reason. Ready means that something could be stored a moment ago."""
    reason = await _why_not_ready()
    if reason is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not_ready", "reason": reason}, status_code=503)


async def _why_not_ready() -> str | None:
    program = runtime.running()
    if program is None or not program.pool.started:
        return "whatsapp_not_initialized"
    try:
        await program.db.prove_writable(PROOF_SECONDS)
        if program.db.away_since is not None:
            return DatabaseAway.code  # a small write found a place, others did not
        lonely = program.settings.ready_needs_ai_providers and await program.ai.lacks_providers()
    except DatabaseAway:
        return DatabaseAway.code
    return "ai_no_providers" if lonely else None
