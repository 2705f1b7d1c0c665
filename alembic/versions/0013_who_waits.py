"""Who waits for a person: since when, kept with the conversation and worked out for those that are there."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WAITING = sa.text("waiting_since IS NOT NULL")
_PENDING = sa.text("state = 'pending'")

_GOOD = """
    {one}.direction = 'outgoing' AND {one}.status <> 'failed' AND {one}.revoked_at IS NULL
    AND NOT ({one}.origin = 'ai' AND EXISTS (SELECT 1 FROM ai_answer WHERE ai_answer.message_id = {one}.id AND ai_answer.kind <> 'answer'))
"""
_NEWEST_OF_OURS = f"""
    SELECT ours.id FROM message ours WHERE ours.conversation_id = conversation.id AND ours.origin <> 'phone' AND {_GOOD.format(one="ours")}
    ORDER BY ours.id DESC LIMIT 1
"""
_TYPED_LATER = f"""
    SELECT 1 FROM message typed WHERE typed.conversation_id = conversation.id AND typed.origin = 'phone' AND {_GOOD.format(one="typed")}
    AND ((typed.id > word.id AND typed.at >= word.at) OR (word.recovered AND typed.at > word.at))
"""
_FIRST_UNANSWERED = f"""
    SELECT word.at FROM message word WHERE word.conversation_id = conversation.id AND word.direction = 'incoming' AND NOT word.history
    AND word.revoked_at IS NULL AND word.id > COALESCE(({_NEWEST_OF_OURS}), '') AND NOT EXISTS ({_TYPED_LATER}) ORDER BY word.id LIMIT 1
"""


def upgrade() -> None:
    """Apply."""
    for name in ("unanswered_since", "waiting_since"):
        op.add_column("conversation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversation", sa.Column("dealt_with", sa.String(36), nullable=True))
    op.create_index("ix_reply_undecided", "reply", ["conversation_id"], postgresql_where=_PENDING, sqlite_where=_PENDING)
    _fill()
    options = {"postgresql_where": _WAITING, "sqlite_where": _WAITING}
    op.create_index("ix_conversation_waiting", "conversation", ["account_id", "waiting_since"], **options)
    op.create_index("ix_conversation_waiting_newest", "conversation", ["last_message_at", "id"], **options)


def _fill() -> None:
    """Whoever is in an open conversation with the last word, and whom no bot is about to answer, waits."""
    run = op.get_bind().execute
    # Ids of messages grow with time: one that is made after all of them stands for all that was said before the conversation was closed.
    run(sa.text("UPDATE conversation SET dealt_with = (SELECT MAX(id) FROM message) WHERE status = 'closed'"))
    run(sa.text(f"UPDATE conversation SET unanswered_since = ({_FIRST_UNANSWERED}) WHERE status = 'active'"))
    accounts = run(sa.text("SELECT id, settings FROM account")).all()
    settings = {row.id: json.loads(row.settings) if isinstance(row.settings, str) else row.settings for row in accounts}
    groups = [one for one, chosen in settings.items() if chosen.get("answer_groups")]
    waits = sa.text(
        "UPDATE conversation SET waiting_since = unanswered_since WHERE status = 'active' AND unanswered_since IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM reply WHERE reply.conversation_id = conversation.id AND reply.state = 'pending')"
        " AND EXISTS (SELECT 1 FROM contact WHERE contact.id = conversation.contact_id AND (contact.kind = 'person'"
        " OR (contact.kind = 'group' AND (conversation.answered_by = 'human' OR conversation.account_id IN :groups))))"
    ).bindparams(sa.bindparam("groups", expanding=True, type_=sa.String))
    run(waits, {"groups": groups})


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_conversation_waiting_newest", "conversation")
    op.drop_index("ix_conversation_waiting", "conversation")
    op.drop_index("ix_reply_undecided", "reply")
    for name in ("dealt_with", "waiting_since", "unanswered_since"):
        op.drop_column("conversation", name)
