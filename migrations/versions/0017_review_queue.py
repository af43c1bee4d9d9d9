"""Flags for reviewers: the queue, the role that reads and decides it, and who is separated by an upheld report.

Revision: 0017, after 0016
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from models.db.schema import words_role
from models.db.schema.group_roles import create_group_role, drop_group_role
from models.db.schema.reviewer_role import ROLE

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0017_review_queue.sql"
DECIDE, BODIES = "matching.decide_review(bigint, text, text)", "matching.read_review_bodies()"
RIGHTS = (
    f"USAGE ON SCHEMA matching TO {ROLE}",
    f"SELECT ON matching.review_queue, matching.review_bodies TO {ROLE}",
    f"EXECUTE ON FUNCTION {DECIDE}, {BODIES} TO {ROLE}",
    f"USAGE ON SCHEMA matching TO {words_role.ROLE}",
    f"SELECT ON matching.searched_messages TO {words_role.ROLE}",
)
OURS = ("review_queue", "searched_messages", "upheld_reports", "separations", "review_bodies")

ERASURE = "matching.remove_erased_candidates"
END = """
    RETURN NULL;
END"""
REMOVE = """
    DELETE FROM matching.review_queue
    WHERE person_id IN (SELECT id FROM gone) OR reporter_id IN (SELECT id FROM gone);
    DELETE FROM matching.upheld_reports
    WHERE reporter_id IN (SELECT id FROM gone) OR reported_id IN (SELECT id FROM gone);"""
VISIBLE = "visible_candidates"
# Functions with a source text that names one of the two relations.
NAMING = """
SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace IN ('matching'::regnamespace, 'matching_api'::regnamespace) AND prosrc LIKE :pattern
  AND proname <> 'find_separations'
"""


def upgrade() -> None:
    connection = op.get_bind()
    _create_queue()
    _create_searched_messages()
    _create_upheld_reports()
    if _is_table("messages"):
        op.create_index(op.f("ix_messages_sent_at"), "messages", ["sent_at"], schema="app", postgresql_using="brin")
    connection.exec_driver_sql(SQL.read_text())
    _replace_everywhere("app.blocks", "matching.separations")
    _replace_in_erasure(END, REMOVE + END)
    create_group_role(connection, ROLE)
    for relation in OURS:
        op.execute(f"REVOKE ALL ON matching.{relation} FROM PUBLIC")
    op.execute(f"REVOKE ALL ON FUNCTION {DECIDE}, {BODIES} FROM PUBLIC")
    for right in RIGHTS:
        op.execute(f"GRANT {right}")


def downgrade() -> None:
    _replace_in_erasure(REMOVE + END, END)
    _replace_everywhere("matching.separations", "app.blocks")
    op.execute(f"DROP FUNCTION {DECIDE}")
    op.execute("DROP VIEW matching.review_bodies, matching.separations")
    op.execute(f"DROP FUNCTION {BODIES}, matching.find_separations()")
    op.execute("DROP INDEX IF EXISTS app.ix_messages_sent_at")
    for table in ("upheld_reports", "searched_messages", "review_queue"):
        op.drop_table(table, schema="matching")
    for role in (ROLE, words_role.ROLE):
        op.execute(f"REVOKE USAGE ON SCHEMA matching FROM {role}")
    drop_group_role(op.get_bind(), ROLE)


def _is_table(name: str) -> bool:
    """Return whether `app` has a table of this name, partitioned or not, rather than a view."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(:name)"
    return bool(op.get_bind().scalar(sa.text(kind), {"name": f"app.{name}"}))


