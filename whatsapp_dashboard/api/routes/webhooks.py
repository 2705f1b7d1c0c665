"""Webhooks: create, change, pause, test, replay, delete (API-3, HOOK-1, HOOK-3, HOOK-8)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.api.routes.deliveries import Cursor, DeliveryPageOut, Limit, Replayed, page_of
from whatsapp_dashboard.webhooks.views import DeliveryFilters, SavedWebhook, WebhookDraft, WebhookState

router = Router(prefix="/api", tags=["webhooks"])

Headers = Annotated[
    dict[Annotated[str, Field(max_length=1_000)], Annotated[str, Field(max_length=10_000)]],
    Field(max_length=100, description="Custom headers. Values are write-only: answers tell the names only"),
]
Events = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100, description="GET /api/webhooks/events lists them")]
Secret = Annotated[
    str | None,
    Field(max_length=1_000, description="`generate` makes one; any text of 8 to 200 characters is taken; without it nothing is signed"),
]


class HourOut(BaseModel):
    """Attempts of one hour."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    succeeded: int
    failed: int


class HealthOut(BaseModel):
    """How the endpoint did in the last 24 hours: deliveries first, then single attempts, of which a delivery may take several."""

    model_config = ConfigDict(from_attributes=True)

    success_rate: float | None = Field(description="Of the finished deliveries, how many arrived, from 0 to 1; `null` without one")
    delivered: int = Field(description="Deliveries that arrived")
    given_up: int = Field(description="Dead letters among what was queued in these hours")
    succeeded: int = Field(description="Attempts that the endpoint took")
    failed: int = Field(description="Attempts that it did not take; most are tried again")
    p95_ms: int | None
    waiting: int
    dead: int
    oldest_waiting_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str
    hours: list[HourOut]


class WebhookOut(BaseModel):
    """One webhook. Its secret is never told again; `secret_hint` is the end of it. Secrets in the `url` are shown as `••••`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    url: str
    account_id: str | None
    account_name: str | None
    events: list[str]
    header_names: list[str]
    has_secret: bool
    secret_hint: str
    previous_secret_until: datetime | None
    enabled: bool
    state: WebhookState
    paused_at: datetime | None
    failing_since: datetime | None
    next_probe_at: datetime | None
    quiet_until: datetime | None
    stalled_since: datetime | None
    created_at: datetime
    updated_at: datetime
    health: HealthOut


class SavedOut(WebhookOut):
    """A webhook that was just saved. `secret` is told this once."""

    secret: str | None


class NewWebhook(Given):
    """A webhook to create. It gets what happens from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://example.org/hooks/whatsapp", "events": ["message", "message.status"], "secret": "generate"}]
        },
    )

    url: Annotated[str, Field(max_length=10_000)]
    name: Annotated[str, Field(max_length=1_000)] = ""
    account_id: Annotated[str | None, Field(max_length=64, description="Without it: all accounts")] = None
    events: Events = Field(default_factory=lambda: ["message"])
    headers: Headers = Field(default_factory=dict)
    secret: Secret = None
    enabled: bool = True


class WebhookChange(Given):
    """What to change; what is absent stays. In `headers` a value of `••••` keeps the stored one, and so does a `••••` in `url`, unless the
    URL leads to another server: then they are entered again, and `secret` too."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"events": ["message", "message.sent"]}]})

    url: Annotated[str, Field(max_length=10_000)] = ""
    name: Annotated[str, Field(max_length=1_000)] = ""
    account_id: Annotated[str | None, Field(max_length=64)] = None
    events: Events = Field(default_factory=list)
    headers: Headers = Field(default_factory=dict)
    secret: Secret = None
    enabled: bool = True


class Switch(Given):
    """On or off; without a value it changes to the other."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None


class Rotation(Given):
    """A new secret. The old one signs as well while they overlap."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_hours": 24}]})

    secret: Annotated[str | None, Field(max_length=1_000, description="Without it one is made")] = None
    overlap_hours: Annotated[float, Field(ge=0, le=720)] = 24


class Since(Given):
    """From when on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "2026-01-31T10:00:00Z"}]})

    since: AwareDatetime


class TestOut(BaseModel):
    """What a test event met."""

    model_config = ConfigDict(from_attributes=True)

    succeeded: bool
    status: int | None
    ms: int
    error: str
    address: str
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str
    response_truncated: bool


