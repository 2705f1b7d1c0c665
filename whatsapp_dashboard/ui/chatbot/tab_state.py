"""Which part of the Chatbot page is in front."""

from __future__ import annotations

from whatsapp_dashboard.ui.state import PageState, action

TABS = {
    "providers": ("Providers", "Providers"),
    "prompt": ("Prompt", "Prompt"),
    "when": ("When", "When"),
    "uses": ("What it may use", "Uses"),
    "try": ("Try it", "Try it"),
}
"""The parts, each with its name and a short one for a phone; the last stands beside the others on a wide window."""


class TabState(PageState):
    """The part in front."""

    tab: str = "providers"

    @action
    async def choose(self, tab: str) -> None:
        """Bring a part to the front."""
        self.tab = tab if tab in TABS else "providers"
