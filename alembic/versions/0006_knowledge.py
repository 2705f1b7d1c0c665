"""Knowledge: documents, passages, and the full-text index of either database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = sa.text("state IN ('pending', 'indexing')")
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_SQLITE = (
    "CREATE VIRTUAL TABLE knowledge_index USING fts5("
    "head_terms, terms, content='knowledge_passage', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER knowledge_passage_added AFTER INSERT ON knowledge_passage BEGIN"
    " INSERT INTO knowledge_index(rowid, head_terms, terms) VALUES (new.id, new.head_terms, new.terms); END",
    "CREATE TRIGGER knowledge_passage_removed AFTER DELETE ON knowledge_passage BEGIN"
    " INSERT INTO knowledge_index(knowledge_index, rowid, head_terms, terms) VALUES ('delete', old.id, old.head_terms, old.terms); END",
    "CREATE VIRTUAL TABLE knowledge_words USING fts5vocab('knowledge_index', 'row')",
)
_POSTGRES = (
    "ALTER TABLE knowledge_passage ADD COLUMN words tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', head_terms || ' ' || terms)) STORED",
    "CREATE INDEX ix_knowledge_passage_words ON knowledge_passage USING gin (words)",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "knowledge_document",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("fetch", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_knowledge_document_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_document"),
    )
    op.create_index("ix_knowledge_document_workspace_id_id", "knowledge_document", ["workspace_id", "id"])
    op.create_index("ix_knowledge_document_waiting", "knowledge_document", ["id"], postgresql_where=_WAITING, sqlite_where=_WAITING)
    op.create_table(
        "knowledge_passage",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", sa.String(length=500), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("head_terms", sa.String(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["knowledge_document.id"], name="fk_knowledge_passage_document_id_knowledge_document", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_passage"),
    )
    op.create_index("ix_knowledge_passage_document_id", "knowledge_passage", ["document_id"])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE knowledge_words")
        op.execute("DROP TABLE knowledge_index")
    op.drop_table("knowledge_passage")
    op.drop_table("knowledge_document")
