"""Structured logs: text for a terminal, JSON lines elsewhere. Secrets and message bodies are never logged (OBS-6)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_SECRET_PARTS = ("password", "secret", "token", "api_key", "cookie", "authorization", "credential")
_PRIVATE = frozenset({"body", "text", "caption", "preview", "vcard", "qr", "code"})


def configure_logging(level: str, fmt: str) -> None:
    """Send our logs and those of libraries to stderr at ``level``; ``fmt`` is ``auto``, ``text`` or ``json``."""
    as_json = fmt == "json" or (fmt == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        # The default formatter prints local variables, secrets among them.
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # Its warnings say that a job is late, again every second while the database is away; what fails in a job is ours to log.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("whatsapp_dashboard").setLevel(level.upper())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def hide_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace values whose names say they are secrets or what people wrote."""
    for name in event:
        low = name.lower()
        if low in _PRIVATE or any(part in low for part in _SECRET_PARTS):
            event[name] = "[hidden]"
    return event
