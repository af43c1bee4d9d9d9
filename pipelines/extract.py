"""Read the app tables into frames. Names and everything else that nothing is learned from stays behind."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Label, case, func, select

from models.db.tables import blocks, interactions, match_lists, profiles, publications
from models.ml.frames import ages


def _representable(column: Column[Any]) -> Label[Any]:
    """The date or moment where Python has one for it, else null: an infinite one must not stop the rest."""
    return case((column.between(date(1, 1, 2), date(9999, 12, 30)), column)).label(column.name)


PROFILE_COLUMNS = (
    profiles.c.id.label("profile_id"),
    _representable(profiles.c.birth_date),
    *(
        profiles.c[name]
        for name in (
            "source_key", "gender", "seeks", "age_min", "age_max", "latitude", "longitude", "max_distance_km",
            "texts", "interests", "traits", "facts", "wants", "paused",
        )
    ),
)  # fmt: skip
INTERACTION_COLUMNS = (
    interactions.c.id.label("interaction_id"),
    _representable(interactions.c.created_at),
    *(interactions.c[name] for name in ("actor_id", "target_id", "kind", "publication_id", "position", "propensity")),
)
MAYBE_NUMBERS = ["age_min", "age_max", "latitude", "longitude", "max_distance_km"]


def read_profiles(connection: Connection, ids: list[str] | None = None) -> pd.DataFrame:
    """Profiles in order of id; all of them, or those with these ids.

    `extracted_at` is the database's time, and `age` the completed years on that day.
    """
    extracted_at = pd.Timestamp(connection.execute(select(func.now())).scalar_one())
    query = select(*PROFILE_COLUMNS).order_by(profiles.c.id)
    if ids is not None:
        query = query.where(profiles.c.id.in_(ids))
    frame = pd.DataFrame(connection.execute(query).all(), columns=[each.name for each in PROFILE_COLUMNS])
    frame[MAYBE_NUMBERS] = frame[MAYBE_NUMBERS].astype(np.float64)
    birth_date = pd.to_datetime(frame.pop("birth_date"), errors="coerce")
    frame["age"] = ages(birth_date, extracted_at.date())
    frame["extracted_at"] = extracted_at
    return frame


def read_interactions(connection: Connection) -> pd.DataFrame:
    """Likes and passes in order of time."""
    query = select(*INTERACTION_COLUMNS).order_by(interactions.c.created_at, interactions.c.id)
    frame = pd.DataFrame(connection.execute(query).all(), columns=[each.name for each in INTERACTION_COLUMNS])
    frame["created_at"] = pd.to_datetime(frame["created_at"], utc=True)
    numbers = ["publication_id", "position", "propensity"]
    frame[numbers] = frame[numbers].astype(np.float64)
    return frame


def read_blocks(connection: Connection) -> pd.DataFrame:
    """Blocks: blocker_id, blocked_id."""
    query = select(blocks.c.blocker_id, blocks.c.blocked_id).order_by(blocks.c.blocker_id, blocks.c.blocked_id)
    return pd.DataFrame(connection.execute(query).all(), columns=["blocker_id", "blocked_id"])


def read_partners(connection: Connection, ids: pd.Index) -> NDArray[np.int64]:
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
