"""Read the app tables into frames, without names and other columns that the ranker does not use.

Every row is read, whatever its cells hold. A value that a frame cannot represent becomes missing, and the frame
contract refuses the row.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Label,
    Select,
    Text,
    any_,
    case,
    func,
    literal_column,
    null,
    select,
    text,
    true,
)
from sqlalchemy import cast as sql_cast

from models.db.schema.tables import interactions, match_lists, profiles, publications
from models.ml.arrays import Int64Array
from models.ml.profiles.frame_contracts import SURFACES, compute_ages


def _select_representable(column: Column[Any]) -> Label[Any]:
    """Select a date or timestamp, or null where Python cannot represent it, such as `infinity`."""
    return case((column.between(date(1, 1, 2), date(9999, 12, 30)), column)).label(column.name)


def _round_coordinate(column: Column[Any], farthest: int) -> Label[Any]:
    """Select a coordinate rounded to its grid cell, as the eligibility rule in SQL does.

    A coordinate out of range, beyond `farthest` degrees, is not rounded; the frame contract refuses it.
    """
    return case((func.abs(column) <= farthest, func.matching.round_coordinate(column)), else_=column).label(column.name)


JSON_COLUMNS = ("texts", "traits", "facts", "wants")
PROFILE_COLUMNS = (
    profiles.c.id.label("profile_id"),
    _select_representable(profiles.c.birth_date),
    *(
        profiles.c[name]
        for name in (
            "source_key", "gender", "seeks", "age_min", "age_max", "max_distance_km", "interests", "paused",
        )
    ),
    *(sql_cast(profiles.c[name], Text).label(name) for name in JSON_COLUMNS),
    _round_coordinate(profiles.c.latitude, 90),
    _round_coordinate(profiles.c.longitude, 180),
)  # fmt: skip
KINDS = ("like", "pass")
# A view of the app's own may lack the column. Then the name refers to the null beside it, in `NO_SURFACE`.
SURFACE: Column[str | None] = literal_column("surface", Text)  # type: ignore[assignment]
NO_SURFACE = select(sql_cast(null(), Text).label("surface")).subquery("no_surface")
INTERACTION_COLUMNS = (
    interactions.c.id.label("interaction_id"),
    # In UTC: the historical offsets of a session's time zone have seconds, which the CSV reader does not parse.
    func.timezone("UTC", _select_representable(interactions.c.created_at)).label("created_at"),
    # Any other kind is refused in any case, and one with a line break would be read as two rows.
    case((interactions.c.kind.in_(KINDS), interactions.c.kind)).label("kind"),
    *(interactions.c[name] for name in ("actor_id", "target_id", "publication_id", "position", "propensity")),
    # Null is allowed, so any other surface is read as a word that is refused.
    case((SURFACE.in_(SURFACES), SURFACE), (SURFACE.is_not(None), "unknown")).label("surface"),
)
FUTURE = """
SELECT (SELECT count(*) FROM app.profiles WHERE greatest(created_at, updated_at) > now() + interval '1 minute'),
       (SELECT count(*) FROM app.interactions WHERE created_at > now() + interval '1 minute')
"""
NULLABLE_NUMBERS = ["age_min", "age_max", "latitude", "longitude", "max_distance_km"]


def read_profiles(connection: Connection, ids: list[str] | None = None) -> pd.DataFrame:
    """Read profiles in order of id: all of them, or those with these ids.

    Column `extracted_at` is the time of the database, and `age` the completed years on that day.
    """
    extracted_at = pd.Timestamp(connection.execute(select(func.now())).scalar_one())
    query = select(*PROFILE_COLUMNS).order_by(profiles.c.id)
    if ids is not None:
        # A single array parameter: PostgreSQL's protocol allows 65,535 parameters at most.
        query = query.where(profiles.c.id == any_(sql_cast(ids, ARRAY(profiles.c.id.type))))
    frame = pd.DataFrame(connection.execute(query).all(), columns=[each.name for each in PROFILE_COLUMNS])
    frame[NULLABLE_NUMBERS] = frame[NULLABLE_NUMBERS].astype(np.float64)
    for name in JSON_COLUMNS:
        frame[name] = pd.Series([_parse(cell) for cell in frame[name]], dtype=object)
    birth_date = pd.to_datetime(frame.pop("birth_date"), errors="coerce")
    frame["age"] = compute_ages(birth_date, extracted_at.date())
    frame["extracted_at"] = extracted_at
    return frame


def _parse(cell: str | None) -> object:
    """Parse a cell of JSON; None if Python cannot: a number of thousands of digits, or very deep nesting."""
    try:
        return None if cell is None else json.loads(cell)
    except (ValueError, RecursionError):
        return None


def count_future_rows(connection: Connection) -> tuple[int, int]:
    """Count the profiles, and the likes and passes, with a timestamp later than the database's now()."""
    people, decisions = connection.execute(text(FUTURE)).one()
    return people, decisions


