"""Expected outcomes of the market policies, for comparison."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.exposure_bounds import ExposureResult, bound_exposure, compute_exposure
from models.ml.market.exposure.vote_bounds import bound_positions
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.outcomes.inequality import compute_gini, compute_top_share
from models.ml.market.policies.mixed_policies import PolicyArm, align_scores, score_mixture
from models.ml.market.policies.policy_registry import POLICIES

REFERENCE_POLICY = "product"
"""The policy that others are compared with: each list in the order of p_match."""


@dataclass(frozen=True)
class PolicyLists:
    """The lists of a policy, and the cost of bounds on exposure.

    `positions` holds the index of each edge in its list, from 0, int32 (n,), -1 if not listed. `seconds` is the time
    taken. `exposure` is None if no bounds on exposure were set.
    """

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
    """Build the lists of a policy, within bounds on exposure or on positions.

    Args:
        graph: The market graph.
        attention: The examination model.
        policy: A name in POLICIES.
        cap: Maximum exposure, as a multiple of the mean; None for no maximum.
        floor: Minimum exposure, as a multiple of the mean; 0 for no minimum.
        allowance: Bound on the positions of each user, float64 (people,); see `bound_positions`. Used only if `cap` is
            None and `floor` is 0.

    Returns:
        The lists and the seconds they took.

    Raises:
        KeyError: The policy is unknown.
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


def make_mixed_lists(arms: Sequence[PolicyArm], allowance: Float64Array | None = None) -> PolicyLists:
    """Build the lists of several policies in one market, each viewer's by the policy of their arm.

    Args:
        arms: The arms; each viewer has exactly one.
        allowance: Bound on the positions of each user over all lists, float64 (people,); see `bound_positions`.

    Returns:
        The lists, with the names of the policies joined by "+", and the seconds they took.
    """
    started = time.monotonic()
    graph, length = arms[0].graph, arms[0].attention.length
    scores = score_mixture(arms)
    if allowance is None:
        placed = compute_positions(graph, scores, length)
    else:
        number = np.argmax([arm.viewers for arm in arms], axis=0).astype(np.int32)
        placed = bound_positions(graph, align_scores(scores, number[graph.viewer]), length, allowance)
    names = dict.fromkeys(arm.policy for arm in arms)
    return PolicyLists("+".join(names), placed, time.monotonic() - started, None)


def compare_policies(
    graph: MarketGraph,
    attention: AttentionModel,
    say: Callable[[str], None] = lambda _: None,
    allowance: Float64Array | None = None,
    known: PolicyLists | None = None,
) -> pd.DataFrame:
    """Compute the outcome of each policy in POLICIES.

    Args:
        graph: The market graph.
        attention: The examination model.
        say: Receives a progress message for each policy.
        allowance: Bound on the positions of each user, float64 (people,); see `bound_positions`.
        known: Lists that exist already, made with the same `allowance`. They are used again unless their exposure is
            bounded.

    Returns:
        One row per policy: its name, the values of `compute_outcome`, and the seconds its lists took.
    """
    rows = []
    for name in POLICIES:
        plain = known is not None and known.policy == name and known.exposure is None
        made = known if known is not None and plain else make_policy_lists(graph, attention, name, allowance=allowance)
        rows.append({"policy": name, **compute_outcome(graph, attention, made.positions), "seconds": made.seconds})
        say(f"{name.replace('_', ' ')}: {rows[-1]['expected_matches']:,.0f} matches expected, in {made.seconds:.1f} s")
    return pd.DataFrame(rows)


def compute_outcome(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> dict[str, float]:
    """Compute the expected outcome of lists.

    Args:
        graph: The market graph.
        attention: The examination model.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.

    Returns:
        expected_matches: distinct matches, by the match model of `attention`.
        expected_matches_flat: distinct matches if each received like were examined.
        people_matched: expected share of the graph's users with at least one match.
        views_gini: Gini coefficient of exposure.
        views_top_share: share of exposure that goes to the 1 % of users with the most.
    """
    seen = compute_exposure(graph, placed, np.minimum(attention.compute_list_examination(), 1))[
        np.diff(graph.inbox_start) > 0
    ]
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched, answered = compute_match_probabilities(graph, attention, liked), attention.answer_all()
    return {
        "expected_matches": count_distinct_matches(graph, attention, matched),
        "expected_matches_flat": count_distinct_matches(
            graph, answered, compute_match_probabilities(graph, answered, liked)
        ),
        "people_matched": _compute_match_coverage(graph, matched),
        "views_gini": compute_gini(seen),
        "views_top_share": compute_top_share(seen),
    }


def compute_outcome_by_arm(
    graph: MarketGraph, attention: AttentionModel, placed: Int32Array, arms: Sequence[BoolArray]
) -> pd.DataFrame:
    """Compute the expected outcome of lists by the arm of their viewer, in the market of all lists.

    A match belongs to the arm in whose list it begins. Where likes are told, one that may begin in two counts in both.

    Args:
        graph: The market graph.
        attention: The examination model.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
        arms: The viewers of each arm, bool (people,).

    Returns:
        One row an arm: viewers with a list, positions, expected_matches, and matches_per_viewer.
    """
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched = compute_match_probabilities(graph, attention, liked)
    matches, listed = np.zeros((2, len(graph.keys)))
    np.add.at(matches, graph.viewer, matched)
    np.add.at(listed, graph.viewer, placed >= 0)
    figures = [((listed > 0)[arm].sum(), listed[arm].sum(), matches[arm].sum()) for arm in arms]
    rows = [
        (int(viewers), int(shown), float(count), float(count) / max(viewers, 1)) for viewers, shown, count in figures
    ]
    return pd.DataFrame(rows, columns=["viewers", "positions", "expected_matches", "matches_per_viewer"])


def compute_people_matched(graph: MarketGraph, matched: Float32Array) -> Float64Array:
    """Compute the probability that each user has a match, as if their matches were independent, float64 (people,).

    Args:
        graph: The market graph.
        matched: Probability that each edge brings a match, float32 (n,) by edge.
    """
    slots = np.flatnonzero(matched)
    missed = np.log1p(-np.minimum(matched[slots].astype(np.float64), 1 - 1e-12))
    ends = np.concatenate([graph.viewer[slots], graph.candidate[slots]])
    return np.asarray(-np.expm1(np.bincount(ends, np.tile(missed, 2), len(graph.keys))))


def find_anybody(graph: MarketGraph) -> BoolArray:
    """Find the users who have a candidate or are one, bool (people,)."""
    return np.asarray((np.diff(graph.list_start) > 0) | (np.diff(graph.inbox_start) > 0))


def _compute_match_coverage(graph: MarketGraph, matched: Float32Array) -> float:
    """Compute the expected share of users with a match."""
    anybody = find_anybody(graph)
    return float(compute_people_matched(graph, matched)[anybody].mean()) if anybody.any() else 0.0
