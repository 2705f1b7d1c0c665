"""The API's documentation at /api/docs: Swagger UI from our own server, so that it works without the internet (API-1)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from fastapi.responses import FileResponse, HTMLResponse, Response

from whatsapp_dashboard.api.route import Router

router = Router(prefix="/api/docs", include_in_schema=False)

_FILES = Path(str(files("fastapi_offline"))) / "static"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · WhatsApp Dashboard</title>
<link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body><div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script>
</body>
</html>"""

_START = """SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#docs", deepLinking: true, tryItOutEnabled: true});
"""


@router.get("")
async def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


@router.get("/start.js")
async def start() -> Response:
    """What the page runs; a file of its own, because inline scripts are forbidden here."""
    return Response(_START, media_type="text/javascript")


@router.get("/{name}")
async def asset(name: Literal["swagger-ui.css", "swagger-ui-bundle.js"]) -> FileResponse:
    """A file of Swagger UI."""
    return FileResponse(_FILES / name, headers={"Cache-Control": "private, max-age=86400"})
