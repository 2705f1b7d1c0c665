"""What operators may set on a provider, checked; each error names its field and says what to do."""

from __future__ import annotations

from dataclasses import replace

from whatsapp_dashboard.ai.providers.base import Connection, ProviderError
from whatsapp_dashboard.ai.providers.registry import Providers
from whatsapp_dashboard.ai.store import open_key, owned_account
from whatsapp_dashboard.ai.views import KEPT, ProviderDraft
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.safe_http import check_url
from whatsapp_dashboard.domain.principal import Principal
from whatsapp_dashboard.errors import Invalid, NotFound
from whatsapp_dashboard.models import AiProvider

MAX_KEY = 4_000
MAX_NAME = 255


def check_draft(providers: Providers, draft: ProviderDraft, *, needs_model: bool = True) -> ProviderDraft:
    """The draft, trimmed and checked. Raises :class:`Invalid`."""
    try:
        kind = providers.kind(draft.kind)
    except ProviderError as error:
        raise Invalid(error.message, code="unknown_provider", field="kind") from None
    label, model, key, url = draft.label.strip(), draft.model.strip(), draft.key.strip(), draft.url.strip()
    if needs_model and not model:
        raise Invalid(f"Enter the {_lower(kind.model_word)}, or choose one from the list.", field="model")
    for name, value in (("label", label), ("model", model)):
        if len(value) > MAX_NAME or not value.isprintable():
            raise Invalid(f"At most {MAX_NAME} characters on one line.", field=name)
    if kind.needs_key and not key:
        raise Invalid(f"{kind.title} needs a key.", code="key_needed", field="key")
    if key != KEPT and (len(key) > MAX_KEY or not key.isascii() or not key.isprintable() or " " in key):
        raise Invalid("This is not a key: it has spaces, line breaks or signs that no key has.", field="key")
    if url and not kind.url_editable:
        raise Invalid(f"The address of {kind.title} cannot be changed.", field="url")
    if kind.url_needed and not url:
        raise Invalid("Enter the address of the server, for example http://localhost:11434/v1.", code="bad_url", field="url")
    if url:
        parsed = check_url(url)
        if parsed.query:
            raise Invalid("The address of a server has no part after a “?”. A key goes into the field for it.", code="bad_url", field="url")
        url = str(parsed)
    if not 1 <= draft.concurrency <= 1_000:
        raise Invalid("From 1 to 1000 requests may run at once.", field="concurrency")
    return replace(draft, label=label, model=model, key=key, url=url)


async def connection_of(
    db: Database, box: SecretBox, providers: Providers, who: Principal, account_id: str, *, draft: ProviderDraft, provider_id: str
) -> Connection:
    """How to reach the provider of a draft that need not be stored yet; a key of ``KEPT`` is that of ``provider_id``, for the address it
    was given for only. Raises :class:`Invalid`, :class:`NotFound`."""
    draft = check_draft(providers, draft, needs_model=False)
    async with db.read() as session:
        await owned_account(session, who, account_id)
        key = draft.key
        if key == KEPT:
            row = await session.get(AiProvider, provider_id) if provider_id else None
            if row is None or row.account_id != account_id:
                raise NotFound("There is no such provider.", code="provider_not_found")
            if draft.kind != row.kind or draft.url != row.url:
                raise Invalid("Enter the key again: it was given for another address.", code="key_needed", field="key")
            key = open_key(box, row)
    return Connection(kind=draft.kind, model=draft.model, key=key, url=draft.url, chat=None, workspace_id=who.workspace_id)


def _lower(word: str) -> str:
    return word[:1].lower() + word[1:]
