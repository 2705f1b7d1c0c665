"""The AI of an account as the page shows it: whether it answers now, and its providers (AI-1, AI-3, AI-9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from whatsapp_dashboard.ai.views import AiConfigView, KindView, ModelView, ProviderView, TestResult
from whatsapp_dashboard.domain.hours import Hours
from whatsapp_dashboard.ui.times import iso
from whatsapp_dashboard.ui.traces import OUTCOMES
from whatsapp_dashboard.ui.webhooks.lines import milliseconds

KIND_NOTES = {
    "groq": "Open models, very fast",
    "google": "Gemini; sees pictures, hears voice",
    "openrouter": "Hundreds of models with one key",
    "mistral": "Models from Europe",
    "sambanova": "Open models, very fast",
    "huggingface": "Open models of many hosts",
    "openai": "GPT models",
    "anthropic": "Claude models",
    "cohere": "Command models",
    "compatible": "Ollama, vLLM, LM Studio, your own",
    "retell": "A chat agent made there",
}
_TAKES = {"yes": True, "no": False}


@dataclass
class Choice:
    """One line of a list to choose from."""

    value: str
    label: str = ""
    note: str = ""


@dataclass
class Situation:
    """Whether the bot answers now. ``key`` is one of ``off``, ``no_provider``, ``limit``, ``closed``, ``failing``, ``answers``."""

    key: str = ""
    label: str = ""
    text: str = ""
    until: str = ""
    """ISO 8601: when that ends by itself; empty when it does not, or nobody knows."""


@dataclass
class TestLine:
    """How asking one provider went. ``state``: empty, ``busy``, ``good`` or ``bad``."""

    state: str = ""
    words: str = ""
    answer: str = ""
    host: str = ""
    """What an owner could allow so that it works."""


@dataclass
class ProviderLine:
    """One provider. Times are ISO 8601 in UTC, empty where there is none."""

    id: str
    title: str
    kind_title: str
    """Empty when it is the title."""
    model: str
    url: str
    key: str
    state: str
    """``off``, ``resting``, ``failing``, ``works`` or ``new``."""
    resting_until: str
    error: str
    last_ok_at: str
    takes: str
    enabled: bool
    first: bool
    last: bool
    test: TestLine = field(default_factory=TestLine)


@dataclass
class KindLine:
    """A kind of provider in the dialog."""

    name: str = ""
    title: str = ""
    note: str = ""
    default_url: str = ""
    url_needed: bool = False
    url_editable: bool = False
    needs_key: bool = False
    lists_models: bool = False
    model_word: str = "Model"
    default_model: str = ""
    key_help_url: str = ""


def situation(view: AiConfigView, now: datetime) -> Situation:
    """Whether the bot of this account answers at ``now``, and why not."""
    usable = [provider for provider in view.providers if provider.enabled]
    if not view.enabled:
        return Situation("off", "Off", "Nobody is answered by AI.")
    if not usable:
        return Situation("no_provider", "No provider yet", "Add a provider or switch one on: there is nobody to ask.")
    if view.today.limit_reached:
        zone = view.settings.hours.timezone
        midnight = view.settings.hours.day_start(now) + timedelta(days=1)
        return Situation("limit", "Daily limit reached", f"Silent until midnight ({place(zone)}).", iso(midnight))
    if not view.open_now:
        opens = next_opening(view.settings.hours, now)
        if opens is None:
            return Situation("closed", "Outside answering hours", "No day is open: choose one under When.")
        when = opens.astimezone(ZoneInfo(view.settings.hours.timezone)).strftime("%A at %H:%M")
        return Situation("closed", "Outside answering hours", f"Answers again {when} ({place(view.settings.hours.timezone)}).", iso(opens))
    resting = [provider.resting_until for provider in usable if provider.resting_until and provider.resting_until > now]
    if len(resting) == len(usable):
        words = "Every provider failed lately and is left alone for a while. Test them below."
        return Situation("failing", "All providers are failing", words, iso(min(resting)))
    return Situation("answers", "Answers now", "Every message of a person gets an answer, unless somebody has taken over.")


def next_opening(hours: Hours, now: datetime) -> datetime | None:
    """When answering hours begin next; None when no day is open."""
    zone = ZoneInfo(hours.timezone)
    today = now.astimezone(zone).date()
    for ahead in range(8):
        date = today + timedelta(days=ahead)
        day = hours.days[date.weekday()]
        begins = datetime.combine(date, time.fromisoformat(day.begins), zone)
        if day.open and begins > now:
            return begins
    return None


def provider_lines(view: AiConfigView, now: datetime, before: list[ProviderLine]) -> list[ProviderLine]:
    """The providers in the order in which they are asked. What tests found stays beside its provider as ``before``."""
    tests = {line.id: line.test for line in before}
    last = len(view.providers) - 1
    return [
        provider_line(row, now, first=number == 0, last=number == last, test=tests.get(row.id)) for number, row in enumerate(view.providers)
    ]


def provider_line(
    row: ProviderView, now: datetime, *, first: bool = False, last: bool = False, test: TestLine | None = None
) -> ProviderLine:
    """One provider as the page shows it."""
    resting = row.resting_until is not None and row.resting_until > now
    state = "off" if not row.enabled else "resting" if resting else "failing" if row.last_error else "works" if row.last_ok_at else "new"
    return ProviderLine(
        id=row.id,
        title=row.label,
        kind_title=row.kind_title if row.label != row.kind_title else "",
        model=row.model,
        url=row.url,
        key=masked(row.has_key, row.key_hint) or "no key",
        state=state,
        resting_until=iso(row.resting_until) if resting else "",
        error=row.last_error if state in ("resting", "failing") else "",
        last_ok_at=iso(row.last_ok_at),
        takes=_takes(row),
        enabled=row.enabled,
        first=first,
        last=last,
        test=test or TestLine(),
    )


def test_line(result: TestResult) -> TestLine:
    """What a test found, in words."""
    if result.ok:
        return TestLine("good", f"Answered after {milliseconds(result.ms)}.", result.answer)
    word = OUTCOMES[result.outcome][0]
    return TestLine("bad", f"{word} after {milliseconds(result.ms)}. {result.error}", "", result.blocked_host)


def kind_line(kind: KindView) -> KindLine:
    """A kind as the dialog shows it."""
    return KindLine(
        name=kind.name,
        title=kind.title,
        note=KIND_NOTES.get(kind.name, ""),
        default_url=kind.default_url,
        url_needed=kind.url_needed,
        url_editable=kind.url_editable,
        needs_key=kind.needs_key,
        lists_models=kind.lists_models,
        model_word=kind.model_word,
        default_model=kind.default_model,
        key_help_url=kind.key_help_url,
    )


def model_choice(model: ModelView) -> Choice:
    """A model in the list."""
    takes = [word for word, does in (("pictures", model.takes_images), ("voice", model.takes_audio)) if does]
    return Choice(model.id, model.name if model.name != model.id else "", " and ".join(takes))


def masked(has_key: bool, hint: str) -> str:
    """``••••1234``; short keys show nothing of themselves (AI-9)."""
    return f"••••{hint}" if has_key else ""


def chosen(takes: bool | None) -> str:
    """``auto``, ``yes`` or ``no``."""
    return "auto" if takes is None else "yes" if takes else "no"


def taken(choice: object) -> bool | None:
    """The other way round; None for anything else than yes or no."""
    return _TAKES.get(str(choice))


def place(zone: str) -> str:
    """A time zone as people say it."""
    return zone.replace("_", " ")


def _takes(row: ProviderView) -> str:
    words = (("pictures", row.takes_images), ("voice", row.takes_audio))
    said = [f"{word}: {'yes' if does else 'no'}" for word, does in words if does is not None]
    return ", ".join(said)
