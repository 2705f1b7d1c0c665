"""Outgoing HTTP of every workspace, each within its own allow list (HOOK-7, ACC-15).

Each has connections of its own: one that was opened because its workspace allows the address is never there for a request of another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whatsapp_dashboard.core.addresses import Allowed
from whatsapp_dashboard.core.dialling import NameLookup, Resolver
from whatsapp_dashboard.core.safe_http import SafeHttp


class Outgoing:
    """The way out. ``allowed`` is asked at each connection what its workspace allows; ``resolve`` and ``connect`` stand in for the system's
    in tests."""

    def __init__(
        self,
        allowed: Callable[[str], Allowed],
        *,
        user_agent: str,
        resolve: Resolver | None = None,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self._allowed = allowed
        self._user_agent = user_agent
        self._names = NameLookup(resolve)  # shared: where a name leads is the same for all, whether one may go there is not
        self._connect = connect
        self._clients: dict[str, SafeHttp] = {}

    def of(self, workspace_id: str) -> SafeHttp:
        """Requests in the name of a workspace; of nobody's (an empty id) reach no private network."""
        client = self._clients.get(workspace_id)
        if client is None:
            client = self._clients[workspace_id] = SafeHttp(
                lambda: self._allowed(workspace_id) if workspace_id else Allowed(),
                user_agent=self._user_agent,
                names=self._names,
                connect=self._connect,
            )
        return client

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()
        self._names.close()
