"""Erase a person: the profile, and with it everything this backend keeps about them in the database."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from models.db.errors import InputError

FIND = "SELECT id::text FROM app.profiles WHERE id = :id OR source_key = :who ORDER BY id = :id DESC NULLS LAST LIMIT 1"

COUNT = """
SELECT (SELECT count(*) FROM app.interactions WHERE actor_id = :id OR target_id = :id) AS interactions,
       (SELECT count(*) FROM app.blocks WHERE blocker_id = :id OR blocked_id = :id) AS blocks,
       (SELECT count(*) FROM matching.embeddings WHERE profile_id = :id) AS embeddings,
       (SELECT count(*) FROM matching.match_lists WHERE viewer_id = :id) AS lists,
       (SELECT count(*) FROM matching.match_lists WHERE candidate_ids @> ARRAY[CAST(:id AS uuid)]) AS places,
       (SELECT count(*) FROM matching.match_lists WHERE withheld_ids @> ARRAY[CAST(:id AS uuid)]) AS withheld
"""


@dataclass(frozen=True)
class ErasureReport:
    """What went with a person: numbers of rows, and of places in other people's lists and among those withheld from
    them, over all kept publications."""

    profile_id: str
    interactions: int
    blocks: int
    embeddings: int
    lists: int
    places: int
    withheld: int = 0


def find_profile(connection: Connection, who: str) -> str:
    """The id of the person with this profile id or source key. Raises InputError for nobody's."""
    found = connection.scalar(text(FIND), {"id": _parse_uuid(who), "who": who}) if who.isprintable() else None
    if found is None:
        raise InputError(
            f"nobody has the profile id or source key {who!r}; see columns id and source_key of app.profiles"
        )
    return str(found)


def erase_profile(connection: Connection, who: str) -> ErasureReport:
    """Delete the person with this profile id or source key, in the caller's transaction; what went with them.

    The foreign keys take their interactions, blocks, embedding and lists, and the trigger `forget_candidates` their
    places in other people's lists and among those withheld. A publication that is being built drops erased people
    itself before it goes live. Raises InputError if nobody has that id or key.
    """
    profile_id = find_profile(connection, who)
    counts = connection.execute(text(COUNT), {"id": profile_id}).one()
    connection.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": profile_id})
    return ErasureReport(profile_id, *counts)


def _parse_uuid(who: str) -> UUID | None:
    try:
        return UUID(who)
    except ValueError:
        return None
