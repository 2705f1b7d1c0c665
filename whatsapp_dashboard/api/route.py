"""How every route reads what it is given: text is made storable here, before a route sees it (API-1).

Bodies (JSON and forms, the names of files too) lose what cannot be stored; in an address and in headers, where something is named that is
there already, it is refused with the name of the parameter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile

from whatsapp_dashboard.api.once import HEADER, NOT_HERE, answered_once, described
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.text import clean, clean_all, first_unclean, is_clean


class CleanRequest(Request):
    """A request whose body has no text that cannot be stored."""

    async def json(self) -> Any:
        """The body as JSON, cleaned."""
        if not hasattr(self, "_json"):
            self._json = clean_all(await super().json())
        return self._json

    async def _get_form(self, **limits: Any) -> FormData:
        if self._form is None:
            self._form = _clean_form(await super()._get_form(**limits))
        return self._form


class CleanRoute(APIRoute):
    """A route behind a :class:`CleanRequest`. Each POST takes an idempotency key (API-5): a route that has no use for one of its own is
    answered once by :func:`answered_once`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if self._is_for_keys(path, endpoint, options):
            options["openapi_extra"] = described(options.get("openapi_extra"))
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls for a request."""
        handle = super().get_route_handler()
        once = self._is_for_keys(self.path, self.endpoint, {"methods": self.methods})

        async def cleaned(request: Request) -> Response:
            _check_address(request)
            clean_request = CleanRequest(request.scope, request.receive)
            if once and HEADER in request.headers:
                return await answered_once(clean_request, handle)
            return await handle(clean_request)

        return cleaned

    @staticmethod
    def _is_for_keys(path: str, endpoint: Callable[..., Any], options: dict[str, Any]) -> bool:
        own = "key" in inspect.signature(endpoint).parameters
        return "POST" in (options.get("methods") or ()) and not own and path not in NOT_HERE


class Router(APIRouter):
    """A router of clean routes. All routes of the API are made by one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=CleanRoute, **options)


def _check_address(request: Request) -> None:
    if not is_clean(request.url.path):
        raise NotFound("There is nothing under this address: it has signs that no address here has.")
    for where, pairs in (("query", request.query_params.multi_items()), ("header", request.headers.items())):
        if (name := first_unclean(pairs)) is not None:
            raise Invalid(f"The {where} parameter “{name[:100]}” has signs that cannot be stored (NUL).", code="bad_text", field=name[:100])


def _clean_form(form: FormData) -> FormData:
    parts: list[tuple[str, str | UploadFile]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            value.filename = clean(value.filename) if value.filename else value.filename
        parts.append((clean(name), value if isinstance(value, UploadFile) else clean(value)))
    return FormData(parts)
