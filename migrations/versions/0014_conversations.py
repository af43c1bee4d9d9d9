"""What follows a match: conversations, messages, outcomes and reports, their facts, and the role that reads words.

Revision: 0014, after 0013
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from models.db.schema.group_roles import create_group_role, drop_group_role
from models.db.schema.words_role import ROLE

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
RELATIONS = ("reports", "outcomes", "message_texts", "messages", "conversations")
"""In `app`, each before those that it refers to."""

# What the role needs to find the words of the conversations in which they may be counted, and no more.
RIGHTS = (
    "USAGE ON SCHEMA app",
    "SELECT (message_id, body) ON app.message_texts",
    "SELECT (id, conversation_id, sender_id, sent_at) ON app.messages",
    "SELECT (id, person_a, person_b, matched_at, closed_at, content_allowed) ON app.conversations",
)

# The foreign key does the same where `app.conversations` is a table. Where it is a view, this trigger function is on
# the app's table of people.
ERASURE = "matching.remove_erased_candidates"
END = """
    RETURN NULL;
END"""
REMOVE_FACTS = """
    DELETE FROM matching.conversation_facts
    WHERE person_a IN (SELECT id FROM gone) OR person_b IN (SELECT id FROM gone);"""


def upgrade() -> None:
    connection = op.get_bind()
    if _is_table("profiles"):
        _create_conversations()
        _create_messages()
        _create_outcomes()
        _create_reports()
    else:
        connection.exec_driver_sql((SQL / "0014_empty_views.sql").read_text())
    _create_facts()
    _replace_in_erasure(END, REMOVE_FACTS + END)
    create_group_role(connection, ROLE)
    for relation in RELATIONS:
        op.execute(f"REVOKE ALL ON app.{relation} FROM PUBLIC")
    op.execute("REVOKE ALL ON matching.conversation_facts FROM PUBLIC")
    for right in RIGHTS:
        op.execute(f"GRANT {right} TO {ROLE}")


def downgrade() -> None:
    _replace_in_erasure(REMOVE_FACTS + END, END)
    op.drop_table("conversation_facts", schema="matching")
    for relation in RELATIONS:
        kind = "TABLE" if _is_table(relation) else "VIEW"
        op.execute(f"DROP {kind} IF EXISTS app.{relation}")
    op.execute(f"REVOKE USAGE ON SCHEMA app FROM {ROLE}")
    drop_group_role(op.get_bind(), ROLE)


def _is_table(name: str) -> bool:
    """Return whether `app` has a table of this name, partitioned or not, rather than a view."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(:name)"
    return bool(op.get_bind().scalar(sa.text(kind), {"name": f"app.{name}"}))


def _replace_in_erasure(old: str, new: str) -> None:
    connection = op.get_bind()
    definition = connection.exec_driver_sql(f"SELECT pg_get_functiondef('{ERASURE}'::regproc)").scalar_one()
    connection.exec_driver_sql(definition.replace(old, new))


def _make_id() -> sa.Column[str]:
    return sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _make_uuid(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.UUID(as_uuid=False), nullable=nullable, comment=comment)


