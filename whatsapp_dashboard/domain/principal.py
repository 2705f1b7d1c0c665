"""Who is asking: the logged-in operator as the services see them (SEC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from whatsapp_dashboard.errors import Forbidden


class Role(StrEnum):
    """What an operator may do: a viewer reads, an operator works, an owner administers."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Position in the order viewer < operator < owner."""
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Principal:
    """One authenticated operator in one workspace."""

    operator_id: str
    workspace_id: str
    username: str
    role: Role
    session_id: str

    def require(self, role: Role) -> None:
        """Raise :class:`Forbidden` unless this operator has at least ``role`` (SEC-6)."""
        if self.role.rank < role.rank:
            raise Forbidden(f"This needs the role {role.value}; you are logged in as {self.role.value}.")
