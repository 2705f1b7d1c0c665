"""The "try it" chat: the bot as it is set up, without WhatsApp, with what each answer was made of (AI-7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from whatsapp_dashboard.ai.views import TryTurn
from whatsapp_dashboard.domain.ids import new_id
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.chatbot.providers_state import ProvidersState
from whatsapp_dashboard.ui.state import PageState, action, background
from whatsapp_dashboard.ui.traces import TraceLine, trace_line
from whatsapp_dashboard.ui.webhooks.lines import milliseconds

MAX_LINES = 100
"""Lines kept; older ones go."""
MAX_TEXT = 4_096


@dataclass
class TryLine:
    """One line of the chat. ``state``: ``said``, ``busy``, ``failure`` (the text for failures, or nothing) or ``error``."""

    key: str
    mine: bool
    text: str
    state: str = "said"
    took: str = ""
    trace: TraceLine = field(default_factory=TraceLine)


class TryingState(PageState):
    """The lines, in this tab only."""

    account_id: str = ""
    lines: list[TryLine] = []
    busy: bool = False
    edition: int = 0
    """Counts how often the input was emptied."""

    def _clear(self) -> None:
        self.lines, self.busy = [], False

    @action
    async def clear(self) -> None:
        """Begin a new chat; an answer that is still on its way is not shown."""
        self._clear()

    @action
    async def send(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Say something to the bot."""
        text = str(form.get("text", "")).strip()[:MAX_TEXT]
        if not text or self.busy:
            return
        self.lines = [*self.lines, TryLine(new_id(), True, text), TryLine(new_id(), False, "", "busy")][-MAX_LINES:]
        self.busy = True
        self.edition += 1
        yield TryingState.ask

    @background
    async def ask(self) -> None:
        """Have the bot answer the last line."""
        who = await self._who()
        async with self:
            if not self.lines or self.lines[-1].state != "busy":
                return
            waiting = self.lines[-1]
            account_id, turns = self.account_id, turns_of(self.lines)
        answer = replace(waiting, state="error", text="Something went wrong on our side. The log has the details.")
        try:
            result = await self._services().ai_trying.chat(who, account_id, turns)
            state = "said" if result.trace.kind == "answer" else "failure"
            answer = replace(waiting, text=result.text, state=state, took=milliseconds(result.ms), trace=trace_line(result.trace))
        except AppError as error:
            answer = replace(waiting, state="error", text=error.message)
        finally:
            view = await self._services().ai.get(who, account_id)
            async with self:
                (await self.get_state(ProvidersState))._take(view, self._services().clock.now())
                if any(line.key == waiting.key for line in self.lines):
                    self.lines = [answer if line.key == waiting.key else line for line in self.lines]
                    self.busy = False


def turns_of(lines: list[TryLine]) -> list[TryTurn]:
    """What the bot is told of the chat: what was really said."""
    return [TryTurn("user" if line.mine else "assistant", line.text) for line in lines if line.state == "said" and line.text]
