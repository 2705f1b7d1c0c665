"""What routes ask for: who is calling, and the running program."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from whatsapp_dashboard import runtime
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Unauthenticated


def _principal(request: Request) -> Principal:
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise Unauthenticated("Log in first.")
    return principal


def _running() -> runtime.Runtime:
    return runtime.current()


Who = Annotated[Principal, Depends(_principal)]
"""The authenticated caller; the gate has already refused everybody else."""
Services = Annotated[runtime.Runtime, Depends(_running)]
"""The parts of the running program."""
