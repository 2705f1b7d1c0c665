"""How accounts answer by AI: settings, providers in order, the log of calls, and what each answer was made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from whatsapp_dashboard.models.base import Json, created_field, id_field, owned_by, time_field


class AiConfig(SQLModel, table=True):
    """Whether and how the AI of one account answers (AI-1)."""

    __tablename__ = "ai_config"

    account_id: str = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE", max_length=36)
    enabled: bool = False
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json, nullable=False)
    """Read and written as domain.ai_settings.AiSettings."""
    budget_told_at: datetime | None = time_field()
    """When operators were last told that the daily limit is reached."""
    updated_at: datetime = created_field()


class AiProvider(SQLModel, table=True):
    """One provider an account may ask; those of an account are tried in the order of ``position`` (AI-3)."""

    __tablename__ = "ai_provider"

    id: str = id_field()
    account_id: str = owned_by("account.id")
    position: int
    kind: str = Field(max_length=32)
    label: str = Field(default="", max_length=255)
    model: str = Field(max_length=255)
    """The model's name, or the agent's id where the provider has agents."""
    url: str = Field(default="", max_length=2_048)
    """Empty: the provider's own address."""
    api_key: str | None = None
    """Sealed (SEC-7)."""
    key_hint: str = Field(default="", max_length=4)
    takes_images: bool | None = None
    """None: as far as is known of the model."""
    takes_audio: bool | None = None
    concurrency: int = 20
    """Requests that run at once; more wait for their turn."""
    enabled: bool = True
    created_at: datetime = created_field()
    updated_at: datetime = created_field()


class AiCall(SQLModel, table=True):
    """One request to a provider and how it ended (AI-6)."""

    __tablename__ = "ai_call"
    __table_args__ = (
        Index("ix_ai_call_workspace_id_id", "workspace_id", "id"),
        Index("ix_ai_call_account_id_created_at", "account_id", "created_at"),
    )

    id: str = id_field()
    workspace_id: str = owned_by("workspace.id", index=False)
    account_id: str = owned_by("account.id", index=False)
    conversation_id: str | None = Field(default=None, max_length=36)
    message_id: str | None = Field(default=None, max_length=36)
    """The incoming message that was to be answered."""
    provider_id: str | None = Field(default=None, max_length=36)
    provider_kind: str = Field(max_length=32)
    provider_label: str = Field(default="", max_length=255)
    model: str = Field(default="", max_length=255)
    purpose: str = Field(max_length=16)
    """``reply``, ``try`` or ``test``."""
    outcome: str = Field(max_length=16)
    """``ok``, ``cancelled``, or the kind of the error."""
    error: str = Field(default="", max_length=500)
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int | None = Field(default=None, sa_type=BigInteger)
    """Millionths of a US dollar; None when the price is not known."""
    ms: int = 0
    created_at: datetime = created_field()


class AiAnswer(SQLModel, table=True):
    """What an answer was made of: shown beside it in the inbox (AI-5)."""

    __tablename__ = "ai_answer"

    message_id: str = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE", max_length=36)
    """The outgoing message."""
    account_id: str = owned_by("account.id")
    conversation_id: str = Field(max_length=36, index=True)
    kind: str = Field(max_length=16)
    """``answer``; ``failure`` or ``media`` for the texts said instead of one."""
    question_ids: list[str] = Field(default_factory=list, sa_type=Json, nullable=False)
    """The incoming messages it answers, oldest first."""
    passages: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json, nullable=False)
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json, nullable=False)
    """The providers that were asked or passed over, in order."""
    created_at: datetime = created_field()


class AiChat(SQLModel, table=True):
    """The provider's own name for a conversation, where the provider keeps it (Retell)."""

    __tablename__ = "ai_chat"

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id", ondelete="CASCADE", max_length=36)
    provider_id: str = Field(primary_key=True, foreign_key="ai_provider.id", ondelete="CASCADE", max_length=36)
    chat_id: str = Field(max_length=128)
    updated_at: datetime = created_field()
