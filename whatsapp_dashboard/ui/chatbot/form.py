"""The settings of the AI as a form has them: texts, and back with what is wrong where (AI-1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_dashboard.domain.ai_settings import AiSettings
from whatsapp_dashboard.errors import AppError
from whatsapp_dashboard.ui.components.week import explained_day, read_days

TEXTS = ("prompt", "failure_text", "media_text")
WHOLE = ("max_tokens", "history_limit", "passages", "daily_answers")
NUMBERS = ("temperature", "wait_seconds", "longest_wait_seconds", "provider_seconds", "daily_cost_usd")
SWITCHES = ("use_images", "use_audio", "use_knowledge")
TAB_OF = {
    **dict.fromkeys(("prompt", "temperature", "max_tokens", "history_limit"), "prompt"),
    **dict.fromkeys(("wait_seconds", "longest_wait_seconds", "provider_seconds", "hours", "daily_answers", "daily_cost_usd"), "when"),
    **dict.fromkeys(("use_images", "use_audio", "use_knowledge", "passages", "failure_text", "media_text"), "uses"),
}
"""The tab each setting is on."""


def values_of(settings: AiSettings) -> dict[str, str]:
    """Texts and numbers as they stand in inputs."""
    found = {name: str(getattr(settings, name)) for name in (*TEXTS, *WHOLE)}
    return found | {name: f"{getattr(settings, name):g}" for name in NUMBERS}


def switches_of(settings: AiSettings) -> dict[str, bool]:
    """What is on."""
    return {name: bool(getattr(settings, name)) for name in SWITCHES} | {"hours": settings.hours.enabled}


def read_form(form: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings as typed, and what is no number, by setting."""
    settings: dict[str, Any] = {name: _text(form, name) for name in TEXTS}
    settings |= {name: name in form for name in SWITCHES}
    errors: dict[str, str] = {}
    for name in (*WHOLE, *NUMBERS):
        given = _text(form, name).strip().replace(",", ".")
        try:
            settings[name] = int(given) if name in WHOLE else float(given)
        except ValueError:
            errors[name] = "Write a whole number." if name in WHOLE else "Write a number."
    settings["hours"] = {
        "enabled": "hours" in form,
        "timezone": _text(form, "timezone").strip(),
        "days": read_days(form),
    }
    return settings, errors


def changed(settings: Mapping[str, Any], before: AiSettings) -> dict[str, Any]:
    """Only what differs from ``before``, so that what others changed meanwhile stays."""
    stored = before.model_dump(mode="json")
    return {name: value for name, value in settings.items() if value != stored.get(name)}


def explained(error: AppError) -> dict[str, str]:
    """The refusal by the setting it is about; ``form`` when it is about none. Of a day's hours: ``day2``."""
    name = error.field or "form"
    text = error.message.removeprefix(f"{name}: ")
    for theirs, ours in (("Input should be", "It must be"), ("String should have", "It must have"), ("String should", "It must")):
        text = text.replace(theirs, ours)
    if day := explained_day(name, text):
        return dict([day])
    return {name.split(".")[-1]: text[:1].upper() + text[1:]}


def tab_of(name: str) -> str:
    """The tab a refused setting is on."""
    return TAB_OF.get(name, "when" if name.startswith("day") or name == "timezone" else "")


def _text(form: Mapping[str, Any], name: str) -> str:
    return str(form.get(name, "")).replace("\r\n", "\n")
