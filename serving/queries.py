"""All SQL of the API. Answers leave PostgreSQL as JSON text; Python does not open them."""

import json
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.database import fetch_row
from serving.reasons import SENTENCES

_TEMPLATES = json.dumps(SENTENCES)

# What is shown of a candidate: serving.schemas.Candidate.
_CARD = """json_build_object(
                'id', candidate.id,
                'name', candidate.display_name,
                'age', matching.age_in_years(candidate.birth_date, current_date),
                'gender', candidate.gender,
                'distance_km', round(matching.distance_km(
                    viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)),
                'interests', candidate.interests,
                'texts', candidate.texts)"""

# Made here because this is quicker than to parse the answer in Python. A code without a sentence is left out: a newer
# pipeline may know reasons that this process does not.
_SENTENCES = """(
            SELECT coalesce(json_agg(json_build_object('code', reason.code, 'sentence', replace(
                %(sentences)s::jsonb ->> reason.code,
                '{detail}',
                concat_ws(' and ',
                    nullif(array_to_string(reason.detail[:cardinality(reason.detail) - 1], ', '), ''),
                    reason.detail[cardinality(reason.detail)])))), '[]')
            FROM jsonb_to_recordset(listed.reasons) AS reason (code text, detail text[])
            WHERE %(sentences)s::jsonb ? reason.code)"""


def _matches(source: str, has_list: str, join: str, listed: str) -> str:
    """The statement that answers with the people of `listed` (candidate_id, p_match, reasons, place), best first.

    One statement is one snapshot: it sees a publication whole, and what people did until this moment. A pair that is no
    longer to be shown is left out here, because the lists were made earlier.
    """
    # OFFSET 0 lets PostgreSQL plan for one candidate at a time, by index, and stop at the limit; left to choose, it may
    # read all profiles, or all that the viewer ever did.
    return f"""
SELECT publication.id, {has_list}, json_build_object(
    'publication', json_build_object('id', publication.id, 'made_at', publication.created_at),
    'matches', shown.matches)::text
FROM app.profiles AS viewer
LEFT JOIN matching.publications AS publication ON publication.state = 'live'
{join}
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object(
        'rank', rank, 'candidate', card, 'p_match_percent', percent, 'reasons', sentences, 'source', '{source}'
    ) ORDER BY rank), '[]') AS matches
    FROM (
        SELECT
            row_number() OVER (ORDER BY place) AS rank,
            card,
            round(100 * p_match) AS percent,
            {_SENTENCES} AS sentences
        FROM {listed} AS listed (candidate_id, p_match, reasons, place)
        CROSS JOIN LATERAL (
            SELECT {_CARD} AS card
            FROM app.profiles AS candidate
            WHERE candidate.id = listed.candidate_id
              AND matching.is_eligible(viewer, candidate, current_date)
              AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = viewer.id AND blocked_id = candidate.id)
              AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = candidate.id AND blocked_id = viewer.id)
              AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
            OFFSET 0
        ) AS still_shown
        ORDER BY place
        LIMIT %(limit)s
    ) AS kept
) AS shown
WHERE viewer.id = %(viewer_id)s
"""  # noqa: S608 -- put together from the constants of this file; what comes from a request is a parameter


_PUBLISHED = _matches(
    "published",
    has_list="list.viewer_id IS NOT NULL",
    join="""LEFT JOIN matching.match_lists AS list
    ON list.publication_id = publication.id AND list.viewer_id = %(viewer_id)s""",
    listed="""ROWS FROM (
            unnest(list.candidate_ids), unnest(list.p_match), jsonb_array_elements(list.reasons)
        ) WITH ORDINALITY""",
)

# Every embedding is compared: the HNSW index would stop after its nearest few, of whom hardly any may be eligible. The
# order in here lets the search for eligible people end at the limit.
_SIMILAR = _matches(
    "similar",
    has_list="false",
    join="",
    listed="""(
            SELECT other.profile_id, NULL::real, NULL::jsonb, other.embedding <=> mine.embedding AS distance
            FROM matching.embeddings AS mine
            JOIN matching.embeddings AS other ON other.encoder = mine.encoder
            WHERE mine.profile_id = viewer.id
            ORDER BY distance, other.profile_id
        )""",
)

_LIVE = """
SELECT id, created_at, greatest(0, extract(epoch FROM now() - created_at))::int
FROM matching.publications WHERE state = 'live'
"""


class Answer(NamedTuple):
    """What is known about a viewer's matches."""

    publication_id: int | None
    """The live publication, or None if there is none."""
    has_list: bool
    body: str
    """JSON, as `serving.schemas.Matches`."""


class LivePublication(NamedTuple):
    """The publication that is being served."""

    id: int
    made_at: datetime
    age_seconds: int


async def matches(pool: AsyncConnectionPool, viewer_id: UUID, limit: int) -> Answer | None:
    """The first `limit` matches of a viewer as JSON, or None if there is no such person.

    A viewer without a list is answered with similar people. Raises DatabaseUnavailable.
    """
    parameters = {"viewer_id": viewer_id, "limit": limit, "sentences": _TEMPLATES}
    row = await fetch_row(pool, _PUBLISHED, parameters)
    if row is not None and row[0] is not None and not row[1]:
        row = await fetch_row(pool, _SIMILAR, parameters)
    return None if row is None else Answer(*row)


async def live_publication(pool: AsyncConnectionPool) -> LivePublication | None:
    """The publication that is being served, if there is one. Raises DatabaseUnavailable."""
    row = await fetch_row(pool, _LIVE)
    return None if row is None else LivePublication(*row)
