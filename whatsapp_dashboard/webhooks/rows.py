"""A webhook as pages and the API see it (HOOK-1, HOOK-6)."""

from __future__ import annotations

from datetime import datetime

from whatsapp_dashboard.models import Webhook
from whatsapp_dashboard.webhooks.views import WebhookHealth, WebhookRow, WebhookState


def webhook_row(webhook: Webhook, account_name: str | None, health: WebhookHealth, now: datetime) -> WebhookRow:
    """The webhook as it stands at ``now``, without its secrets."""
    until, quiet = webhook.previous_secret_until, webhook.quiet_until
    return WebhookRow(
        id=webhook.id,
        workspace_id=webhook.workspace_id,
        name=webhook.name,
        url=webhook.url,
        account_id=webhook.account_id,
        account_name=account_name,
        events=tuple(webhook.events),
        header_names=tuple(webhook.header_names),
        has_secret=webhook.secret is not None,
        secret_hint=webhook.secret_hint,
        previous_secret_until=until if until and until > now else None,
        enabled=webhook.enabled,
        state=state_of(webhook),
        paused_at=webhook.paused_at,
        failing_since=webhook.failing_since,
        next_probe_at=webhook.next_probe_at,
        quiet_until=quiet if quiet and quiet > now else None,
        stalled_since=webhook.stalled_since,
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
        health=health,
    )


def state_of(webhook: Webhook) -> WebhookState:
    """How the webhook stands."""
    if not webhook.enabled:
        return WebhookState.OFF
    if webhook.paused_at:
        return WebhookState.PAUSED
    if webhook.stalled_since:
        return WebhookState.STALLED
    return WebhookState.FAILING if webhook.failing_since else WebhookState.ACTIVE
