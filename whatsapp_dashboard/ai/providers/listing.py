"""Lists of models, asked of providers by plain HTTP: no SDK is loaded for that (AI-2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whatsapp_dashboard.ai.providers.base import ProviderError
from whatsapp_dashboard.ai.providers.errors import from_status, from_trouble
from whatsapp_dashboard.core.safe_http import NoAnswer, SafeHttp
from whatsapp_dashboard.errors import Invalid

LIMIT = 16 * 2**20
"""Bytes of a list: OpenRouter's has some hundred models with long descriptions."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks whom, and how long."""

    title: str
    """Of the provider."""
    headers: Mapping[str, str] = field(repr=False)
    key: str = field(repr=False)
    """Never to be seen in an error."""
    seconds: float


class Found(dict[str, Any]):
    """A JSON object that came from elsewhere."""

    def dicts(self, name: str) -> list[dict[str, Any]]:
        """The objects in the list ``name``; none when it is something else."""
        value = self.get(name)
        return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


class Listing:
    """Plain requests to providers, with their errors in our words."""

    def __init__(self, http: SafeHttp) -> None:
        self._http = http

    async def get(self, url: str, caller: Caller) -> Found:
        """A JSON object. Raises :class:`ProviderError`."""
        return await self._ask("GET", url, caller, None)

    async def post(self, url: str, caller: Caller, body: object) -> Found:
        """Send ``body`` as JSON, and read a JSON object. Raises :class:`ProviderError`."""
        return await self._ask("POST", url, caller, body)

    async def _ask(self, method: str, url: str, caller: Caller, body: object) -> Found:
        title, headers, key, seconds = caller.title, caller.headers, caller.key, caller.seconds
        sent = dict(headers) | {"accept": "application/json"} | ({"content-type": "application/json"} if body is not None else {})
        content = b"" if body is None else json.dumps(body).encode()
        try:
            answer = await self._http.request(method, url, headers=sent, content=content, seconds=seconds, body_limit=LIMIT)
        except (NoAnswer, Invalid) as reason:
            raise from_trouble(reason, title, key) from None
        if not 200 <= answer.status < 300:
            raise from_status(answer.status, dict(answer.headers), answer.body[: 16 * 2**10], title, key)
        if answer.truncated:
            raise ProviderError("bad_answer", f"{title}: The answer has more than {LIMIT // 2**20} MiB.", status=answer.status)
        try:
            found = {} if answer.status == 204 else json.loads(answer.body)
        except ValueError:
            raise ProviderError("bad_answer", f"{title} did not answer in JSON. Is the address right?", status=answer.status) from None
        if not isinstance(found, dict):
            raise ProviderError("bad_answer", f"{title} gave no usable answer.", status=answer.status)
        return Found(found)
