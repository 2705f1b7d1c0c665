"""The reason of an account's status for programs, beside the one for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("account", sa.Column("status_code", sa.String(32), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Undo."""
    op.drop_column("account", "status_code")
