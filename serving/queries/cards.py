"""The statement that every answer about people is made by: listed people in, those still to be shown out, as JSON."""

import json
from typing import NamedTuple

from serving.reasons import SENTENCES

TEMPLATES = json.dumps(SENTENCES)
"""The parameter `sentences` of the statement."""

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


class Shown(NamedTuple):
    """The row that a statement answers with."""

    publication_id: int | None
    """None if there is none to read."""
    publication: str
    """JSON, as `serving.schemas.Publication`; without meaning if there is none."""
    listed: int
    """How many people the viewer's list has."""
    people: list[int]
    """Of everybody in `matches`, the hash by which a cursor names them."""
    topped_up: bool
    matches: str
    """JSON, as an array of `serving.schemas.Match`."""


LIVE = "publication.state = 'live'"
# One that was rolled back from was wrong in some way: nobody goes on reading it.
_READ = "(publication.state = 'live' OR publication.state = 'retired' AND NOT publication.metrics ? 'rolled_back_at')"
BEGUN = f"""publication.id = %(publication_id)s AND {_READ}
    AND to_regclass('matching.match_lists_' || publication.id) IS NOT NULL"""
# The newest that has %(candidate_id)s in the viewer's list, or as the viewer's one of the day. Those who look at pages
# of an earlier one, or at the card of yesterday, meet people who are in that alone.
HAS_THEM = f"""publication.id = (
    SELECT publication.id
    FROM matching.match_lists AS list JOIN matching.publications AS publication ON publication.id = publication_id
    WHERE viewer_id = %(viewer_id)s AND {_READ}
      AND (%(candidate_id)s = ANY (candidate_ids) OR %(candidate_id)s = most_compatible_id)
    ORDER BY publication.id DESC
    LIMIT 1)"""  # noqa: S608 -- as below


def statement(listed: str, publication: str = LIVE, only: str = "true") -> str:
    """The statement that answers with the people of `listed`, best first, to %(limit)s; one row if the viewer exists.

    `listed` is SQL that makes rows (candidate_id, p_match, reasons, place, source) and may speak of `viewer` and of
    `list`, the viewer's list in the publication; `publication` says in which, and `only` picks from the shown people,
    by `candidate_id`, once they have their ranks. The row is a `Shown`.

    One statement is one snapshot: it sees a publication whole, and what people did until this moment. The view
    `showable` leaves out whoever is not to be shown any more, because the lists were made earlier.
    """
    # OFFSET 0 lets PostgreSQL plan for one candidate at a time, by index, and stop at the limit; left to choose, it may
    # read all profiles, or all that the viewer ever did.
    return f"""
SELECT publication.id,
    json_build_object('id', publication.id, 'made_at', publication.created_at)::text,
    coalesce(cardinality(list.candidate_ids), 0), shown.people, shown.topped_up, shown.matches
FROM app.profiles AS viewer
LEFT JOIN matching.publications AS publication ON {publication}
LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id AND list.viewer_id = viewer.id
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object(
        'rank', rank, 'candidate', card, 'p_match_percent', percent, 'reasons', sentences, 'source', source
    ) ORDER BY rank), '[]')::text AS matches,
    coalesce(array_agg(uuid_hash_extended(candidate_id, 0)), '{{}}') AS people,
    coalesce(bool_or(source = 'similar'), false) AS topped_up
    FROM (
        SELECT
            cardinality(%(shown)s::bigint[]) + row_number() OVER (ORDER BY place) AS rank,
            listed.candidate_id,
            card,
            round(100 * p_match) AS percent,
            {_SENTENCES} AS sentences,
            source
        FROM {listed} AS listed (candidate_id, p_match, reasons, place, source)
        CROSS JOIN LATERAL (
            SELECT json_build_object(
                'id', candidate_id, 'name', name, 'age', age, 'gender', gender, 'distance_km', distance_km,
                'interests', interests, 'texts', texts) AS card
            FROM matching.showable
            WHERE viewer_id = viewer.id AND showable.candidate_id = listed.candidate_id
            OFFSET 0
        ) AS still_shown
        WHERE uuid_hash_extended(listed.candidate_id, 0) <> ALL (%(shown)s::bigint[])
        ORDER BY place
        LIMIT %(limit)s
    ) AS kept
    WHERE {only}
) AS shown
WHERE viewer.id = %(viewer_id)s
"""  # noqa: S608 -- put together from constants of this package; what comes from a request is a parameter
