"""Experiments: who was in which arm of a publication, and the propensities of lists that are partly random.

Revision: 0019, after 0018
"""

from pathlib import Path
from typing import cast

import psycopg
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.db.schema.reader_role import ROLE

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0019_experiments.sql"
TABLE = "experiment_assignments"
FIND, READ = "matching.find_experiment_impressions()", "matching_api.read_arms(uuid, bigint)"
SETTINGS = (
    "search_path = pg_catalog, pg_temp",
    "client_min_messages = error",
    "plan_cache_mode = force_generic_plan",
    "jit = off",
    "TimeZone = 'UTC'",
)
PROPENSITIES = "probability that the candidate of each position stands there; empty: nothing was random"

ERASURE = "matching.remove_erased_candidates"
WITHHELD = """
    withheld_ids = ARRAY("""
# Lists without propensities have none to keep: there, unnest fills up with nulls.
KEEP = """
    propensities = ARRAY(
        SELECT kept.propensity
        FROM unnest(list.candidate_ids, list.propensities) WITH ORDINALITY AS kept (id, propensity, place)
        WHERE kept.id NOT IN (SELECT id FROM gone) AND kept.propensity IS NOT NULL ORDER BY kept.place),"""
END = """
    RETURN NULL;
END"""
REMOVE = """
    DELETE FROM matching.experiment_assignments WHERE profile_id IN (SELECT id FROM gone);"""


def upgrade() -> None:
    _create_table()
    column: sa.Column[list[float]] = sa.Column(
        "propensities",
        postgresql.ARRAY(sa.REAL()),
        server_default=sa.text("'{}'"),
        nullable=False,
        comment=PROPENSITIES,
    )
    op.add_column("match_lists", column, schema="matching")
    _replace_in_erasure({WITHHELD: KEEP + WITHHELD, END: REMOVE + END})
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    # As it is: in a statement of SQLAlchemy's a colon or a percent sign would mean something else.
    driver.execute(SQL.read_text().encode())
    op.execute(f"ALTER FUNCTION {READ} SECURITY DEFINER")
    for setting in SETTINGS:
        op.execute(f"ALTER FUNCTION {READ} SET {setting}")
    for relation in (TABLE, "experiment_impressions"):
        op.execute(f"REVOKE ALL ON matching.{relation} FROM PUBLIC")
    op.execute(f"REVOKE ALL ON FUNCTION {READ} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {READ} TO {ROLE}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {READ}")
    op.execute("DROP VIEW matching.experiment_impressions")
    op.execute(f"DROP FUNCTION {FIND}")
    _replace_in_erasure({KEEP + WITHHELD: WITHHELD, REMOVE + END: END})
    op.drop_column("match_lists", "propensities", schema="matching")
    op.drop_table(TABLE, schema="matching")


def _create_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("profile_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column(
            "unit_key",
            sa.Text(),
            nullable=False,
            comment="what was assigned as a whole: the profile, its region, the night",
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["matching.publications.id"],
            name=op.f(f"fk_{TABLE}_publication_id"),
            ondelete="CASCADE",
        ),
        *_refer_to_profiles(),
        sa.PrimaryKeyConstraint("experiment", "publication_id", "profile_id", name=op.f(f"pk_{TABLE}")),
        schema="matching",
    )
    index = op.f(f"ix_{TABLE}_profile_id_publication_id")
    op.create_index(index, TABLE, ["profile_id", "publication_id"], schema="matching")


def _refer_to_profiles() -> list[sa.ForeignKeyConstraint]:
    """Return a foreign key that deletes a row with its profile; none where profiles are a view of the app's own."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = 'app.profiles'::regclass"
    if not op.get_bind().exec_driver_sql(kind).scalar_one():
        return []
    name = op.f(f"fk_{TABLE}_profile_id")
    return [sa.ForeignKeyConstraint(["profile_id"], ["app.profiles.id"], name=name, ondelete="CASCADE")]


def _replace_in_erasure(parts: dict[str, str]) -> None:
    """Replace parts of the function that takes erased users out of lists."""
    connection = op.get_bind()
    definition = connection.exec_driver_sql(f"SELECT pg_get_functiondef('{ERASURE}'::regproc)").scalar_one()
    for old, new in parts.items():
        definition = definition.replace(old, new)
    connection.exec_driver_sql(definition)
