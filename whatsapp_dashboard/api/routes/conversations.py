"""Conversations: find, read, take over, hand back, close, annotate (API-3, MSG-7, AI-8)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from whatsapp_dashboard.api.deps import Services, Who
from whatsapp_dashboard.api.given import Given
from whatsapp_dashboard.api.once import IdempotencyKey
from whatsapp_dashboard.api.route import Router
from whatsapp_dashboard.errors import Invalid
from whatsapp_dashboard.messages.conversation_views import ConversationFilters, ConversationRow, Counts, ThreadItem

router = Router(prefix="/api/conversations", tags=["conversations"])

Cursor = Annotated[str, Query(max_length=200, description="From the previous page; empty for the first")]
Limit = Annotated[int, Query(ge=1, le=200)]


class ConversationPageOut(BaseModel):
    """A page of conversations; ``older`` is the cursor of the next one, null at the end."""

    items: list[ConversationRow]
    older: str | None


class ThreadPageOut(BaseModel):
    """A page of a thread, from old to new; ``older`` is the cursor of the page before it, null at the beginning; ``newer`` the one of the
    page after it (``after``), null at the end."""

    items: list[dict[str, Any]]
    older: str | None
    newer: str | None


class NewNote(Given):
    """A remark that nobody outside sees."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "Asked for the invoice twice."}]})

    text: Annotated[str, Field(max_length=100_000)]


class ContactName(Given):
    """A name of ours for the contact; empty takes it back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Carla (wholesale)"}]})

    name: Annotated[str, Field(max_length=10_000)]


@router.get("")
async def list_conversations(  # noqa: PLR0917 - FastAPI fills them by name
    who: Who,
    services: Services,
    account_id: Annotated[str, Query(max_length=64)] = "",
    status: Literal["", "active", "closed"] = "",
    answered_by: Literal["", "bot", "human"] = "",
    unread: bool = False,
    waiting: Annotated[bool, Query(description="Only where the contact waits for a person")] = False,
    text: Annotated[str, Query(max_length=1_000)] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> ConversationPageOut:
    """Conversations, newest message first. `waiting_since` says since when the contact has had the last word without anybody who
    answered or will; `answers_next` who would answer the next message: `bot`, `person` or `nobody`. With `text`, `hit` is the newest
    message that says it."""
    filters = ConversationFilters(account_id, status, answered_by, unread, waiting, text)
    page = await services.conversations.page(who, filters, cursor, limit)
    return ConversationPageOut(items=list(page.rows), older=page.older)


@router.get("/counts")
async def counts(
    who: Who,
    services: Services,
    account_id: Annotated[str, Query(max_length=64)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
) -> Counts:
    """How many conversations are open, unread, taken over by a person, and how many contacts wait for a person; with `text`, among those
    that match it."""
    return await services.conversations.counts(who, account_id, text)


@router.get("/{conversation_id}")
async def get_conversation(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """One conversation."""
    return await services.conversations.get(who, conversation_id)


@router.patch("/{conversation_id}/contact")
async def rename_contact(conversation_id: str, given: ContactName, who: Who, services: Services) -> ConversationRow:
    """Give the contact a name of ours."""
    return await services.conversations.rename_contact(who, conversation_id, given.name)


@router.get("/{conversation_id}/messages")
async def thread(  # noqa: PLR0917 - FastAPI fills them by name
    conversation_id: str,
    who: Who,
    services: Services,
    cursor: Cursor = "",
    limit: Limit = 50,
    after: Annotated[str, Query(max_length=200, description="`newer` of another page: what came after it")] = "",
    around: Annotated[str, Query(max_length=64, description="A message's id: the page with that message in its middle")] = "",
) -> ThreadPageOut:
    """Messages and notes of the conversation. Of `cursor`, `after` and `around`, one at most."""
    if sum(map(bool, (cursor, after, around))) > 1:
        raise Invalid("Give only one of cursor, after and around.", field="cursor")
    if around:
        page = await services.conversations.thread_around(who, conversation_id, around, limit)
    elif after:
        page = await services.conversations.thread_after(who, conversation_id, after, limit)
    else:
        page = await services.conversations.thread(who, conversation_id, cursor, limit)
    return ThreadPageOut(items=[item_out(item) for item in page.items], older=page.older, newer=page.newer)


@router.post("/{conversation_id}/take-over")
async def take_over(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """A person answers: bots are silent for the account's time."""
    return await services.conversations.take_over(who, conversation_id)


@router.post("/{conversation_id}/hand-back")
async def hand_back(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """Bots answer again."""
    return await services.conversations.hand_back(who, conversation_id)


@router.post("/{conversation_id}/close")
async def close(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """Put it away; a new message of the contact brings it back."""
    return await services.conversations.close(who, conversation_id)


@router.post("/{conversation_id}/reopen")
async def reopen(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """Bring a closed conversation back."""
    return await services.conversations.reopen(who, conversation_id)


@router.post("/{conversation_id}/read", status_code=204)
async def mark_read(conversation_id: str, who: Who, services: Services) -> None:
    """Everything was read: the contact sees blue ticks."""
    await services.messages.mark_read(who, conversation_id)


@router.post("/{conversation_id}/unread")
async def mark_unread(conversation_id: str, who: Who, services: Services) -> ConversationRow:
    """Show it as unread again. WhatsApp is not told."""
    return await services.conversations.mark_unread(who, conversation_id)


@router.post("/{conversation_id}/notes", status_code=201)
async def add_note(
    conversation_id: str, given: NewNote, who: Who, services: Services, key: IdempotencyKey = None
) -> dict[str, Any]:
    """Leave a note."""
    return item_out(await services.conversations.add_note(who, conversation_id, given.text, idempotency_key=key))


@router.delete("/{conversation_id}/notes/{note_id}", status_code=204)
async def delete_note(conversation_id: str, note_id: str, who: Who, services: Services) -> None:
    """Remove a note: its writer or an owner."""
    await services.conversations.delete_note(who, conversation_id, note_id)


def item_out(item: ThreadItem) -> dict[str, Any]:
    """A message or note as JSON, with the address of its file."""
    out = asdict(item)
    if item.media is not None:
        out["media"]["url"] = f"/api/media/{item.media.id}" if item.media.state == "stored" else None
    return out
