"""The table `matching.experiment_assignments`: who was in which arm of an experiment, publication by publication."""

from collections.abc import Iterable
from typing import NamedTuple, cast

import psycopg
from sqlalchemy import Connection, text

KEPT_DAYS = 180
"""Assignments of older publications are deleted, as facts of conversations are."""
STAGE = """
CREATE TEMPORARY TABLE staged_assignments (profile_id uuid, experiment text, arm text, unit_key text) ON COMMIT DROP
"""
COPY = "COPY staged_assignments FROM STDIN"
# Users who were erased since the profiles were read must not come back.
INSERT = """
INSERT INTO matching.experiment_assignments (experiment, publication_id, profile_id, arm, unit_key)
SELECT experiment, :publication_id, profile_id, arm, unit_key FROM staged_assignments
WHERE EXISTS (SELECT FROM app.profiles WHERE id = profile_id)
"""
# Nobody saw the lists of a publication that failed.
PRUNE = f"""
DELETE FROM matching.experiment_assignments WHERE publication_id IN (
    SELECT id FROM matching.publications WHERE state = 'failed' OR created_at < now() - interval '{KEPT_DAYS} days')
"""  # noqa: S608 -- of constants


class Assignment(NamedTuple):
    """A user in an arm of an experiment; `unit_key` names what was assigned as a whole."""

    profile_id: str
    experiment: str
    arm: str
    unit_key: str


def store_assignments(connection: Connection, publication_id: int, assignments: Iterable[Assignment]) -> int:
    """Store the assignments of a publication, and return their number.

    The caller's transaction must hold the lock of erasures, so that none is under way.
    """
    connection.execute(text(STAGE))
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(COPY) as copy:
        for assignment in assignments:
            copy.write_row(assignment)
    return connection.execute(text(INSERT), {"publication_id": publication_id}).rowcount


def prune_assignments(connection: Connection) -> None:
    """Delete the assignments of failed publications, and of those older than KEPT_DAYS."""
    connection.execute(text(PRUNE))
