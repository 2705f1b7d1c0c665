"""What every page knows about the person in front of it: name, role, what the sidebar may show."""

from __future__ import annotations

from whatsapp_dashboard.domain.principal import Role
from whatsapp_dashboard.ui.state import PageState, action


class ShellState(PageState):
    """The frame's own vars, read anew at each page load."""

    known: bool = False
    operator_id: str = ""
    username: str = ""
    role: str = ""
    rank: int = -1
    drawer_open: bool = False
    database_away: bool = False
    """Whether nothing can be stored at this moment."""
    has_sandbox: bool = False
    """Whether the workspace has a sandbox account, so that the Sandbox phone is offered."""

    @action
    async def load(self) -> None:
        """Find out who is there; runs first on every page."""
        who = await self._who()
        self.operator_id = who.operator_id
        self.username, self.role, self.rank = who.username, who.role.value, who.role.rank
        self.known = True
        self.has_sandbox = await self._services().phone.has_accounts(who)
        self.drawer_open = False

    @action
    async def show_drawer(self, value: bool) -> None:
        """Open or close the phone-width navigation."""
        self.drawer_open = value


CAN_WORK = ShellState.rank >= Role.OPERATOR.rank
"""For `rx.cond`: hide what a viewer cannot do. The services refuse it anyway."""
CAN_ADMINISTER = ShellState.rank >= Role.OWNER.rank
"""For `rx.cond`: hide what only an owner can do. The services refuse it anyway."""
