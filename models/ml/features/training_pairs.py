"""Training pairs: what people decided, and who is held out together."""

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
    """The last decision of each actor about each target, in order of time; `ids` give people their positions."""
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
    """The events, weighed; people are 0 to `people` - 1, time is in µs."""
    return Decisions(actor, target, liked, time, weigh_decisions(actor, target, time, people))


def _order_by_time(time: Int64Array, ids: "pd.Series[str]") -> Int64Array:
    """Row numbers in order of time, then of id: mostly as they are, and to sort a million takes seconds."""
    step = np.diff(time)
    tied = np.flatnonzero(step == 0)
    if (step >= 0).all() and (ids.to_numpy(object)[tied] < ids.to_numpy(object)[tied + 1]).all():
        return np.arange(len(time))
    return pd.DataFrame({"time": time, "id": ids.to_numpy()}).sort_values(["time", "id"]).index.to_numpy(np.int64)


def build_training_pairs(interactions: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """One row a decision: viewer_id, candidate_id, liked, decided_at (µs since 1970), group and fold.

    Rows of a group are held out together, groups of a fold too. `ids` are the ids of the accepted profiles; every
    person of `interactions` must be among them.
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
    """The events of a training-pairs frame, row by row."""
    return weigh_into_decisions(
        find_positions(decisions["viewer_id"], ids),
        find_positions(decisions["candidate_id"], ids),
        decisions["liked"].to_numpy(bool),
        decisions["decided_at"].to_numpy(np.int64),
        len(ids),
    )


def _find_components(decisions: Decisions, people: int) -> Int64Array:
    """The circle of each decision: people who met each other, directly or through others, and nobody else."""
    edges = coo_array((np.ones(len(decisions), bool), (decisions.actor, decisions.target)), shape=(people, people))
    return np.asarray(connected_components(edges, directed=False)[1][decisions.actor], np.int64)


def _assign_groups(circle: Int64Array, viewer: Int64Array, ids: pd.Index) -> Int64Array:
    """Who is held out together: each circle, or else each viewer.

    Held-out circles share nobody with the rest, as new people do. One circle that holds most of a town cannot be held
    out: then the decisions of each viewer are. A group is named by a hash of its first person's id: mostly it is in the
    same fold in the next training, and where it is not, models.ml.validation.fold_assignments knows.
    """
    largest = np.bincount(circle).max() if len(circle) else 0
    if largest <= len(circle) / 2:
        first = pd.Series(ids.to_numpy()[viewer]).groupby(circle).transform("min")
    else:
        first = pd.Series(ids.to_numpy()[viewer])
    return hash_ids(first)


def hash_ids(ids: "pd.Series[str]") -> Int64Array:
    """A hash of each id, not below zero."""
    return (pd.util.hash_array(ids.to_numpy(object)) >> np.uint64(1)).astype(np.int64)


def assign_folds(group: Int64Array) -> Int64Array:
    """The fold of each row, 0 to 4: its group's number modulo five, or in turn where there are few groups."""
    names, code = np.unique(group, return_inverse=True)
    of_group = names % FOLDS
    if len(np.unique(of_group)) < min(FOLDS, len(names)):
        of_group = np.arange(len(names)) % FOLDS
    return np.asarray(of_group[code], np.int64)


def split_by_fold(fold: Int64Array) -> list[FoldSplit]:
    """(train, held out) row numbers for each fold that has rows; none for under two."""
    present = np.unique(fold)
    if len(present) < 2:
        return []
    return [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in present]
