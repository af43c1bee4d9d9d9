"""The lists as they are shown: after the swaps, with their figures, and the most compatible candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.market import LIST_LENGTH, MarketGraph, match_most_compatible
from models.ml.market.comparison import PolicyLists
from models.ml.market.exposure.neighbour_swaps import swap_positions
from models.ml.market.graph.ranked_lists import select_listed_edges
from models.ml.scoring.candidates import ScoredPairs
from pipelines.assets.market.market_inputs import MarketInputs
from pipelines.reports.market.market_report import (
    Metadata,
    build_arm_metadata,
    build_market_metadata,
    build_swap_metadata,
)

SWAPS = "swaps"
"""The purpose of the generator of swaps."""


@dataclass(frozen=True)
class FinalLists:
    """Lists as they are shown.

    Attributes:
        listed: Rows of the scored pairs, by viewer, in the order of the list, int64 (k,).
        propensity: Probability that each candidate stands at its position, float32 (k,); None: nothing was random.
        metadata: Figures of the lists.
    """

    listed: Int64Array
    propensity: Float32Array | None
    metadata: Metadata


def rank_lists(
    chosen: PolicyLists,
    market: MarketInputs,
    rates: Float64Array,
    arms: Sequence[tuple[str, str, BoolArray]],
    rng: Generator,
) -> FinalLists:
    """Swap neighbours where the rates say so, and compute the figures of the lists that are shown.

    Args:
        chosen: The lists of the policies.
        market: The market.
        rates: Swap rate of each user's list, float64 (users,).
        arms: The name of the experiment, the name of the arm, and its users, bool (users,), for each arm.
        rng: The source of the draws.
    """
    graph, attention, allowance = market.graph, market.attention, market.allowance
    metadata: dict[str, str | float | dg.MetadataValue[Any]] = {}
    propensity = None
    if rates.any():
        swapped = swap_positions(graph, chosen.positions, rates, LIST_LENGTH, allowance, rng)
        metadata |= build_swap_metadata(graph, attention, chosen, swapped)
        chosen, propensity = replace(chosen, positions=swapped.positions), swapped.propensity
    metadata |= build_market_metadata(graph, attention, chosen, allowance)
    metadata |= build_arm_metadata(graph, attention, chosen, arms)
    edges = select_listed_edges(graph, chosen.positions)
    listed = graph.pair[edges].astype(np.int64)
    return FinalLists(listed, None if propensity is None else propensity[edges], metadata)


def find_couples(graph: MarketGraph, scored: ScoredPairs, before: Int64Array) -> Int64Array:
    """Find the scored pairs of viewers and their most compatible candidates, int64 (c,).

    `before` holds the most compatible candidates of the last publication, who are not named again.
    """
    most_compatible = match_most_compatible(graph, before)
    return np.flatnonzero(scored.candidate == most_compatible[scored.viewer])
