"""The cards of lists and inboxes that viewers were offered, and when they examined and decided on them, in SQL.

A card is examined where an accepted view shows it, or where a like or pass was made. Repeats count once, and users whom
the list or inbox does not have are left out: nobody can log more than one examination of each card.
"""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from models.ml.arrays import BoolArray
from models.ml.market.attention.attention_model import INBOX_DEPTH
from models.ml.market.attention.examination_estimate import OfferedCards, find_counted
from pipelines.assets.impressions.accepted_views import RETENTION_DAYS, TODAY, select_accepted_views, select_beginning

# They have 450,000 cards at most, and the probability of a position is known to within two percent.
MAX_VIEWERS = 3000
# On how many UTC days the publications that are kept were there, today included. What happened earlier is not read.
COUNT_DAYS = """
SELECT least(coalesce({today} - min(created_at AT TIME ZONE 'UTC')::date + 1, 1), {most})
FROM matching.publications WHERE to_regclass('matching.match_lists_' || id) IS NOT NULL
"""
# The same users each night, so that a sample does not move the estimate.
VIEWERS = """
SELECT viewer_id FROM (SELECT DISTINCT viewer_id FROM matching.match_lists WHERE {publications}) AS viewer
ORDER BY uuid_hash(viewer_id), viewer_id LIMIT :most
"""
# A view of the app's own may lack `surface`; then the name refers to the null beside it. Times are in seconds. The
# cards come as one row of arrays, because a row for each takes longer to send than to find.
CARDS = """
WITH decision AS MATERIALIZED (
    SELECT made.* FROM (SELECT NULL::text AS surface) AS unknown
    CROSS JOIN LATERAL (
        SELECT actor_id, target_id, publication_id, surface, created_at FROM app.interactions
        WHERE actor_id = ANY (CAST(:viewers AS uuid[])) AND kind IN ('like', 'pass') AND created_at >= {beginning}
    ) AS made
), decided AS (
    SELECT actor_id, target_id, min(created_at) AS moment FROM decision GROUP BY actor_id, target_id
), seen AS (
    SELECT * FROM ({views}) AS accepted WHERE reason IS NULL
), examination AS (
    SELECT publication_id, viewer_id, candidate_id, min(moment) AS moment, bool_or(impression) AS impression
    FROM ({examinations}) AS examined (publication_id, viewer_id, candidate_id, moment, impression)
    GROUP BY publication_id, viewer_id, candidate_id
), opened AS (
    SELECT list.publication_id, list.viewer_id, list.{ids} AS ids FROM matching.match_lists AS list
    JOIN (SELECT DISTINCT publication_id, viewer_id FROM examination) AS examined USING (publication_id, viewer_id)
)
SELECT array_agg(viewer.number - 1), array_agg(publication_id), array_agg(card.position),
       array_agg(extract(epoch FROM examination.moment)::float8), array_agg(extract(epoch FROM decided.moment)::float8),
       array_agg(coalesce(examination.impression, false))
FROM opened
JOIN unnest(CAST(:viewers AS uuid[])) WITH ORDINALITY AS viewer (id, number) ON viewer.id = viewer_id
CROSS JOIN LATERAL unnest(ids) WITH ORDINALITY AS card (candidate_id, position)
LEFT JOIN examination USING (publication_id, viewer_id, candidate_id)
LEFT JOIN decided ON decided.actor_id = viewer_id AND decided.target_id = candidate_id
WHERE card.position <= :deepest
"""
LIST_EXAMINATIONS = """
SELECT publication_id, viewer_id, candidate_id, first_shown_at, true FROM seen WHERE surface = 'list'
UNION ALL
SELECT publication_id, actor_id, target_id, created_at, false FROM decision
WHERE publication_id IS NOT NULL AND coalesce(surface, 'list') = 'list'
"""
# Cards of the inbox carry no publication, so the time decides: since the live publication became live. A decision
# without a surface was made in the inbox unless it names a publication whose list has the sender.
INBOX_EXAMINATIONS = """
SELECT live.id, viewer_id, candidate_id, greatest(first_shown_at, live.activated_at), true
FROM seen JOIN matching.publications AS live ON live.state = 'live'
WHERE surface = 'likes' AND last_shown_at >= live.activated_at
UNION ALL
SELECT live.id, actor_id, target_id, decision.created_at, false
FROM decision JOIN matching.publications AS live ON live.state = 'live'
WHERE decision.created_at >= live.activated_at AND (surface = 'likes' OR surface IS NULL AND NOT EXISTS (
    SELECT FROM matching.match_lists AS list WHERE list.publication_id = decision.publication_id
      AND list.viewer_id = actor_id AND target_id = ANY (list.candidate_ids)))
"""


@dataclass(frozen=True)
class LoggedCards:
    """The offered cards of a surface, and which of them an impression shows to be examined, bool (k,)."""

    cards: OfferedCards
    impression: BoolArray

    @property
    def counted(self) -> int:
        """The number of cards that an estimate uses."""
        return int(find_counted(self.cards).sum())

    @property
    def source(self) -> str:
        """What most of the cards that count are known from: "views", "actions", or "assumed" if there are none."""
        has_views = np.bincount(self.cards.listing, self.impression)[self.cards.listing] > 0
        from_views = has_views[find_counted(self.cards)]
        if not len(from_views):
            return "assumed"
        return "views" if from_views.mean() >= 0.5 else "actions"


def read_list_cards(connection: Connection) -> LoggedCards:
    """Read the cards of lists in the publications that are kept, of viewers who examined one."""
    return _read_cards(connection, "true", "candidate_ids", LIST_EXAMINATIONS)


def read_inbox_cards(connection: Connection) -> LoggedCards:
    """Read the cards of inboxes in the live publication, of receivers who examined one; none where likes are secret.

    What was examined of earlier publications is part of the weight that the live one was made with.
    """
    live = "likes_ids <> '{}' AND publication_id = (SELECT id FROM matching.publications WHERE state = 'live')"
    return _read_cards(connection, live, "likes_ids", INBOX_EXAMINATIONS)


def _read_cards(connection: Connection, publications: str, ids: str, examinations: str) -> LoggedCards:
    days = connection.execute(text(COUNT_DAYS.format(today=TODAY, most=RETENTION_DAYS))).scalar_one()
    drawn = connection.scalars(text(VIEWERS.format(publications=publications)), {"most": MAX_VIEWERS}).all()
    views = select_accepted_views(days, only="viewer_id = ANY (CAST(:viewers AS uuid[]))")
    statement = CARDS.format(views=views, beginning=select_beginning(days), examinations=examinations, ids=ids)
    found = connection.execute(text(statement), {"viewers": list(drawn), "deepest": INBOX_DEPTH}).one()
    kinds = (np.int64, np.int64, np.int64, np.float64, np.float64, bool)
    columns = [np.array(column or [], kind) for column, kind in zip(found, kinds, strict=True)]
    viewer, publication, position, examined_at, decided_at, impression = columns
    listing = np.unique(viewer + publication * MAX_VIEWERS, return_inverse=True)[1]
    return LoggedCards(OfferedCards(viewer, listing, position, examined_at, decided_at), impression)
