"""Erase a user: the profile and all data that this backend keeps about the user in the database."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from models.db.erasure.personal_data import PERSONAL_DATA
from models.db.errors import InputError

FIND = "SELECT id::text FROM app.profiles WHERE id = :id OR source_key = :who ORDER BY id = :id DESC NULLS LAST LIMIT 1"

COUNTED = {name: rows for name, rows in PERSONAL_DATA.items() if name != "profile"}
COUNT = "(SELECT count(*) FROM {0.relation} WHERE {0.about})"


@dataclass(frozen=True)
class ErasureReport:
    """The numbers of rows that were erased with a user, over all kept publications.

    `places` counts positions in other users' lists, `withheld` entries in other users' `withheld_ids`, `views`
    impressions by the user and of the user, and `likes` entries in other users' `likes_ids`. Conversations go with the
    messages, texts, outcomes and facts of both people.
    """

    profile_id: str
    interactions: int
    blocks: int
    embeddings: int
    lists: int
    places: int
    withheld: int = 0
    views: int = 0
    likes: int = 0
    conversations: int = 0
    messages: int = 0
    message_texts: int = 0
    outcomes: int = 0
    reports: int = 0
    conversation_facts: int = 0
    rate_opt_outs: int = 0
    review_queue: int = 0
    searched_messages: int = 0
    upheld_reports: int = 0
    experiment_assignments: int = 0


def find_profile(connection: Connection, who: str) -> str:
    """Return the id of the profile with this id or source key.

    Raises:
        InputError: There is no such profile.
    """
    found = connection.scalar(text(FIND), {"id": _parse_uuid(who), "who": who}) if who.isprintable() else None
    if found is None:
        raise InputError(
            f"nobody has the profile id or source key {who!r}; see columns id and source_key of app.profiles"
        )
    return str(found)


def erase_profile(connection: Connection, who: str) -> ErasureReport:
    """Delete the user with this profile id or source key in the caller's transaction, and return what was erased.

    The foreign keys delete the user's interactions, blocks, impressions, conversations with their messages, texts,
    outcomes and facts, reports, embedding and lists. The trigger
    `remove_erased_candidates` removes the user from other users' lists, `withheld_ids` and `likes_ids`. A publication
    that is being built removes erased users itself before it goes live.

    Raises:
        InputError: There is no profile with this id or key.
    """
    profile_id = find_profile(connection, who)
    query = f"SELECT {', '.join(map(COUNT.format, COUNTED.values()))}"
    counts = connection.execute(text(query), {"id": profile_id}).one()
    connection.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": profile_id})
    return ErasureReport(profile_id, **dict(zip(COUNTED, counts, strict=True)))


def _parse_uuid(who: str) -> UUID | None:
    try:
        return UUID(who)
    except ValueError:
        return None
