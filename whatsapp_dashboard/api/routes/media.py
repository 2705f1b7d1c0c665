"""The files of messages (MSG-9): under random names, never executed in the dashboard's origin."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi.responses import FileResponse

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.route import Router

router = Router(prefix="/api/media", tags=["media"])

INLINE = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/amr",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "video/mp4",
        "video/3gpp",
        "video/webm",
    }
)
"""Types a browser shows without running anything; everything else is offered as a download."""


@router.get("/{media_id}")
async def media(media_id: str, who: Who, services: Services, download: bool = False) -> FileResponse:
    """The bytes of a message's file; ranges are answered, so that players can seek."""
    file = await services.media.open(who, media_id)
    inline = file.mimetype in INLINE and not download
    return FileResponse(
        file.path,
        media_type=file.mimetype if inline else "application/octet-stream",
        headers={
            "Content-Disposition": f"{'inline' if inline else 'attachment'}; {_named(file.filename)}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=86400, immutable",
        },
    )


def _named(filename: str) -> str:
    """The name for a header: in signs that every program reads, and as it is for those that know RFC 6266."""
    plain = re.sub(r"[^ -~]|[\"\\%;]", "_", filename)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
