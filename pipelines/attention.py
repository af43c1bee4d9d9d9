"""How people look at lists and inboxes, measured from what the app logged about the publications that are kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.market.examination import Curve
from models.ml.market.examination_estimate import Measured, hedge, measured_examination

# Fewer rows than this measure nothing: what is usual is assumed.
ENOUGH = 1000
USUAL: Curve = "inv"
# Who did nothing about a publication was perhaps never shown it.
LISTS = """
SELECT listed.place, shown.viewer_id::text AS person, acted.target_id IS NOT NULL AS acted
FROM matching.match_lists AS shown
CROSS JOIN unnest(shown.candidate_ids) WITH ORDINALITY AS listed (candidate_id, place)
LEFT JOIN (SELECT DISTINCT publication_id, actor_id, target_id FROM app.interactions) AS acted
  ON acted.publication_id = shown.publication_id
  AND acted.actor_id = shown.viewer_id AND acted.target_id = listed.candidate_id
WHERE EXISTS (
  SELECT FROM app.interactions AS opened
  WHERE opened.actor_id = shown.viewer_id AND opened.publication_id = shown.publication_id
)
"""
# A like that is a week old has had its time. Whom the receiver's own list shows was seen there too, and tells nothing.
INBOXES = """
WITH received AS (
  SELECT liked.target_id AS receiver, liked.actor_id AS sender, liked.publication_id, liked.created_at,
    row_number() OVER (
      PARTITION BY liked.target_id, liked.publication_id ORDER BY listed.p_liked_back DESC, liked.actor_id
    ) AS place
  FROM app.interactions AS liked
  JOIN matching.match_lists AS shown
    ON shown.publication_id = liked.publication_id AND shown.viewer_id = liked.actor_id
  CROSS JOIN unnest(shown.candidate_ids, shown.p_liked_back) AS listed (candidate_id, p_liked_back)
  WHERE liked.kind = 'like' AND listed.candidate_id = liked.target_id
    AND liked.created_at < now() - interval '7 days'
)
SELECT place, receiver::text AS person, EXISTS (
  SELECT FROM app.interactions AS answer
  WHERE answer.actor_id = receiver AND answer.target_id = sender AND answer.created_at > received.created_at
) AS acted
FROM received
WHERE NOT EXISTS (
  SELECT FROM matching.match_lists AS own
  WHERE own.publication_id = received.publication_id AND own.viewer_id = receiver AND sender = ANY (own.candidate_ids)
)
"""


@dataclass(frozen=True)
class Measurements:
    """What the logs say of attention, or what is usual where they say too little."""

    lists: Curve
    """How attention falls along a list."""
    q: float
    """How far to trust that it falls along the likes received."""


def measure(connection: Connection) -> Measurements:
    """Measure from the lists of kept publications and the likes and passes that name them."""
    lists, inboxes = _measured(connection, LISTS), _measured(connection, INBOXES)
    return Measurements(USUAL if lists is None else lists.looked_at, hedge(inboxes))


def _measured(connection: Connection, query: str) -> Measured | None:
    rows = pd.DataFrame(connection.execute(text(query)).all(), columns=["place", "person", "acted"])
    if len(rows) < ENOUGH:
        return None
    person = pd.factorize(rows["person"])[0].astype(np.int64)
    return measured_examination(rows["place"].to_numpy(np.int64), rows["acted"].to_numpy(bool), person)