def _make_timestamp(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    default = None if nullable else sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def _refer(table: str, column: str, to: str = "app.profiles.id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")


def _index(table: str, *columns: str, schema: str = "app") -> None:
    name = op.f(f"ix_{table}_{'_'.join(columns)}")
    op.create_index(name, table, list(columns), unique=False, schema=schema)


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        _make_id(),
        _make_uuid("person_a"),
        _make_uuid("person_b"),
        _make_timestamp("matched_at"),
        sa.Column("publication_id", sa.BigInteger(), comment="the publication that led to the match; null: none"),
        _make_timestamp("closed_at", nullable=True, comment="null: open"),
        _make_uuid("closed_by", nullable=True, comment="who closed it; null: open, or nobody did"),
        sa.Column("closed_as", sa.Text()),
        sa.Column(
            "content_allowed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="both people agreed that their words are counted",
        ),
        sa.CheckConstraint(
            "closed_as IN ('unmatched', 'blocked', 'reported', 'expired')", name=op.f("ck_conversations_closed_as")
        ),
        sa.CheckConstraint("person_a < person_b", name=op.f("ck_conversations_in_order")),
        _refer("conversations", "person_a"),
        _refer("conversations", "person_b"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        schema="app",
    )
    _index("conversations", "person_a")
    _index("conversations", "person_b")


def _create_messages() -> None:
    op.create_table(
        "messages",
        _make_id(),
        _make_uuid("conversation_id"),
        _make_uuid("sender_id"),
        _make_timestamp("sent_at"),
        sa.Column(
            "kind", sa.Text(), server_default=sa.text("'text'"), nullable=False, comment="text, photo, voice or call"
        ),
        sa.Column(
            "length",
            sa.Integer(),
            comment="characters of a text, seconds of a voice message or a call; null: unknown",
        ),
        _refer("messages", "conversation_id", "app.conversations.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        schema="app",
    )
    _index("messages", "conversation_id", "sent_at")
    op.create_table(
        "message_texts",
        _make_uuid("message_id"),
        sa.Column("body", sa.Text(), nullable=False),
        _refer("message_texts", "message_id", "app.messages.id"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_texts")),
        schema="app",
    )


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        _make_uuid("conversation_id"),
        _make_uuid("person_id"),
        sa.Column("kind", sa.Text(), nullable=False),
        _make_timestamp("answered_at"),
        sa.CheckConstraint("kind IN ('met', 'meet_again', 'not_met', 'together')", name=op.f("ck_outcomes_kind")),
        _refer("outcomes", "conversation_id", "app.conversations.id"),
        _refer("outcomes", "person_id"),
        sa.PrimaryKeyConstraint("conversation_id", "person_id", "kind", name=op.f("pk_outcomes")),
        schema="app",
    )
    _index("outcomes", "person_id")


def _create_reports() -> None:
    op.create_table(
        "reports",
        _make_id(),
        _make_uuid("reporter_id"),
        _make_uuid("reported_id"),
        _make_uuid("message_id", nullable=True, comment="the message that was reported; null: the person"),
        sa.Column("reason", sa.Text(), nullable=False),
        _make_timestamp("created_at"),
        _refer("reports", "reporter_id"),
        _refer("reports", "reported_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        schema="app",
    )
    _index("reports", "reporter_id")
    _index("reports", "reported_id")


def _create_facts() -> None:
    hours = {
        "opened_after_h": "hours from the match to the first message",
        "answered_after_h": "hours from the first message to the first one of the other person",
        "median_reply_a_h": "hours, of the turns in which person_a answers",
        "median_reply_b_h": "hours, of the turns in which person_b answers",
        "longest_gap_h": "hours between two messages",
        "reached_5_after_h": "hours from the match until both had sent 5 messages",
        "reached_20_after_h": "hours from the match until both had sent 20 messages",
    }
    wrote_first = "0: person_a wrote first, 1: person_b; -1: nobody wrote"
    wrote_last = "0: person_a, 1: person_b; -1: nobody wrote"
    plan, contact = "1: a plan to meet was made, 0: none", "1: a way to reach somebody was given, 0: none"
    keys = [_refer("conversation_facts", "conversation_id", "app.conversations.id")] if _is_table("profiles") else []
    op.create_table(
        "conversation_facts",
        _make_uuid("conversation_id"),
        _make_uuid("person_a"),
        _make_uuid("person_b"),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), comment="the publication that led to the match; null: none"),
        _make_timestamp("closed_at", nullable=True),
        sa.Column("closed_as", sa.Text(), comment="unmatched, blocked, reported or expired; null: open"),
        sa.Column("opener", sa.SmallInteger(), nullable=False, comment=wrote_first),
        *(sa.Column(name, sa.Double(), comment=comment) for name, comment in list(hours.items())[:2]),
        sa.Column("messages_a", sa.BigInteger(), nullable=False),
        sa.Column("messages_b", sa.BigInteger(), nullable=False),
        sa.Column("turns", sa.BigInteger(), nullable=False, comment="runs of messages by one person"),
        *(sa.Column(name, sa.Double(), comment=comment) for name, comment in list(hours.items())[2:5]),
        sa.Column("last_sender", sa.SmallInteger(), nullable=False, comment=wrote_last),
        _make_timestamp("last_sent_at", nullable=True),
        *(sa.Column(name, sa.Double(), comment=comment) for name, comment in list(hours.items())[5:]),
        sa.Column("questions_a", sa.BigInteger(), nullable=False),
        sa.Column("questions_b", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.SmallInteger(), nullable=False, comment=plan),
        sa.Column("contact", sa.SmallInteger(), nullable=False, comment=contact),
        *keys,
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_conversation_facts")),
        schema="matching",
    )
    _index("conversation_facts", "person_a", schema="matching")
    _index("conversation_facts", "person_b", schema="matching")
