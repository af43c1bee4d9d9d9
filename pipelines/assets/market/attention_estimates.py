"""Estimate how users examine lists and inboxes, from the logged decisions about the publications that are kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.market.attention.attention_model import LIST_LENGTH
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.attention.examination_estimate import CurveEstimate, estimate_curve, estimate_inbox_weight

# With fewer rows the estimate is too uncertain, and the usual curve is assumed.
MIN_ROWS = 1000
# From the 5,000 lists that this allows, the probability of a position is known to within one percent.
MAX_ROWS = 250_000
DEFAULT_CURVE: Curve = "inv"
# A viewer without a decision about a publication may never have seen it, so only viewers with decisions count.
LISTS = """
WITH acted AS (
  SELECT publication_id, actor_id, array_agg(target_id) AS targets FROM app.interactions
  WHERE publication_id IN (SELECT publication_id FROM matching.match_lists)
  GROUP BY publication_id, actor_id
), drawn AS (
  SELECT shown.viewer_id, shown.candidate_ids, acted.targets
  FROM matching.match_lists AS shown
  JOIN acted ON acted.publication_id = shown.publication_id AND acted.actor_id = shown.viewer_id
  ORDER BY uuid_hash(shown.viewer_id), shown.viewer_id, shown.publication_id
  LIMIT :lists
)
SELECT listed.place, viewer_id::text AS person, listed.candidate_id = ANY (targets) AS acted
FROM drawn CROSS JOIN unnest(candidate_ids) WITH ORDINALITY AS listed (candidate_id, place)
"""
# A like counts once it is a day old. Later replies lower all positions alike, which does not change the inbox weight,
# and with nightly runs older lists are not kept. Senders who are also in a list of the receiver, or on whom the
# receiver had decided before the like, are left out: the receiver has seen them outside the inbox.
INBOXES = """
WITH liked AS (
  SELECT target_id AS receiver, actor_id AS sender, publication_id, min(created_at) AS moment FROM app.interactions
  WHERE kind = 'like' AND created_at < now() - interval '1 day'
    AND publication_id IN (SELECT publication_id FROM matching.match_lists)
  GROUP BY receiver, sender, publication_id
), received AS (
  SELECT receiver, sender, moment, row_number() OVER (
    PARTITION BY receiver, liked.publication_id
    ORDER BY shown.p_liked_back[array_position(shown.candidate_ids, receiver)] DESC, sender
  ) AS place
  FROM liked
  JOIN matching.match_lists AS shown ON shown.publication_id = liked.publication_id AND shown.viewer_id = sender
  WHERE receiver = ANY (shown.candidate_ids)
), told AS (
  SELECT * FROM received WHERE NOT EXISTS (
    SELECT FROM matching.match_lists AS own WHERE own.viewer_id = receiver AND sender = ANY (own.candidate_ids)
  )
)
SELECT place, receiver::text AS person, min(answer.created_at) IS NOT NULL AS acted
FROM told LEFT JOIN app.interactions AS answer ON answer.actor_id = receiver AND answer.target_id = sender
GROUP BY place, receiver, sender, moment HAVING coalesce(min(answer.created_at) > moment, true)
ORDER BY uuid_hash(receiver), receiver, place
LIMIT :rows
"""


@dataclass(frozen=True)
class AttentionEstimate:
    """The examination that the logs show, or the default where there are too few logs."""

    lists: Curve
    """Examination curve of lists."""
    inbox_weight: float
    """How far to trust that examination falls along an inbox, 0 to 1."""


def estimate_attention(connection: Connection, min_rows: int = MIN_ROWS) -> AttentionEstimate:
    """Estimate from the lists of the publications that are kept and the likes and passes that refer to them.

    Args:
        connection: The database.
        min_rows: The least number of rows for an estimate of lists, and for one of inboxes.
    """
    lists = _estimate_from_query(connection, LISTS, min_rows, lists=MAX_ROWS // LIST_LENGTH)
    return AttentionEstimate(
        DEFAULT_CURVE if lists is None else lists.examination,
        estimate_inbox_weight(_estimate_from_query(connection, INBOXES, min_rows, rows=MAX_ROWS)),
    )


def _estimate_from_query(connection: Connection, query: str, min_rows: int, **most: int) -> CurveEstimate | None:
    rows = pd.DataFrame(connection.execute(text(query), most).all(), columns=["place", "person", "acted"])
    if len(rows) < min_rows:
        return None
    person = pd.factorize(rows["person"])[0].astype(np.int64)
    return estimate_curve(rows["place"].to_numpy(np.int64), rows["acted"].to_numpy(bool), person)
