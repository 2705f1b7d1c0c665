"""Borders: addresses an operator logged in from, which tries count apart from strangers', and an allow list for each workspace."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIST = "network.allowed"


def upgrade() -> None:
    """Apply. Every workspace keeps what the shared list let it reach until now: nothing that works stops working."""
    op.add_column("login_attempt", sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("login_attempt", sa.Column("reason", sa.String(length=16), nullable=True))
    op.create_table(
        "known_address",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("operator_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_known_address_operator_id_operator", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_known_address"),
        sa.UniqueConstraint("operator_id", "address", name="uq_known_address_operator_id_address"),
    )
    op.create_index("ix_known_address_last_login_at", "known_address", ["last_login_at"])
    allowed = op.create_table(
        "allowed_network",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_allowed_network_workspace_id_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_allowed_network"),
        sa.UniqueConstraint("workspace_id", "value", name="uq_allowed_network_workspace_id_value"),
    )
    connection = op.get_bind()
    workspaces = connection.execute(sa.text("SELECT id FROM workspace ORDER BY id")).scalars().all()
    rows = [
        {
            "id": str(uuid.uuid4()),
            "workspace_id": workspace,
            "value": entry["value"],
            "added_by": entry["added_by"],
            "added_at": datetime.fromisoformat(entry["added_at"]),
        }
        for workspace in workspaces
        for entry in _shared(connection)
    ]
    if rows:
        op.bulk_insert(allowed, rows)
    connection.execute(sa.text("DELETE FROM setting WHERE key = :key"), {"key": _LIST})


def downgrade() -> None:
    """Undo. What the oldest workspace allows becomes the shared list again; what others allow is not given to it."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT value, added_by, added_at FROM allowed_network"
            " WHERE workspace_id = (SELECT id FROM workspace ORDER BY created_at, id LIMIT 1) ORDER BY id"
        ).columns(added_at=sa.DateTime(timezone=True))
    ).all()
    if rows:
        time = sa.DateTime(timezone=True)
        setting = sa.table("setting", sa.column("key", sa.String), sa.column("value", sa.JSON), sa.column("updated_at", time))
        entries = [{"value": value, "added_by": by, "added_at": f"{at:%Y-%m-%dT%H:%M:%S}+00:00"} for value, by, at in rows]
        connection.execute(setting.insert().values(key=_LIST, value={"entries": entries}, updated_at=rows[-1].added_at))
    op.drop_table("allowed_network")
    op.drop_table("known_address")
    with op.batch_alter_table("login_attempt") as table:
        table.drop_column("reason")
        table.drop_column("known")


def _shared(connection: sa.Connection) -> list[dict[str, Any]]:
    """The entries of the list that all workspaces shared."""
    stored = connection.execute(sa.text("SELECT value FROM setting WHERE key = :key"), {"key": _LIST}).scalar()
    value = json.loads(stored) if isinstance(stored, str) else stored
    return list(value["entries"]) if value else []
