"""Why a bot gave a conversation to people, and the indexes by which automatic answers and own numbers are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_HANDED_OVER = sa.text("handover_reason <> ''")
_AUTOMATIC = sa.text("in_reply_to IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("conversation", sa.Column("handover_reason", sa.String(length=255), server_default=sa.text("''"), nullable=False))
    op.add_column("conversation", sa.Column("bot_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_conversation_handed_over", "conversation", ["account_id"], postgresql_where=_HANDED_OVER, sqlite_where=_HANDED_OVER
    )
    op.create_index(
        "ix_message_automatic", "message", ["conversation_id", "at"], postgresql_where=_AUTOMATIC, sqlite_where=_AUTOMATIC
    )
    op.create_index("ix_account_phone", "account", ["phone"])
    op.create_index("ix_account_lid", "account", ["lid"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_account_lid", "account")
    op.drop_index("ix_account_phone", "account")
    op.drop_index("ix_message_automatic", "message")
    op.drop_index("ix_conversation_handed_over", "conversation")
    op.drop_column("conversation", "bot_since")
    op.drop_column("conversation", "handover_reason")