def read_interactions(connection: Connection) -> pd.DataFrame:
    """Read likes and passes in order of time."""
    decision = select(*INTERACTION_COLUMNS, interactions.c.created_at.label("order")).lateral("decision")
    columns = [decision.c[each.name] for each in INTERACTION_COLUMNS]
    query = select(*columns).select_from(NO_SURFACE.join(decision, true()))
    numbers = dict.fromkeys(("publication_id", "position", "propensity"), pa.float64())
    kinds = {each.name: pa.string() for each in columns} | {"created_at": pa.timestamp("us"), **numbers}
    frame = copy_rows(connection, query.order_by(decision.c.order, decision.c.interaction_id), kinds)
    return frame.assign(created_at=frame["created_at"].dt.tz_localize("UTC"))


def copy_rows(connection: Connection, query: Select[Any] | str, kinds: Mapping[str, pa.DataType]) -> pd.DataFrame:
    """Read the rows of a query by COPY, which creates no Python object for each cell.

    Args:
        connection: A connection of psycopg.
        query: The query; its parameters are rendered as literals. SQL as text has none.
        kinds: Arrow type by column.

    Returns:
        A frame with these columns.
    """
    statement = query if isinstance(query, str) else query.compile(connection, compile_kwargs={"literal_binds": True})
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    received = pa.BufferOutputStream()
    with driver.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)") as rows:
        for row in rows:
            received.write(row)
    options = csv.ConvertOptions(column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=False)
    frame: pd.DataFrame = csv.read_csv(received.getvalue(), convert_options=options).to_pandas()
    return frame


BLOCKS = "SELECT DISTINCT blocker_id::text, blocked_id::text FROM matching.separations ORDER BY 1, 2"


def read_blocks(connection: Connection) -> pd.DataFrame:
    """Read who does not see whom, by a block or by a report that a reviewer has upheld: blocker_id, blocked_id."""
    return pd.DataFrame(connection.execute(text(BLOCKS)).all(), columns=["blocker_id", "blocked_id"])


PASSES_OF_OTHERS = """
WITH other AS (SELECT id FROM app.profiles WHERE id NOT IN (SELECT unnest(CAST(:ids AS uuid[]))))
SELECT target_id::text AS viewer_id, actor_id::text AS passer_id FROM (
    SELECT DISTINCT ON (actor_id, target_id) actor_id, target_id, kind FROM app.interactions
    WHERE actor_id IN (SELECT id FROM other) OR target_id IN (SELECT id FROM other)
    ORDER BY actor_id, target_id, created_at DESC, id DESC
) AS decision
WHERE kind = 'pass' AND target_id IN (SELECT id FROM app.profiles) AND actor_id IN (SELECT id FROM app.profiles)
"""


def read_passes_of_others(connection: Connection, ids: pd.Index) -> pd.DataFrame:
    """Read the passes with a user who is not in `ids`: viewer_id, who was passed on, and passer_id.

    The profiles of these users break the frame contract or are newer than the run. Once corrected, such a user can be
    shown as a similar user on the same day, before the next run.
    """
    rows = connection.execute(text(PASSES_OF_OTHERS), {"ids": list(ids)}).all()
    return pd.DataFrame(rows, columns=["viewer_id", "passer_id"])


def read_most_compatible(connection: Connection, ids: pd.Index) -> Int64Array:
    """Read the most compatible candidate of each user in the live publication.

    Returns:
        Indices into `ids`, int64 (len(ids),); -1 for users without one.
    """
    query = (
        select(match_lists.c.viewer_id, match_lists.c.most_compatible_id)
        .join(publications, publications.c.id == match_lists.c.publication_id)
        .where(publications.c.state == "live", match_lists.c.most_compatible_id.is_not(None))
    )
    rows = pd.DataFrame(connection.execute(query).all(), columns=["viewer", "partner"], dtype=object)
    viewer, partner = (ids.get_indexer(pd.Index(rows[name])) for name in rows)
    partners = np.full(len(ids), -1, np.int64)
    partners[viewer[viewer >= 0]] = partner[viewer >= 0]
    return partners
