"""AI: settings and providers of accounts, the log of calls, what answers were made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ai_config",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", _JSON, nullable=False),
        sa.Column("budget_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_ai_config_account_id_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="pk_ai_config"),
    )
    op.create_table(
        "ai_provider",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("api_key", sa.String(), nullable=True),
        sa.Column("key_hint", sa.String(length=4), nullable=False),
        sa.Column("takes_images", sa.Boolean(), nullable=True),
        sa.Column("takes_audio", sa.Boolean(), nullable=True),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_ai_provider_account_id_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_ai_provider"),
    )
    op.create_index("ix_ai_provider_account_id", "ai_provider", ["account_id"])
    op.create_table(
        "ai_call",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("conversation_id", sa.String(length=36), nullable=True),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("provider_id", sa.String(length=36), nullable=True),
        sa.Column("provider_kind", sa.String(length=32), nullable=False),
        sa.Column("provider_label", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_ai_call_account_id_account", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_ai_call_workspace_id_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_ai_call"),
    )
    op.create_index("ix_ai_call_account_id_created_at", "ai_call", ["account_id", "created_at"])
    op.create_index("ix_ai_call_workspace_id_id", "ai_call", ["workspace_id", "id"])
    op.create_table(
        "ai_answer",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("conversation_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("question_ids", _JSON, nullable=False),
        sa.Column("passages", _JSON, nullable=False),
        sa.Column("steps", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_ai_answer_account_id_account", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_ai_answer_message_id_message", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", name="pk_ai_answer"),
    )
    op.create_index("ix_ai_answer_account_id", "ai_answer", ["account_id"])
    op.create_index("ix_ai_answer_conversation_id", "ai_answer", ["conversation_id"])
    op.create_table(
        "ai_chat",
        sa.Column("conversation_id", sa.String(length=36), nullable=False),
        sa.Column("provider_id", sa.String(length=36), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_ai_chat_conversation_id_conversation", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["ai_provider.id"], name="fk_ai_chat_provider_id_ai_provider", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "provider_id", name="pk_ai_chat"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("ai_chat", "ai_answer", "ai_call", "ai_provider", "ai_config"):
        op.drop_table(table)