class EventTypeOut(BaseModel):
    """A kind of event."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str
    description: str
    example: dict[str, Any]


@router.get("/webhooks/events")
async def event_types(who: Who, services: Services) -> list[EventTypeOut]:
    """The events a webhook can ask for, each with an example of its `data`."""
    return [EventTypeOut.model_validate(item) for item in services.webhooks.event_types()]


@router.post("/webhooks/test")
async def test_draft(given: NewWebhook, who: Who, services: Services) -> TestOut:
    """Send a test event to a webhook that is not saved; nothing is stored."""
    return TestOut.model_validate(await services.webhooks.test_draft(who, _draft(given)))


@router.get("/webhooks")
async def list_webhooks(who: Who, services: Services) -> list[WebhookOut]:
    """All webhooks of the workspace, oldest first."""
    return [WebhookOut.model_validate(row) for row in await services.webhooks.list(who)]


@router.get("/accounts/{account_id}/webhooks")
async def account_webhooks(account_id: str, who: Who, services: Services) -> list[WebhookOut]:
    """The webhooks that get this account's events, those for all accounts among them."""
    return [WebhookOut.model_validate(row) for row in await services.webhooks.list(who, account_id=account_id)]


@router.post("/webhooks", status_code=201)
async def create_webhook(given: NewWebhook, who: Who, services: Services) -> SavedOut:
    """Create a webhook. A URL on a private network is refused with the code `private_network` and the `host` an owner would have to
    allow (POST /api/network/allowed)."""
    return _saved(await services.webhooks.create(who, _draft(given)))


@router.get("/webhooks/{webhook_id}")
async def get_webhook(webhook_id: str, who: Who, services: Services) -> WebhookOut:
    """One webhook."""
    return WebhookOut.model_validate(await services.webhooks.get(who, webhook_id))


@router.patch("/webhooks/{webhook_id}")
async def change_webhook(webhook_id: str, given: WebhookChange, who: Who, services: Services) -> SavedOut:
    """Change a webhook. What has happened before the change is delivered as it was set then. A URL on another server (scheme, host or port)
    is refused with the code `secret_needed` while the value of a header, or the signing secret, would go along: `field` says which."""
    return _saved(await services.webhooks.change(who, webhook_id, given.model_dump(exclude_unset=True)))


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: str, who: Who, services: Services) -> None:
    """Delete a webhook with its deliveries."""
    await services.webhooks.delete(who, webhook_id)


@router.patch("/webhooks/{webhook_id}/toggle")
async def toggle_webhook(webhook_id: str, who: Who, services: Services, given: Switch | None = None) -> WebhookOut:
    """Switch on or off. Off: no new events are queued; what is queued waits."""
    return WebhookOut.model_validate(await services.webhooks.toggle(who, webhook_id, given.enabled if given else None))


@router.post("/webhooks/{webhook_id}/pause")
async def pause_webhook(webhook_id: str, who: Who, services: Services) -> WebhookOut:
    """Hold deliveries back; events queue up."""
    return WebhookOut.model_validate(await services.webhooks.pause(who, webhook_id))


@router.post("/webhooks/{webhook_id}/resume")
async def resume_webhook(webhook_id: str, who: Who, services: Services) -> WebhookOut:
    """Let deliveries out again, also those held back because the endpoint kept failing."""
    return WebhookOut.model_validate(await services.webhooks.resume(who, webhook_id))


@router.post("/webhooks/{webhook_id}/test")
async def test_webhook(webhook_id: str, who: Who, services: Services) -> TestOut:
    """Send a test event once, now. It is in the delivery log."""
    return TestOut.model_validate(await services.webhooks.test(who, webhook_id))


@router.post("/webhooks/{webhook_id}/rotate-secret")
async def rotate_secret(webhook_id: str, who: Who, services: Services, given: Rotation | None = None) -> SavedOut:
    """Set a new secret and tell it this once."""
    wanted = given or Rotation()
    return _saved(await services.webhooks.rotate_secret(who, webhook_id, overlap_hours=wanted.overlap_hours, secret=wanted.secret or None))


@router.delete("/webhooks/{webhook_id}/secret")
async def remove_secret(webhook_id: str, who: Who, services: Services) -> WebhookOut:
    """Sign no more."""
    return WebhookOut.model_validate(await services.webhooks.remove_secret(who, webhook_id))


@router.post("/webhooks/{webhook_id}/replay")
async def replay_webhook(webhook_id: str, given: Since, who: Who, services: Services) -> Replayed:
    """Send everything again that was queued for this webhook since then, delivered or not, under the same event ids."""
    return Replayed(replayed=await services.deliveries.replay_since(who, webhook_id, given.since))


@router.get("/webhooks/{webhook_id}/deliveries")
async def webhook_deliveries(webhook_id: str, who: Who, services: Services, cursor: Cursor = "", limit: Limit = 50) -> DeliveryPageOut:
    """The deliveries of one webhook, newest first."""
    await services.webhooks.get(who, webhook_id)
    return await page_of(services, who, DeliveryFilters(webhook_id=webhook_id), cursor, limit)


def _draft(given: NewWebhook) -> WebhookDraft:
    return WebhookDraft(**given.model_dump(exclude={"events"}), events=tuple(given.events))


def _saved(saved: SavedWebhook) -> SavedOut:
    return SavedOut(**WebhookOut.model_validate(saved.webhook).model_dump(), secret=saved.secret)
