"""A server that speaks the wire formats of the providers, and behaves as a test wants it to."""

from __future__ import annotations

from tests.support.llm_server.server import LlmServer
from tests.support.llm_server.wire import Asked, Behaviour, Said

__all__ = ["Asked", "Behaviour", "LlmServer", "Said"]
