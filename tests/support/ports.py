"""Ports on loopback that belong to one test, also while nobody listens on them."""

from __future__ import annotations

import socket


class ReservedPort:
    """A TCP port of the system's choice, kept by a socket that is bound and does not listen: a server that sets SO_REUSEADDR, as all
    do, can listen on it, end, and listen on it again, and meanwhile the system gives it to nobody else. (A port that was only found
    free can be somebody's when it is used.)"""

    def __init__(self) -> None:
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.number = int(self._held.getsockname()[1])
        """The port."""

    def free(self) -> None:
        """Give it back."""
        self._held.close()
