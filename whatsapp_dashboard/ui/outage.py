"""What pages do while the database is away: say so, keep what they show, and go on by themselves (OBS-5)."""

from __future__ import annotations

from importlib.resources import files

import reflex as rx
from reflex_base.event import EventSpec
from starlette.responses import HTMLResponse

from whatsapp_dashboard import runtime
from whatsapp_dashboard.ui import theme
from whatsapp_dashboard.ui.session import ShellState
from whatsapp_dashboard.ui.state import PageState

_PAGE = (files("whatsapp_dashboard.ui") / "outage.html").read_text("utf-8")
WORDS = "The database is not available, so nothing can be saved. Messages are not lost, and this page goes on by itself when it is back."


class OutageNotice:
    """Keeps the banner of one page as it must be: there while the database is away. For background handlers."""

    def __init__(self, state: PageState) -> None:
        self._state = state
        self._shown: bool | None = None

    async def keep(self) -> None:
        """Look, and change the page when something has changed."""
        away = runtime.current().db.away_since is not None
        if away == self._shown:
            return
        async with self._state:
            shell = await self._state.get_state(ShellState)
            if shell.database_away != away:
                shell.database_away = away
        self._shown = away


def outage_banner() -> rx.Component:
    """Across the top of every page, only while the database is away."""
    return rx.cond(
        ShellState.database_away,
        rx.callout(
            WORDS,
            icon="database-zap",
            color_scheme="red",
            size="1",
            role="alert",
            style={"borderRadius": "0", "borderBottom": theme.LINE},
            custom_attrs={"data-testid": "database-away"},
        ),
    )


def load_again() -> EventSpec:
    """For a page that was being loaded when the database went away: it is loaded anew, and tells of it meanwhile."""
    return rx.call_script("setTimeout(() => window.location.reload(), 1000)")


def outage_page() -> HTMLResponse:
    """Instead of a page nobody can be let into now: it loads itself again."""
    return HTMLResponse(_PAGE, 503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
