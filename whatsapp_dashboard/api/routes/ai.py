"""The AI of accounts: settings, providers, trying (API-3, AI-1 to AI-4, AI-7, AI-9)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from whatsapp_dashboard.ai.views import Outcome, ProviderDraft, TryTurn
from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.domain.ai_settings import AiSettings

router = Router(prefix="/api", tags=["ai"])


class KindOut(BaseModel):
    """A kind of provider."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str
    default_url: str
    url_needed: bool
    url_editable: bool
    needs_key: bool
    lists_models: bool
    model_word: str
    default_model: str
    key_help_url: str


class ProviderIn(Given):
    """A provider of an account. The key is write-only."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "groq", "model": "llama-3.3-70b-versatile", "key": "gsk_..."}]}
    )

    kind: Annotated[str, Field(max_length=32, description="GET /api/ai/providers lists them")]
    model: Annotated[str, Field(max_length=1_000)] = ""
    label: Annotated[str, Field(max_length=1_000)] = ""
    url: Annotated[str, Field(max_length=10_000, description="Without it: the provider's own address")] = ""
    key: Annotated[str, Field(max_length=10_000, description="`••••` keeps the stored one")] = ""
    takes_images: Annotated[bool | None, Field(description="Without it: as far as is known of the model")] = None
    takes_audio: bool | None = None
    concurrency: int = 20
    enabled: bool = True

    def draft(self) -> ProviderDraft:
        """As the service takes it."""
        return ProviderDraft(**self.model_dump(exclude={"id"}))


class ListedProvider(ProviderIn):
    """A provider in the whole list: with its id one that is there, without it a new one."""

    id: Annotated[str, Field(max_length=64)] = ""


class ProviderOut(BaseModel):
    """A provider of an account; `key_hint` is the end of its key."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    kind_title: str
    label: str
    model: str
    url: str
    has_key: bool
    key_hint: str
    takes_images: bool | None
    takes_audio: bool | None
    concurrency: int
    enabled: bool
    resting_until: datetime | None
    last_error: str
    last_ok_at: datetime | None


class TodayOut(BaseModel):
    """Since midnight in the account's time zone."""

    model_config = ConfigDict(from_attributes=True)

    answers: int
    tokens: int
    cost_usd: float
    limit_reached: bool


class ConfigOut(BaseModel):
    """How an account answers."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str
    enabled: bool
    open_now: bool
    settings: AiSettings
    providers: list[ProviderOut]
    today: TodayOut


class ConfigIn(Given):
    """What to change; what is absent stays. `providers` is the whole list, in the order in which they are asked."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "enabled": True,
                    "settings": {"prompt": "You are the assistant of {{account.name}}.", "temperature": 0.7, "max_tokens": 200},
                    "providers": [{"kind": "groq", "model": "llama-3.3-70b-versatile", "key": "gsk_..."}],
                }
            ]
        },
    )

    enabled: bool | None = None
    settings: Annotated[dict[str, Any] | None, Field(description="Fields of `settings` as GET answers them")] = None
    providers: Annotated[list[ListedProvider] | None, Field(max_length=100)] = None


class ProviderOrder(Given):
    """All providers of the account, in their new order."""

    model_config = ConfigDict(extra="forbid")

    provider_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]


class ModelOut(BaseModel):
    """A model as its provider lists it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    takes_images: bool | None
    takes_audio: bool | None


class StepOut(BaseModel):
    """One provider on the way to an answer."""

    model_config = ConfigDict(from_attributes=True)

    provider_id: str
    label: str
    kind: str
    model: str
    outcome: Outcome
    error: str
    ms: int
    tokens_in: int
    tokens_out: int
    cost_micros: int | None


class PassageOut(BaseModel):
    """A passage of the knowledge base that was given to the model."""

    model_config = ConfigDict(from_attributes=True)

    document_id: str
    title: str
    heading: str
    text: str
    score: float


class TraceOut(BaseModel):
    """What an answer was made of."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    steps: list[StepOut]
    passages: list[PassageOut]
    question_ids: list[str]


class TestOut(BaseModel):
    """How asking one provider went."""

    model_config = ConfigDict(from_attributes=True)

    ok: bool
    ms: int
    answer: str
    error: str
    outcome: Outcome
    model: str
    blocked_host: str


