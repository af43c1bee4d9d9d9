"""Training pairs: decisions, and the groups and folds that are held out together."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.ml.arrays import BoolArray, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.decision_weights import weigh_decisions
from models.ml.profiles.id_lookup import find_positions

FoldSplit = tuple[Int64Array, Int64Array]
FOLDS = 5


def extract_decisions(interactions: pd.DataFrame, ids: pd.Index) -> Decisions:
    """Extract the last decision of each actor about each target, in order of time, by position in `ids`."""
    actor, target = find_positions(interactions["actor_id"], ids), find_positions(interactions["target_id"], ids)
    time = interactions["created_at"].to_numpy(dtype="datetime64[us]").astype(np.int64)
    liked = (interactions["kind"] == "like").to_numpy(bool)
    order = _order_by_time(time, interactions["interaction_id"])
    last = ~pd.Series(actor * len(ids) + target)[order].duplicated(keep="last").to_numpy()
    rows = order[last]
    return weigh_into_decisions(actor[rows], target[rows], liked[rows], time[rows], len(ids))


def weigh_into_decisions(
    actor: Int64Array, target: Int64Array, liked: BoolArray, time: Int64Array, people: int
) -> Decisions:
    """Build decisions with their weights; positions are below `people`, and time is in microseconds since 1970."""
    return Decisions(actor, target, liked, time, weigh_decisions(actor, target, time, people))


def _order_by_time(time: Int64Array, ids: "pd.Series[str]") -> Int64Array:
    """Return row numbers in order of time, then of id, without sorting if the rows are in this order already."""
    step = np.diff(time)
    tied = np.flatnonzero(step == 0)
    if (step >= 0).all() and (ids.to_numpy(object)[tied] < ids.to_numpy(object)[tied + 1]).all():
        return np.arange(len(time))
    return pd.DataFrame({"time": time, "id": ids.to_numpy()}).sort_values(["time", "id"]).index.to_numpy(np.int64)


def build_training_pairs(interactions: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Build the frame of training pairs, one row for each decision.

    Args:
        interactions: The accepted interactions.
        ids: Ids of the accepted profiles, which include all users of `interactions`.

    Returns:
        Columns viewer_id, candidate_id, liked, decided_at (microseconds since 1970 UTC), group and fold. The rows of a
        group are held out together, and so are the groups of a fold.
    """
    decisions = extract_decisions(interactions, ids)
    group = _assign_groups(_find_components(decisions, len(ids)), decisions.actor, ids)
    return pd.DataFrame(
        {
            "viewer_id": ids.to_numpy()[decisions.actor],
            "candidate_id": ids.to_numpy()[decisions.target],
            "liked": decisions.liked,
            "decided_at": decisions.time,
            "group": group,
            "fold": assign_folds(group),
        }
    )


def read_decisions(decisions: pd.DataFrame, ids: pd.Index) -> Decisions:
    """Read the decisions of a frame of training pairs, row by row."""
    return weigh_into_decisions(
        find_positions(decisions["viewer_id"], ids),
        find_positions(decisions["candidate_id"], ids),
        decisions["liked"].to_numpy(bool),
        decisions["decided_at"].to_numpy(np.int64),
        len(ids),
    )


def _find_components(decisions: Decisions, people: int) -> Int64Array:
    """Find the connected component of each decision, (n,): users linked by decisions, directly or through others."""
    edges = coo_array((np.ones(len(decisions), bool), (decisions.actor, decisions.target)), shape=(people, people))
    return np.asarray(connected_components(edges, directed=False)[1][decisions.actor], np.int64)


def _assign_groups(component: Int64Array, viewer: Int64Array, ids: pd.Index) -> Int64Array:
    """Assign each decision to the group that is held out together: its component, or else its viewer.

    Held-out components share no user with the rest, as new users do. If one component holds more than half of the
    decisions, it cannot be held out, and each viewer is a group instead. A group's number is a hash of its first user's
    id, so that it mostly stays in its fold in the next training. Where it does not,
    models.ml.validation.fold_assignments has the folds at training.
    """
    largest = np.bincount(component).max() if len(component) else 0
    if largest <= len(component) / 2:
        first = pd.Series(ids.to_numpy()[viewer]).groupby(component).transform("min")
    else:
        first = pd.Series(ids.to_numpy()[viewer])
    return hash_ids(first)


def hash_ids(ids: "pd.Series[str]") -> Int64Array:
    """Hash ids to non-negative numbers."""
    return (pd.util.hash_array(ids.to_numpy(object)) >> np.uint64(1)).astype(np.int64)


def assign_folds(group: Int64Array) -> Int64Array:
    """Assign each row to a fold, 0 to 4: its group's number modulo 5, or in turn if that leaves folds empty."""
    names, code = np.unique(group, return_inverse=True)
    of_group = names % FOLDS
    if len(np.unique(of_group)) < min(FOLDS, len(names)):
        of_group = np.arange(len(names)) % FOLDS
    return np.asarray(of_group[code], np.int64)


def split_by_fold(fold: Int64Array) -> list[FoldSplit]:
    """Return (train, held out) row numbers for each fold that has rows, or nothing for fewer than two folds."""
    present = np.unique(fold)
    if len(present) < 2:
        return []
    return [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in present]
