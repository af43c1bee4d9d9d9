"""Training pairs: what people decided, what was known when they were shown to each other, who is held out together."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold

from models.ml.history import Events, History, Tally, history_before

Ints = NDArray[np.int64]
FOLDS = 5
PERIODS = 4

TALLIES = tuple((who, what) for who in ("viewer", "candidate") for what in ("given", "received"))


def events(interactions: pd.DataFrame, ids: pd.Index) -> Events:
    """The last decision of each actor about each target, in order of time; `ids` give people their positions."""
    ordered = interactions.sort_values(["created_at", "interaction_id"])
    last = ordered.drop_duplicates(["actor_id", "target_id"], keep="last")
    return Events(
        actor=ids.get_indexer(pd.Index(last["actor_id"])).astype(np.int64),
        target=ids.get_indexer(pd.Index(last["target_id"])).astype(np.int64),
        liked=(last["kind"] == "like").to_numpy(bool),
        time=last["created_at"].to_numpy(dtype="datetime64[us]").astype(np.int64),
    )


def training_pairs(interactions: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """One row a decision: viewer_id, candidate_id, liked, group, period, and the eight tallies known of the pair.

    Lists are made now and then and what happens in between is not in them. So the time of each circle of people is
    cut into four periods of equal numbers of decisions, and of a pair only that is known which was known when its
    period began: nothing in the first. `ids` are the ids of the accepted profiles; every person of `interactions` must
    be among them.
    """
    decided = events(interactions, ids)
    circle = _circles(decided, len(ids))
    period, began = _periods(circle, decided.time)
    known = history_before(decided, decided.actor, decided.target, began)
    frame = pd.DataFrame(
        {
            "viewer_id": ids.to_numpy()[decided.actor],
            "candidate_id": ids.to_numpy()[decided.target],
            "liked": decided.liked,
            "group": _groups(circle, decided.actor),
            "period": period,
        }
    )
    for who, what in TALLIES:
        tally: Tally = getattr(known, f"{who}_{what}")
        frame[f"{who}_{what}_decisions"], frame[f"{who}_{what}_likes"] = tally.decisions, tally.likes
    return frame


def history_of(pairs: pd.DataFrame) -> History:
    """The tallies of a training-pairs frame."""
    return History(
        **{
            f"{who}_{what}": Tally(
                pairs[f"{who}_{what}_decisions"].to_numpy(np.int64), pairs[f"{who}_{what}_likes"].to_numpy(np.int64)
            )
            for who, what in TALLIES
        }
    )


def _circles(decided: Events, people: int) -> Ints:
    """The circle of each decision: people who met each other, directly or through others, and nobody else."""
    edges = coo_array((np.ones(len(decided.actor), bool), (decided.actor, decided.target)), shape=(people, people))
    return np.asarray(connected_components(edges, directed=False)[1][decided.actor], np.int64)


def _groups(circle: Ints, viewer: Ints) -> Ints:
    """Who is held out together: each circle, or else each viewer.

    Held-out circles share nobody with the rest, as new people do. One circle that holds most of a town cannot be held
    out: then the decisions of each viewer are.
    """
    largest = np.bincount(circle).max() if len(circle) else 0
    return viewer if largest > len(circle) / 2 else circle


def _periods(circle: Ints, time: Ints) -> tuple[Ints, Ints]:
    """The period of each decision within its circle, and when that period began."""
    frame = pd.DataFrame({"circle": circle, "time": time})
    share = (frame.groupby("circle")["time"].rank(method="min") - 1) / frame.groupby("circle")["time"].transform("size")
    frame["period"] = (share * PERIODS).astype(np.int64)
    began = frame.groupby(["circle", "period"])["time"].transform("min")
    return frame["period"].to_numpy(np.int64), began.to_numpy(np.int64)


def folds(group: Ints) -> list[tuple[Ints, Ints]]:
    """Up to five splits into (train, held out) row numbers, groups whole, sizes balanced; none for under two groups."""
    count = min(FOLDS, len(np.unique(group)))
    if count < 2:
        return []
    return [(train, held) for train, held in GroupKFold(count).split(group, groups=group)]
