"""Keys of requests that have had their effect, and of notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "request_key",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("operator_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("what", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_request_key_operator_id_operator", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_request_key"),
        sa.UniqueConstraint("operator_id", "key", name="uq_request_key_operator_id_key"),
    )
    op.create_index("ix_request_key_created_at", "request_key", ["created_at"])
    with op.batch_alter_table("note") as batch:
        batch.add_column(sa.Column("idempotency_key", sa.String(255), nullable=True))
        batch.create_unique_constraint("uq_note_conversation_id_idempotency_key", ["conversation_id", "idempotency_key"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("note") as batch:
        batch.drop_constraint("uq_note_conversation_id_idempotency_key", type_="unique")
        batch.drop_column("idempotency_key")
    op.drop_index("ix_request_key_created_at", "request_key")
    op.drop_table("request_key")
