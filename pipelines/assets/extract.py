"""Read the app tables into frames. Names and everything else that nothing is learned from stays behind.

Whatever a cell holds, it is read: what no frame has a place for comes as missing, for the contract to refuse.
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
from sqlalchemy import ARRAY, Column, Connection, Label, Select, Text, any_, case, func, select, text
from sqlalchemy import cast as sql_cast

from models.db.schema.tables import blocks, interactions, match_lists, profiles, publications
from models.ml.arrays import Int64Array
from models.ml.profiles.frame_contracts import compute_ages


def _select_representable(column: Column[Any]) -> Label[Any]:
    """The date or moment where Python has one for it, else null: an infinite one must not stop the rest."""
    return case((column.between(date(1, 1, 2), date(9999, 12, 30)), column)).label(column.name)


def _round_coordinate(column: Column[Any], farthest: int) -> Label[Any]:
    """The degrees by their cell, as the database's rules know them: nothing is learned of where in it somebody is.

    What is no place stays as it is, for the contract to refuse.
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
INTERACTION_COLUMNS = (
    interactions.c.id.label("interaction_id"),
    # By no session's time zone: of long ago those have seconds, which no reader of CSV knows.
    func.timezone("UTC", _select_representable(interactions.c.created_at)).label("created_at"),
    # Another word is refused whatever it is; one with a line break in it would be read as two rows.
    case((interactions.c.kind.in_(KINDS), interactions.c.kind)).label("kind"),
    *(interactions.c[name] for name in ("actor_id", "target_id", "publication_id", "position", "propensity")),
)
FUTURE = """
SELECT (SELECT count(*) FROM app.profiles WHERE greatest(created_at, updated_at) > now() + interval '1 minute'),
       (SELECT count(*) FROM app.interactions WHERE created_at > now() + interval '1 minute')
"""
NULLABLE_NUMBERS = ["age_min", "age_max", "latitude", "longitude", "max_distance_km"]


def read_profiles(connection: Connection, ids: list[str] | None = None) -> pd.DataFrame:
    """Profiles in order of id; all of them, or those with these ids.

    `extracted_at` is the database's time, and `age` the completed years on that day.
    """
    extracted_at = pd.Timestamp(connection.execute(select(func.now())).scalar_one())
    query = select(*PROFILE_COLUMNS).order_by(profiles.c.id)
    if ids is not None:
        # One parameter: with one an id, PostgreSQL's protocol refuses more than 65,535.
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
    """A cell of JSON; None for one that Python has no value for: numbers of thousands of digits, nests a mile deep."""
    try:
        return None if cell is None else json.loads(cell)
    except (ValueError, RecursionError):
        return None


def count_future_rows(connection: Connection) -> tuple[int, int]:
    """Return how many profiles and how many likes and passes are stamped later than the database's now()."""
    people, decisions = connection.execute(text(FUTURE)).one()
    return people, decisions


def read_interactions(connection: Connection) -> pd.DataFrame:
    """Likes and passes in order of time."""
    query = select(*INTERACTION_COLUMNS).order_by(interactions.c.created_at, interactions.c.id)
    numbers = dict.fromkeys(("publication_id", "position", "propensity"), pa.float64())
    frame = _copy_query(connection, query, {"created_at": pa.timestamp("us"), **numbers})
    return frame.assign(created_at=frame["created_at"].dt.tz_localize("UTC"))


def _copy_query(connection: Connection, query: Select[Any], kinds: Mapping[str, pa.DataType]) -> pd.DataFrame:
    """The rows of a query, words but for `kinds`, by COPY: a quarter of the time that an object a cell takes."""
    statement = query.compile(connection, compile_kwargs={"literal_binds": True})
    all_kinds = {each.name: kinds.get(each.name, pa.string()) for each in query.selected_columns}
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        rows = pa.py_buffer(b"".join(copy))
    options = csv.ConvertOptions(column_types=all_kinds, strings_can_be_null=True, quoted_strings_can_be_null=False)
    frame: pd.DataFrame = csv.read_csv(rows, convert_options=options).to_pandas()
    return frame


def read_blocks(connection: Connection) -> pd.DataFrame:
    """Blocks: blocker_id, blocked_id."""
    query = select(blocks.c.blocker_id, blocks.c.blocked_id).order_by(blocks.c.blocker_id, blocks.c.blocked_id)
    return pd.DataFrame(connection.execute(query).all(), columns=["blocker_id", "blocked_id"])


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
    """The passes that the run knows nothing of: viewer_id, who was passed on, and passer_id, one of them not in `ids`.

    The profiles of these people break the contract, or are newer than the run. Once mended they may be shown and see
    others the same day, by their vectors.
    """
    rows = connection.execute(text(PASSES_OF_OTHERS), {"ids": list(ids)}).all()
    return pd.DataFrame(rows, columns=["viewer_id", "passer_id"])


def read_most_compatible(connection: Connection, ids: pd.Index) -> Int64Array:
    """Each person's partner of the day in the live publication, as positions in `ids`, (len(ids),); -1 for nobody."""
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
