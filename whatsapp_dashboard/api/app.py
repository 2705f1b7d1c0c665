"""The REST API: its routes, its error documents, its gate. A new subject adds one line to `ROUTERS`."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

from whatsapp_dashboard.api import problems
from whatsapp_dashboard.api.gate import Gate
from whatsapp_dashboard.api.limits import Limits
from whatsapp_dashboard.api.routes import (
    accounts,
    ai,
    ai_log,
    auth,
    conversations,
    credits,
    deliveries,
    docs,
    health,
    knowledge,
    media,
    messages,
    network,
    operators,
    second_factor,
    sending,
    set_aside,
    system,
    webhooks,
)
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.errors import NotFound

ROUTERS: list[APIRouter] = [
    auth.router,
    second_factor.router,
    operators.router,
    accounts.router,
    set_aside.router,
    ai.router,
    ai_log.router,
    conversations.router,
    sending.router,
    messages.router,
    media.router,
    deliveries.router,
    webhooks.router,
    network.router,
    knowledge.router,
    credits.router,
    system.router,
    docs.router,
    health.router,
]


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_api(settings: Settings) -> FastAPI:
    """The API for these settings, to be put in front of the pages."""
    api = FastAPI(
        title="WhatsApp Dashboard",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        description="Everything the dashboard does, for programs. Errors are RFC 9457 problem documents.",
    )
    for router in ROUTERS:
        api.include_router(router)
    api.add_api_route("/api/{path:path}", _unknown, methods=METHODS, include_in_schema=False)
    problems.install(api)
    api.add_middleware(Limits, settings=settings)
    # The last one added stands outermost: CORS answers preflights before the gate asks for a session.
    api.add_middleware(Gate, settings=settings)
    if settings.cors_origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Requested-With"],
        )
    return api


async def _unknown(request: Request) -> None:
    """Whatever no route has taken: without this the pages would answer it with HTML."""
    raise NotFound(f"There is no {request.method} {request.url.path[:200]}. The list of routes is at /api/docs.")
