"""Metadata of match lists, compared with the order of p_match, and of the comparison of all policies."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.db.settings import Settings
from models.ml.arrays import BoolArray, Float64Array
from models.ml.market import AttentionModel, MarketGraph
from models.ml.market.comparison import (
    REFERENCE_POLICY,
    PolicyLists,
    compute_outcome,
    compute_outcome_by_arm,
    make_policy_lists,
)
from models.ml.market.exposure.exposure_bounds import compute_exposure
from models.ml.market.exposure.neighbour_swaps import SwappedPositions
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.policy_registry import POLICIES
from pipelines.reports.plots import plot_exposure, plot_policies, round_figures, show_figure, show_table
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_from_table, read_table, store_url

# Columns of the terminal that the table of policies needs.
WIDTH = 100

Metadata = Mapping[str, str | float | dg.MetadataValue[Any]]

# Headings and formats of the columns of models.ml.market.comparison.compare_policies.
HEADINGS = {
    "policy": ("policy", ""),
    "expected_matches": ("expected matches", ",.1f"),
    "expected_matches_flat": ("if each like is examined", ",.1f"),
    "people_matched": ("users with a match", ".1%"),
    "views_gini": ("Gini of exposure", ".3f"),
    "views_top_share": ("exposure of the top 1 %", ".1%"),
    "seconds": ("seconds", ".2f"),
}


def build_market_metadata(
    graph: MarketGraph, attention: AttentionModel, chosen: PolicyLists, allowance: Float64Array | None
) -> Metadata:
    """Build the metadata of the chosen lists, compared with lists of the same bound in the order of p_match."""
    reference = make_policy_lists(graph, attention, REFERENCE_POLICY, allowance=allowance)
    plain = compute_outcome(graph, attention, reference.positions)
    ours = compute_outcome(graph, attention, chosen.positions)
    gains = {
        "over_product": _compute_gain(ours, plain, "expected_matches"),
        "lost_if_inboxes_are_flat": -_compute_gain(ours, plain, "expected_matches_flat"),
    }
    figures = round_figures({**ours, **gains, **_list_costs(chosen)})
    return {"policy": chosen.policy, **figures, "inbox_trust": attention.inbox_weight}


def build_arm_metadata(
    graph: MarketGraph,
    attention: AttentionModel,
    chosen: PolicyLists,
    arms: Sequence[tuple[str, str, BoolArray]],
) -> Metadata:
    """Build the metadata of tonight's experiments: a table with a row an arm; nothing without experiments.

    Args:
        graph: The market graph.
        attention: The examination model.
        chosen: The lists of all arms.
        arms: The name of the experiment, the name of the arm, and its users, bool (people,), for each arm.
    """
    if not arms:
        return {}
    outcome = compute_outcome_by_arm(graph, attention, chosen.positions, [viewers for *_, viewers in arms])
    names = pd.DataFrame([names for *names, _ in arms], columns=["experiment", "arm"])
    table = pd.concat([names, outcome], axis=1)
    return {
        "arms": show_table(table.rename(columns=lambda name: name.replace("_", " ")), ("", "", ",", ",", ",.1f", ".4f"))
    }


def build_swap_metadata(
    graph: MarketGraph, attention: AttentionModel, before: PolicyLists, swapped: SwappedPositions
) -> Metadata:
    """Build the metadata of swaps: what they cost in the same market, and how far other lists were possible."""
    lists = (before.positions, swapped.positions)
    unswapped, now = (count_expected_matches(graph, attention, positions) for positions in lists)
    figures = {
        "swap_cost": 1 - now / unswapped if unswapped else 0.0,
        "swap_support": swapped.support,
        "smallest_propensity": float(swapped.propensity.min(initial=1)),
    }
    return round_figures(figures)


def describe_outcome(metadata: Metadata) -> str:
    """Return a line of a log on the metadata of `build_market_metadata`."""
    expected, gain, lost = (metadata[name] for name in ("expected_matches", "over_product", "lost_if_inboxes_are_flat"))
    return (
        f"{expected:,.0f} distinct matches expected, {gain:+.1%} over {REFERENCE_POLICY}; "
        f"if each like received is examined, {-float(str(lost)):+.1%}"
    )


def build_comparison_metadata(
    graph: MarketGraph, attention: AttentionModel, chosen: PolicyLists, compared: pd.DataFrame
) -> Metadata:
    """Build the metadata of a comparison of all policies: a table and two pictures that set the chosen one apart."""
    scores = POLICIES[REFERENCE_POLICY](graph, attention)
    lists = {REFERENCE_POLICY: compute_positions(graph, scores, attention.length), chosen.policy: chosen.positions}
    examination = np.minimum(attention.compute_list_examination(), 1)
    exposure = {name: compute_exposure(graph, positions, examination) for name, positions in lists.items()}
    return {
        "policy": chosen.policy,
        "inbox_trust": attention.inbox_weight,
        "policies": _build_table(compared),
        "policies_picture": show_figure(plot_policies(compared, chosen.policy)),
        "exposure_picture": show_figure(plot_exposure(exposure)),
    }


def print_comparison(settings: Settings, console: Console) -> None:
    """Print the table of the last comparison of policies."""
    path = ShardStore(base=store_url(settings)).get_frame_path("policy_comparison")
    wide = Console(width=max(console.width, WIDTH))
    table = Table()
    for heading, _ in HEADINGS.values():
        table.add_column(heading.replace(" ", "\n"), justify="left" if heading == "policy" else "right", no_wrap=True)
    for _, row in _order_policies(convert_from_table(read_table(path))).iterrows():
        table.add_row(*(f"{row[name]:{form}}" for name, (_, form) in HEADINGS.items()))
    wide.print(table)


def _list_costs(chosen: PolicyLists) -> dict[str, float]:
    """Return what bounds on exposure cost, as shares of the expected matches; nothing without bounds."""
    if (bounded := chosen.exposure) is None:
        return {}
    return {
        "cost_of_most_views": bounded.cost_of_cap,
        "cost_of_least_views": bounded.cost_of_floor,
        "people_outside_the_bounds": bounded.violation_count,
    }


def _build_table(compared: pd.DataFrame) -> dg.MetadataValue[Any]:
    """Return the policies as a Markdown table."""
    headings, formats = zip(*HEADINGS.values(), strict=True)
    return show_table(_order_policies(compared).set_axis(headings, axis=1), formats)


def _order_policies(compared: pd.DataFrame) -> pd.DataFrame:
    """Return the policies as users read them, best first."""
    ordered = compared[list(HEADINGS)].sort_values("expected_matches", ascending=False)
    return ordered.assign(policy=ordered["policy"].str.replace("_", " "))


def _compute_gain(ours: Mapping[str, float], plain: Mapping[str, float], figure: str) -> float:
    """Return the relative gain in a figure; 0 where there is nothing to gain over."""
    return ours[figure] / plain[figure] - 1 if plain[figure] else 0.0
