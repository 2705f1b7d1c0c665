"""An endpoint as deliveries need it: where, with which headers, signed with what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from whatsapp_dashboard.core import url_secrets
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.masking import values_of
from whatsapp_dashboard.models import Webhook
from whatsapp_dashboard.webhooks.signing import PREFIX


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook's deliveries go."""

    webhook_id: str
    workspace_id: str
    """In whose name it is asked: what may be reached."""
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    secret: str | None = None
    previous_secret: str | None = None
    previous_secret_until: datetime | None = None

    @property
    def private(self) -> tuple[str, ...]:
        """What no text that comes back may show: values of custom headers, secrets, and those in the URL."""
        headers = [part for _, value in self.headers for part in values_of(value)]
        signing = [secret for secret in (self.secret, self.previous_secret) if secret]
        bare = [secret.removeprefix(PREFIX) for secret in signing]
        return tuple(dict.fromkeys([*headers, *signing, *bare, *url_secrets.hidden(self.url)]))

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """What signs a delivery at ``now``, the valid secret first (HOOK-3)."""
        found = [self.secret] if self.secret else []
        if self.previous_secret and self.previous_secret_until and now < self.previous_secret_until:
            found.append(self.previous_secret)
        return tuple(found)


def place(webhook_id: str, column: str) -> str:
    """To which place a sealed column of a webhook belongs (SEC-7)."""
    return f"webhook/{column}/{webhook_id}"


def open_endpoint(row: Webhook, box: SecretBox) -> Endpoint:
    """Read what is sealed. Raises CryptoError when the key is another one."""
    return Endpoint(
        webhook_id=row.id,
        workspace_id=row.workspace_id,
        url=url_secrets.opened(row, box),
        headers=tuple(open_headers(row, box).items()),
        secret=_open(row.secret, box, place(row.id, "secret")),
        previous_secret=_open(row.previous_secret, box, place(row.id, "previous_secret")),
        previous_secret_until=row.previous_secret_until,
    )


def open_headers(row: Webhook, box: SecretBox) -> dict[str, str]:
    """The custom headers."""
    sealed = _open(row.headers, box, place(row.id, "headers"))
    return {str(name): str(value) for name, value in json.loads(sealed).items()} if sealed else {}


def _open(sealed: str | None, box: SecretBox, where: str) -> str | None:
    return box.open(sealed, where).decode() if sealed else None
