"""Functions that answer the API are all that its role may use: no relation, no temporary or large object, no counter.

Revision: 0009, after 0008
"""

import logging
from pathlib import Path
from typing import cast

import psycopg
import sqlalchemy as sa
from alembic import op

from models.db.schema.reader_role import ROLE

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
UP = ("limits", "views", "reasons", "neighbours", "answers")

LIVE = "publication.state = 'live'"
# The one that the pages before were of, while it is kept.
BEGUN = """publication.id = begun AND matching.is_readable(publication)
    AND to_regclass('matching.match_lists_' || publication.id) IS NOT NULL"""
# The newest that has them on the viewer's list, or as the most compatible.
HAS_THEM = """publication.id = (
    SELECT publication.id
    FROM matching.match_lists AS list JOIN matching.publications AS publication ON publication.id = publication_id
    WHERE viewer_id = viewer AND matching.is_readable(publication)
      AND (candidate = ANY (candidate_ids) OR candidate = most_compatible_id)
    ORDER BY publication.id DESC
    LIMIT 1)"""

LIST = """
    SELECT each.id, each.p_match, each.reasons, each.place, 'published'
    FROM ROWS FROM (unnest(list.candidate_ids), unnest(list.p_match), jsonb_array_elements(list.reasons))
        WITH ORDINALITY AS each (id, p_match, reasons, place)"""
PARTNER = """
    SELECT list.most_compatible_id, list.most_compatible_p_match, list.most_compatible_reasons, 1, 'published'"""
# On the list they have their place there; the most compatible who is not on it comes alone, and so first.
LIST_OR_PARTNER = f"""{LIST} WHERE candidate = ANY (list.candidate_ids)
    UNION ALL{PARTNER} WHERE candidate <> ALL (list.candidate_ids)"""


def _similar(neighbours: str, where: str = "true") -> str:
    """Neighbours in the places after everybody of the list, whether those are shown or not."""
    return f"""
    SELECT each.id, NULL::real, NULL::jsonb, coalesce(cardinality(list.candidate_ids), 0) + each.place, 'similar'
    FROM matching.neighbours(viewer, {neighbours}) WITH ORDINALITY AS each (id, place) WHERE {where}"""  # noqa: S608 -- of constants


LIST_AND_SIMILAR = f"{LIST} UNION ALL{_similar('room, list.candidate_ids, shown')}"
# Who fills up a list is one of the fifty nearest of all: those of the list who may be shown come before them, on the
# pages as well. So this finds everybody whom any page or the similar people show as such, and nobody else.
LIST_OR_SIMILAR = f"{LIST} UNION ALL{_similar('50, NULL, NULL', 'each.id = ANY (list.candidate_ids) IS NOT TRUE')}"

# What is answered at one moment knows of the same passes, whichever publication it is of. The live list shows none of
# them.
WITHHELD = """
                            UNION ALL SELECT unnest(matching.withheld_from(viewer))"""


def _statement(publication: str, listed: str, most: str, only: str = "true") -> str:
    statement = (SQL / "0009_statement.sql").read_text().partition("\nSELECT")[2]
    parts = {"publication": publication, "listed": listed, "most": most, "only": only}
    parts["withheld"] = "" if publication == LIVE else WITHHELD
    return "SELECT" + _filled(statement, parts)


def _filled(text: str, parts: dict[str, str]) -> str:
    """Text with the parts in place of their names in braces. Other braces are arrays and templates of SQL."""
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


STATEMENTS = {
    "live list": _statement(LIVE, LIST, "most"),
    "begun list": _statement(BEGUN, LIST, "most"),
    "live list and similar people": _statement(LIVE, LIST_AND_SIMILAR, "room"),
    "begun list and similar people": _statement(BEGUN, LIST_AND_SIMILAR, "room"),
    "one published": _statement(HAS_THEM, LIST_OR_PARTNER, "NULL", "candidate_id = candidate"),
    "one similar": _statement(LIVE, LIST_OR_SIMILAR, "NULL", "candidate_id = candidate"),
    "most compatible": _statement(LIVE, PARTNER, "1"),
    "similar": _statement(LIVE, _similar("most, NULL, NULL"), "50"),
}

# Whatever a caller has set, a plan holds no values, and no message about it goes to the caller.
SETTINGS = (
    "search_path = pg_catalog, pg_temp",
    "client_min_messages = error",
    "plan_cache_mode = force_generic_plan",
    "jit = off",
    "TimeZone = 'UTC'",
)
READS = (
    "matching_api.read_matches(uuid, int, int, jsonb, bigint[], bigint)",
    "matching_api.read_match(uuid, uuid, jsonb)",
    "matching_api.read_most_compatible(uuid, jsonb)",
    "matching_api.read_similar(uuid, int, jsonb)",
    "matching_api.read_publication()",
)

# Functions that read the server's statistics or locks, or make large objects.
OPEN = "^(pg_stat_|pg_lock_status$|lo_|lowrite$|loread$)"
# What an administrator has to run where the migration may not.
STILL_OPEN = f"""
SELECT format('GRANT TEMPORARY ON DATABASE %1$I TO %2$I; REVOKE TEMPORARY ON DATABASE %1$I FROM PUBLIC',
    current_database(), current_user)
WHERE has_database_privilege('public', current_database(), 'TEMPORARY')
UNION ALL
SELECT format($$SELECT format('GRANT EXECUTE ON FUNCTION %%1$s TO pg_monitor, %I; REVOKE EXECUTE ON FUNCTION %%1$s
    FROM PUBLIC', oid::regprocedure) FROM pg_proc WHERE proname ~ '{OPEN}' AND prokind = 'f'
    AND has_function_privilege('public', oid, 'EXECUTE') \\gexec$$, current_user)
WHERE EXISTS (
    SELECT FROM pg_proc WHERE proname ~ '{OPEN}' AND prokind = 'f' AND has_function_privilege('public', oid, 'EXECUTE'))
"""  # noqa: S608 -- of constants

# Not Alembic's: the pipeline silences that, because MLflow's migrations use it too.
logger = logging.getLogger("matching.migrations")


def upgrade() -> None:
    for name in UP:
        _run(f"0009_{name}.sql")
    for function in READS:
        op.execute(f"ALTER FUNCTION {function} SECURITY DEFINER")
        for setting in SETTINGS:
            op.execute(f"ALTER FUNCTION {function} SET {setting}")
    _run("0009_rights.sql")
    for statement in op.get_bind().scalars(sa.text(STILL_OPEN)):
        logger.warning(
            "%s may still do what every role may; let an administrator run in psql: %s (docs/guides/production.md says "
            "who else needs the right)",
            ROLE,
            " ".join(statement.split()),
        )


def downgrade() -> None:
    _run("0009_down.sql")


def _run(file: str) -> None:
    """Run a file as it is: in a statement of SQLAlchemy's a colon or a percent sign would mean something else."""
    connection = op.get_bind()
    vector = connection.exec_driver_sql(
        "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
    ).scalar_one()
    # Loads the extension, which is what makes the settings of its indexes known.
    connection.exec_driver_sql(f"SELECT '[1]'::{vector}.halfvec")
    parts = {"vector": vector, "reader": ROLE, "open": OPEN}
    statements = _filled((SQL / file).read_text(), parts | STATEMENTS)
    cast("psycopg.Connection", connection.connection.driver_connection).execute(statements.encode())
