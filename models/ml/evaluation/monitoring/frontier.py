"""The frontier between matches and conversations that last: what lists bring by the weight of p_on."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.arrays import Float64Array, FloatArray, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.comparison import compute_people_matched, find_anybody
from models.ml.market.graph.market_graph import MarketGraph, weigh_matches
from models.ml.market.graph.match_model import compute_match_probabilities
from models.ml.market.graph.ranked_lists import compute_like_probabilities
from models.ml.market.outcomes.match_worth import compute_match_worth

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
EVERYBODY = "everybody"


def compute_frontier(
    graph: MarketGraph,
    attention: AttentionModel,
    p_on: FloatArray,
    groups: NDArray[np.object_],
    make_positions: Callable[[MarketGraph], Int32Array],
    weights: Sequence[float] = WEIGHTS,
) -> pd.DataFrame:
    """Compute what lists bring at each weight of p_on, for everybody and group by group.

    Args:
        graph: The market graph; what its matches are worth already counts, too.
        attention: The examination model.
        p_on: Probability that the conversation of each pair goes on, by input row, (n,).
        groups: Name of the group of each user, (people,).
        make_positions: Makes lists: the index of each edge in its list, int32 (n,), -1 if not listed.
        weights: The weights, from 0 to 1.

    Returns:
        A row for each weight and group: weight, group, users, matches and lasting (expected matches and lasting
        conversations of a user), with_match and with_lasting (expected shares of users with at least one).
    """
    on_edge, given = p_on[graph.pair], graph.worth
    rows = []
    for weight in weights:
        worth = compute_match_worth(p_on, weight)
        if given is not None:
            worth[graph.pair] *= given
        weighed = weigh_matches(graph, worth) if weight or given is not None else graph
        likes = compute_like_probabilities(graph, make_positions(weighed), attention.compute_list_examination())
        matched = compute_match_probabilities(graph, attention, likes)
        lasting = np.asarray(matched * on_edge, np.float32)
        rows += [{"weight": weight, **row} for row in _measure_groups(graph, matched, lasting, groups)]
    return pd.DataFrame(rows)


def _measure_groups(
    graph: MarketGraph, matched: NDArray[np.float32], lasting: NDArray[np.float32], groups: NDArray[np.object_]
) -> list[dict[str, str | float]]:
    figures = {
        "matches": _sum_by_person(graph, matched),
        "lasting": _sum_by_person(graph, lasting),
        "with_match": compute_people_matched(graph, matched),
        "with_lasting": compute_people_matched(graph, lasting),
    }
    anybody = find_anybody(graph)
    named = [(EVERYBODY, anybody), *((str(name), anybody & (groups == name)) for name in np.unique(groups.astype(str)))]
    return [
        {"group": name, "users": int(who.sum()), **{key: float(each[who].mean()) for key, each in figures.items()}}
        for name, who in named
        if who.any()
    ]


def _sum_by_person(graph: MarketGraph, values: NDArray[np.float32]) -> Float64Array:
    """Sum the values of edges by both of their people, float64 (people,)."""
    ends = np.concatenate([graph.viewer, graph.candidate])
    return np.asarray(np.bincount(ends, np.tile(values.astype(np.float64), 2), len(graph.keys)), np.float64)
