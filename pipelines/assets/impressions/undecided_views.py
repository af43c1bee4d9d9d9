"""Who was shown in lists lately without a decision of the viewer, of viewers who look more than they decide."""

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from models.ml.arrays import Float32Array
from models.ml.market.freshness import compute_freshness
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.candidates import ScoredPairs
from pipelines.assets.extract import copy_rows
from pipelines.assets.impressions.accepted_views import (
    MAX_VIEWS_A_DAY,
    TODAY,
    select_beginning,
    select_checked_views,
)

DAYS = 14
"""UTC days of views that count, today included."""
MIN_UNDECIDED = 3
"""Most viewers decide on what they look at. Their views are not read: those of others have at least so many more views
than decisions. A viewer with more views than may count, such as a bot, keeps their list."""
UNDECIDED = """
WITH looked AS (
    SELECT viewer_id, count(*) AS views FROM app.views WHERE shown_at >= {since} AND surface = 'list' GROUP BY viewer_id
), decided AS (
    SELECT actor_id, count(*) AS decisions FROM app.interactions WHERE created_at >= {since} GROUP BY actor_id
), looker AS (
    SELECT viewer_id AS id FROM looked LEFT JOIN decided ON actor_id = viewer_id
    WHERE views - coalesce(decisions, 0) >= {least} AND views <= {most}
)
SELECT viewer_id, candidate_id, count(DISTINCT day) AS days_shown, {today} - max(day) AS days_since
FROM ({views}) AS shown
WHERE reason IS NULL AND surface = 'list' AND viewer_id IN (SELECT id FROM looker) AND NOT EXISTS (
    SELECT FROM app.interactions WHERE actor_id = viewer_id AND target_id = candidate_id AND kind IN ('like', 'pass')
)
GROUP BY viewer_id, candidate_id
"""
COLUMNS = {
    **dict.fromkeys(("viewer_id", "candidate_id"), pa.dictionary(pa.int32(), pa.string())),
    **dict.fromkeys(("days_shown", "days_since"), pa.int64()),
}


def read_undecided_views(connection: Connection) -> pd.DataFrame:
    """Read who was shown to whom in the last DAYS UTC days and not decided on.

    Returns:
        viewer_id, candidate_id, days_shown (UTC days) and days_since the last of them, from 0.
    """
    parts = {"views": select_checked_views(DAYS), "since": select_beginning(DAYS), "today": TODAY}
    return copy_rows(connection, UNDECIDED.format(**parts, least=MIN_UNDECIDED, most=DAYS * MAX_VIEWS_A_DAY), COLUMNS)


def compute_pair_freshness(undecided: pd.DataFrame, scored: ScoredPairs, ids: pd.Index) -> Float32Array:
    """Compute the freshness of the scored pairs, float32 (n,): 1 for those that were not shown."""
    viewer, candidate = (find_positions(undecided[name].to_numpy(object), ids) for name in list(COLUMNS)[:2])
    rows = np.where((viewer >= 0) & (candidate >= 0), scored.find_rows(viewer, candidate), -1)
    there, days = rows >= 0, [np.maximum(undecided[name].to_numpy(np.int64), 0) for name in list(COLUMNS)[2:]]
    fresh = np.ones(len(scored.viewer), np.float32)
    fresh[rows[there]] = compute_freshness(*days)[there]
    return fresh
