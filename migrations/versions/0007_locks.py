"""Locks that only their owner can take: views of nothing in place of advisory locks, which every role can take.

Revision: 0007, after 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LOCKS = ("erasure_lock", "load_lock", "publication_lock", "run_lock")

# Those who delete people have no right to the lock, so the function has its owner's, and nobody else may put it on a
# table of their own. models.db.locks says why this mode.
ERASE_IN_TURN = """
CREATE OR REPLACE FUNCTION matching.erase_in_turn() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE matching.erasure_lock IN SHARE UPDATE EXCLUSIVE MODE;
    RETURN NULL;
END
$$
"""

ERASE_IN_TURN_BY_ADVISORY_LOCK = """
CREATE OR REPLACE FUNCTION matching.erase_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('matching.erasure'));
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    for lock in LOCKS:
        op.execute(f"CREATE VIEW matching.{lock} AS SELECT")
        op.execute(f"REVOKE ALL ON matching.{lock} FROM PUBLIC")
    op.execute(ERASE_IN_TURN)
    op.execute("REVOKE ALL ON FUNCTION matching.erase_in_turn() FROM PUBLIC")


def downgrade() -> None:
    op.execute("GRANT EXECUTE ON FUNCTION matching.erase_in_turn() TO PUBLIC")
    op.execute(ERASE_IN_TURN_BY_ADVISORY_LOCK)
    for lock in LOCKS:
        op.execute(f"DROP VIEW matching.{lock}")