def _replace_everywhere(old: str, new: str) -> None:
    """Let the view of who may be shown, and every function, read one relation instead of another."""
    connection = op.get_bind()
    for _, definition in connection.execute(sa.text(NAMING), {"pattern": f"%{old}%"}).all():
        connection.exec_driver_sql(definition.replace("%", "%%").replace(old, new))
    view = connection.exec_driver_sql(f"SELECT pg_get_viewdef('matching.{VISIBLE}'::regclass)").scalar_one()
    body = view.replace(f"{old} blocks", old).replace(old, f"{new} blocks")
    changed = f"CREATE OR REPLACE VIEW matching.{VISIBLE} WITH (security_barrier) AS {body}"
    connection.exec_driver_sql(changed.replace("%", "%%"))


def _replace_in_erasure(old: str, new: str) -> None:
    connection = op.get_bind()
    definition = connection.exec_driver_sql(f"SELECT pg_get_functiondef('{ERASURE}'::regproc)").scalar_one()
    connection.exec_driver_sql(definition.replace(old, new))


def _make_uuid(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.UUID(as_uuid=False), nullable=nullable, comment=comment)


def _make_timestamp(name: str, *, nullable: bool = False) -> sa.Column[object]:
    default = None if nullable else sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _refer(table: str, column: str, to: str = "profiles") -> list[sa.ForeignKeyConstraint]:
    """Return a foreign key that deletes a row with what it refers to; none where that is a view of the app's own."""
    if not _is_table(to):
        return []
    name = op.f(f"fk_{table}_{column}")
    return [sa.ForeignKeyConstraint([column], [f"app.{to}.id"], name=name, ondelete="CASCADE")]


def _create_queue() -> None:
    table = "review_queue"
    kinds = ("abuse", "advertisement", "scam", "threat", "under_age", "report", "blocked")
    states = ("waiting", "open", "upheld", "dismissed")
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _make_uuid("message_id", nullable=True),
        _make_uuid("report_id", nullable=True, comment="the row of app.reports; null: no report"),
        _make_uuid("person_id"),
        _make_uuid("reporter_id", nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False, comment="0 to 1; the highest are opened first"),
        sa.Column("rule", sa.Text(), nullable=False, comment="what flagged it: the name of a rule, or classifier"),
        _make_timestamp("created_at"),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("decided_by", sa.Text()),
        _make_timestamp("decided_at", nullable=True),
        sa.CheckConstraint(f"kind IN {kinds}", name=op.f("ck_review_queue_kind")),
        sa.CheckConstraint(f"state IN {states}", name=op.f("ck_review_queue_state")),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (state IN ('waiting', 'open'))", name=op.f("ck_review_queue_decided_whole")
        ),
        *_refer(table, "message_id", "messages"),
        *_refer(table, "person_id"),
        *_refer(table, "reporter_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_queue")),
        sa.UniqueConstraint("report_id", name=op.f("uq_review_queue_report_id")),
        schema="matching",
    )
    op.create_index("uq_review_queue_message_id_kind", table, ["message_id", "kind"], unique=True, schema="matching")
    op.create_index(
        "uq_review_queue_blocked",
        table,
        ["person_id"],
        unique=True,
        schema="matching",
        postgresql_where=sa.text("kind = 'blocked'"),
    )
    for column in ("person_id", "reporter_id"):
        op.create_index(op.f(f"ix_review_queue_{column}"), table, [column], schema="matching")


def _create_searched_messages() -> None:
    op.create_table(
        "searched_messages",
        _make_uuid("message_id"),
        _make_timestamp("searched_at"),
        *_refer("searched_messages", "message_id", "messages"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_searched_messages")),
        schema="matching",
    )


def _create_upheld_reports() -> None:
    table = "upheld_reports"
    op.create_table(
        table,
        _make_uuid("reporter_id"),
        _make_uuid("reported_id"),
        _make_timestamp("decided_at"),
        *_refer(table, "reporter_id"),
        *_refer(table, "reported_id"),
        sa.PrimaryKeyConstraint("reporter_id", "reported_id", name=op.f("pk_upheld_reports")),
        schema="matching",
    )
    op.create_index(op.f("ix_upheld_reports_reported_id"), table, ["reported_id"], schema="matching")
