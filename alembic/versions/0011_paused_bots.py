"""An index of the bots that are silent for a time: they are looked through every few seconds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_PAUSED = sa.text("bot_paused_until IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_conversation_bot_paused_until", "conversation", ["bot_paused_until"], postgresql_where=_PAUSED, sqlite_where=_PAUSED
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_conversation_bot_paused_until", "conversation")
