"""What users did with the lists of the live publication, in SQL: what was examined, liked and answered."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from models.db.errors import InputError
from models.db.publications import StoredPublication, get_live_publication
from models.experiments.off_policy.judging import LoggedNight
from models.ml.arrays import Float32Array
from models.ml.market import MarketGraph
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.candidates import ScoredPairs
from pipelines.assets.extract import copy_rows
from pipelines.assets.impressions.accepted_views import RETENTION_DAYS, select_accepted_views

MAX_UNSCORED = 0.05
"""Share of listed cards that may be missing among the scored pairs: users who were erased since."""
# A view of the app's own may lack `surface`; then the name refers to the null beside it. Only the last decision about
# somebody counts. An answer is a decision of the candidate, before the list or after it.
LOGGED_LISTS = """
WITH made AS MATERIALIZED (
    SELECT decision.* FROM (SELECT NULL::text AS surface) AS unknown
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (actor_id, target_id) actor_id, target_id, kind, publication_id, surface
        FROM app.interactions WHERE kind IN ('like', 'pass')
        ORDER BY actor_id, target_id, created_at DESC, id DESC
    ) AS decision
), examined AS (
    SELECT viewer_id, candidate_id, bool_or(kind = 'like') IS TRUE AS liked FROM (
        SELECT viewer_id, candidate_id, NULL AS kind FROM ({views}) AS seen
        WHERE reason IS NULL AND surface = 'list' AND publication_id = {publication}
        UNION ALL
        SELECT actor_id, target_id, kind FROM made
        WHERE publication_id = {publication} AND coalesce(surface, 'list') = 'list'
    ) AS look GROUP BY viewer_id, candidate_id
), card AS (
    SELECT viewer_id, each.* FROM matching.match_lists
    CROSS JOIN LATERAL unnest(candidate_ids, p_like, propensities)
        WITH ORDINALITY AS each (candidate_id, p_like, propensity, position)
    WHERE publication_id = {publication} AND candidate_id IS NOT NULL
)
SELECT card.viewer_id, card.candidate_id, card.position, p_like, coalesce(propensity, 1) AS propensity,
       bool_or(examined.viewer_id IS NOT NULL) OVER (PARTITION BY card.viewer_id)::text AS opened,
       (examined.viewer_id IS NOT NULL)::text AS examined, coalesce(examined.liked, false)::text AS liked,
       (answer.kind IS NOT NULL)::text AS answered, coalesce(answer.kind = 'like', false)::text AS returned
FROM card
LEFT JOIN examined ON examined.viewer_id = card.viewer_id AND examined.candidate_id = card.candidate_id
LEFT JOIN made AS answer ON answer.actor_id = card.candidate_id AND answer.target_id = card.viewer_id
"""
IDS, FLAGS = ("viewer_id", "candidate_id"), ("opened", "examined", "liked", "answered", "returned")
COLUMNS = {
    **dict.fromkeys(IDS, pa.dictionary(pa.int32(), pa.string())),
    "position": pa.int64(),
    **dict.fromkeys(("p_like", "propensity"), pa.float64()),
    **dict.fromkeys(FLAGS, pa.bool_()),
}


@dataclass(frozen=True)
class LoggedLists:
    """The lists of the live publication, a row a card: the columns of COLUMNS."""

    publication: StoredPublication
    cards: pd.DataFrame

    def count(self) -> dict[str, int | float]:
        """Count what the logs have: for metadata."""
        cards = self.cards
        return {
            "publication": self.publication.id,
            "viewers_who_opened": int(cards.loc[cards["opened"], "viewer_id"].nunique()),
            **{f"cards_{name}": int(cards[name].sum()) for name in ("examined", "liked")},
            "likes_answered": int((cards["liked"] & cards["answered"]).sum()),
            "randomised_share": float((cards["propensity"] < 1).mean()) if len(cards) else 0.0,
        }


def read_logged_lists(connection: Connection) -> LoggedLists:
    """Read the lists of the live publication, and what users did with them until now.

    Raises:
        InputError: No publication is live.
    """
    live = get_live_publication(connection)
    if live is None or live.activated_at is None:
        raise InputError("no publication is live, so there are no lists to judge: make one with `matching run`")
    days = (pd.Timestamp.now("UTC").normalize() - pd.Timestamp(live.activated_at).normalize()).days + 1
    views = select_accepted_views(min(max(days, 1), RETENTION_DAYS))
    statement = LOGGED_LISTS.format(views=views, publication=live.id)
    return LoggedLists(live, copy_rows(connection, statement, COLUMNS))


def build_logged_night(
    logged: LoggedLists, scored: ScoredPairs, ids: pd.Index, graph: MarketGraph, freshness: Float32Array | float
) -> LoggedNight:
    """Lay the logs on the edges of the market graph.

    Args:
        logged: The logs.
        scored: The scored pairs that the lists were made of, n rows.
        ids: Ids of the users, by position.
        graph: The graph of the scored pairs.
        freshness: Factor of p_like of each scored pair.

    Raises:
        InputError: The lists are not of the scored pairs.
    """
    rows = scored.find_rows(*(find_positions(logged.cards[name].to_numpy(object), ids) for name in IDS))
    there = rows >= 0
    if len(rows) and (lost := float(1 - there.mean())) > MAX_UNSCORED:
        raise InputError(
            f"{lost:.0%} of the cards of publication {logged.publication.id} are not among the scored pairs, which are "
            "of another run: publish those with `matching run`, and judge policies when users have opened their lists"
        )
    edge = np.empty(len(graph.pair), np.int64)
    edge[graph.pair] = np.arange(len(graph.pair))
    at = edge[rows[there]]
    placed = np.full(len(graph.pair), -1, np.int32)
    placed[at] = logged.cards["position"].to_numpy(np.int32)[there] - 1
    flags = {name: np.zeros(len(graph.pair), bool) for name in FLAGS}
    for name, values in flags.items():
        values[at] = logged.cards[name].to_numpy(bool)[there]
    opened = np.zeros(len(graph.keys), bool)
    opened[graph.viewer[flags.pop("opened")]] = True
    p_like = (scored.p_like * freshness).astype(np.float64)[graph.pair]
    p_returned = scored.p_liked_back.astype(np.float64)[graph.pair]
    return LoggedNight(placed, opened[graph.viewer], p_like=p_like, p_returned=p_returned, **flags)
