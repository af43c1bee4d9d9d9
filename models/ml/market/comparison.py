"""What policies would bring a town, side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.arrays import Float32Array, Float64Array, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.exposure_bounds import ExposureResult, bound_exposure, compute_exposure
from models.ml.market.exposure.vote_bounds import bound_positions
from models.ml.market.graph.inbox import compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.outcomes.inequality import compute_gini, compute_top_share
from models.ml.market.policies.policy_registry import POLICIES

REFERENCE_POLICY = "product"
"""What a chosen policy is compared with: everybody sees first who is likeliest to match."""


@dataclass(frozen=True)
class PolicyLists:
    """The lists of a policy: places from 0, int32 (n,) by slot, -1 if not listed; and what bounds on exposure cost."""

    policy: str
    positions: Int32Array
    seconds: float
    exposure: ExposureResult | None


def make_policy_lists(
    graph: MarketGraph,
    attention: AttentionModel,
    policy: str,
    cap: float | None = None,
    floor: float = 0.0,
    allowance: Float64Array | None = None,
) -> PolicyLists:
    """The lists of a policy of POLICIES, with views kept between `floor` and `cap` times their mean if a cap is given.

    Without such bounds, `allowance` bounds the places of each person (see `bound_positions`), float64 (people,). Raises
    KeyError for an unknown policy.
    """
    started = time.monotonic()
    scores = POLICIES[policy](graph, attention)
    if cap is None and not floor:
        length = attention.length
        placed = (
            compute_positions(graph, scores, length)
            if allowance is None
            else bound_positions(graph, scores, length, allowance)
        )
        return PolicyLists(policy, placed, time.monotonic() - started, None)
    shared = bound_exposure(graph, attention, scores, np.inf if cap is None else cap, floor)
    return PolicyLists(policy, shared.positions, time.monotonic() - started, shared)


def compare_policies(
    graph: MarketGraph,
    attention: AttentionModel,
    say: Callable[[str], None] = lambda _: None,
    allowance: Float64Array | None = None,
) -> pd.DataFrame:
    """Make the lists of each policy of POLICIES, within the bound of `allowance`, and compute what they would bring.

    Returns:
        A row a policy, with `compute_outcome` of its lists and the seconds they took; `say` receives a line for each.
    """
    rows = []
    for name in POLICIES:
        made = make_policy_lists(graph, attention, name, allowance=allowance)
        rows.append({"policy": name, **compute_outcome(graph, attention, made.positions), "seconds": made.seconds})
        say(f"{name.replace('_', ' ')}: {rows[-1]['expected_matches']:,.0f} matches expected, in {made.seconds:.1f} s")
    return pd.DataFrame(rows)


def compute_outcome(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> dict[str, float]:
    """What lists would bring.

    expected_matches: distinct, with the inbox hedged as `attention` says; expected_matches_flat: the same if every like
    received were looked at; people_matched: share of those with candidates who can expect at least one match;
    views_gini and views_top_share: how unevenly looks fall, and the share of the most looked at 1 %.
    """
    seen = compute_exposure(graph, placed, np.minimum(attention.compute_list_examination(), 1))[
        np.diff(graph.inbox_start) > 0
    ]
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched = compute_match_probabilities(graph, liked, attention.compute_inbox_examination())
    return {
        "expected_matches": count_distinct_matches(graph, matched),
        "expected_matches_flat": count_distinct_matches(
            graph,
            compute_match_probabilities(graph, liked, replace(attention, inbox_weight=0.0).compute_inbox_examination()),
        ),
        "people_matched": _compute_match_coverage(graph, matched),
        "views_gini": compute_gini(seen),
        "views_top_share": compute_top_share(seen),
    }


def _compute_match_coverage(graph: MarketGraph, matched: Float32Array) -> float:
    """The mean over people of 1 - product of (1 - chance of each match), of either list, as if independent."""
    slots = np.flatnonzero(matched)
    missed = np.log1p(-np.minimum(matched[slots].astype(np.float64), 1 - 1e-12))
    ends = np.concatenate([graph.viewer[slots], graph.candidate[slots]])
    total = np.bincount(ends, np.tile(missed, 2), len(graph.keys))
    anybody = (np.diff(graph.list_start) > 0) | (np.diff(graph.inbox_start) > 0)
    return float(-np.expm1(total[anybody]).mean()) if anybody.any() else 0.0
