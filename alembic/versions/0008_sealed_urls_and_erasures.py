"""Secrets in URLs are kept sealed; what is deleted is erased step by step, also after a crash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.add_column("webhook", sa.Column("url_sealed", sa.String(), nullable=True))
    op.add_column("knowledge_document", sa.Column("url_sealed", sa.String(), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("files", _JSON, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_message_contact_id", "message", ["contact_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_message_contact_id", "message")
    op.drop_table("erasure")
    op.drop_column("knowledge_document", "url_sealed")
    op.drop_column("webhook", "url_sealed")
