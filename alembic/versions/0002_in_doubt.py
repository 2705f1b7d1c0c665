"""Sends that a crash left in doubt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_IN_DOUBT = {"postgresql_where": sa.text("unconfirmed"), "sqlite_where": sa.text("unconfirmed = 1")}


def upgrade() -> None:
    """Apply. Plain columns with a default: neither database rewrites the table for them."""
    op.add_column("message", sa.Column("unconfirmed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("message", sa.Column("resends", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_message_unconfirmed", "message", ["account_id", "id"], **_IN_DOUBT)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_message_unconfirmed", "message", **_IN_DOUBT)
    op.drop_column("message", "resends")
    op.drop_column("message", "unconfirmed")