class Line(Given):
    """One line of the chat."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"] = "user"
    text: Annotated[str, Field(max_length=100_000)]


class TryIn(Given):
    """The conversation so far; the last line is the one to answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"turns": [{"role": "user", "text": "When do you open?"}]}]})

    turns: Annotated[list[Line], Field(max_length=1_000)]


class TryOut(BaseModel):
    """The bot's line, with what it was made of."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    ms: int
    trace: TraceOut


@router.get("/ai/providers")
async def kinds(who: Who, services: Services) -> list[KindOut]:
    """The kinds of provider there are."""
    return [KindOut.model_validate(kind) for kind in services.ai.kinds(who)]


@router.get("/accounts/{account_id}/ai-config")
async def get_config(account_id: str, who: Who, services: Services) -> ConfigOut:
    """How the AI of an account answers. Keys are never told."""
    return ConfigOut.model_validate(await services.ai.get(who, account_id))


@router.post("/accounts/{account_id}/ai-config")
async def save_config(account_id: str, given: ConfigIn, who: Who, services: Services) -> ConfigOut:
    """Change settings and providers, switch on or off."""
    if given.settings is not None or given.enabled is False:
        await services.ai.save(who, account_id, enabled=False if given.enabled is False else None, settings=given.settings)
    if given.providers is not None:
        await services.ai.set_providers(who, account_id, [(item.id, item.draft()) for item in given.providers])
    if given.enabled:
        await services.ai.save(who, account_id, enabled=True)
    return ConfigOut.model_validate(await services.ai.get(who, account_id))


@router.delete("/accounts/{account_id}/ai-config", status_code=204)
async def delete_config(account_id: str, who: Who, services: Services) -> None:
    """Delete the settings and the providers with their keys."""
    await services.ai.reset(who, account_id)


@router.post("/accounts/{account_id}/ai-config/providers", status_code=201)
async def add_provider(account_id: str, given: ProviderIn, who: Who, services: Services) -> ProviderOut:
    """Add a provider, to be asked last. An address on a private network is refused with the code `private_network` and the `host` an
    owner would have to allow (POST /api/network/allowed)."""
    return ProviderOut.model_validate(await services.ai.add_provider(who, account_id, given.draft()))


@router.put("/accounts/{account_id}/ai-config/providers/order", status_code=204)
async def order_providers(account_id: str, given: ProviderOrder, who: Who, services: Services) -> None:
    """Ask the providers in another order."""
    await services.ai.order_providers(who, account_id, given.provider_ids)


@router.put("/accounts/{account_id}/ai-config/providers/{provider_id}")
async def change_provider(account_id: str, provider_id: str, given: ProviderIn, who: Who, services: Services) -> ProviderOut:
    """Change a provider. The stored key stays with `••••`, unless the address changes."""
    return ProviderOut.model_validate(await services.ai.update_provider(who, account_id, provider_id, given.draft()))


@router.delete("/accounts/{account_id}/ai-config/providers/{provider_id}", status_code=204)
async def delete_provider(account_id: str, provider_id: str, who: Who, services: Services) -> None:
    """Delete a provider and its key."""
    await services.ai.delete_provider(who, account_id, provider_id)


@router.post("/accounts/{account_id}/ai-config/models")
async def models(account_id: str, given: ProviderIn, who: Who, services: Services, provider_id: str = "") -> list[ModelOut]:
    """The models a provider offers, asked now; it need not be saved."""
    return [ModelOut.model_validate(each) for each in await services.ai.models(who, account_id, given.draft(), provider_id)]


@router.post("/accounts/{account_id}/ai-config/test")
async def ask_provider(account_id: str, given: ProviderIn, who: Who, services: Services, provider_id: str = "") -> TestOut:
    """Ask a provider one question; it need not be saved."""
    return TestOut.model_validate(await services.ai_trying.test(who, account_id, given.draft(), provider_id))


@router.post("/accounts/{account_id}/ai-config/try")
async def try_bot(account_id: str, given: TryIn, who: Who, services: Services) -> TryOut:
    """Talk to the bot without WhatsApp. Nothing is sent or billed; the calls are in the log (AI-7)."""
    turns = [TryTurn(line.role, line.text) for line in given.turns]
    return TryOut.model_validate(await services.ai_trying.chat(who, account_id, turns))
