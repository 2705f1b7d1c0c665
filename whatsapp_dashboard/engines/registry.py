"""The engines there are: one line each (ENG-6)."""

from __future__ import annotations

from whatsapp_dashboard.engines.base import Engine
from whatsapp_dashboard.engines.multidevice.client import MultideviceEngine
from whatsapp_dashboard.engines.sandbox.client import SandboxEngine
from whatsapp_dashboard.errors import Invalid

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (MultideviceEngine, SandboxEngine)}


def engine_class(name: str) -> type[Engine]:
    """The engine called ``name``. Raises :class:`Invalid` that lists the ones there are."""
    try:
        return ENGINES[name]
    except KeyError:
        raise Invalid(f"There is no engine “{name[:40]}”. Choose one of: {', '.join(ENGINES)}.", field="engine") from None
