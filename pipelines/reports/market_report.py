"""What the market asset says of its lists: beside the other policies, and if inboxes were not crowded after all."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.market import AttentionModel, MarketGraph
from models.ml.market.comparison import REFERENCE_POLICY, PolicyLists, compare_policies, compute_outcome
from models.ml.market.exposure.exposure_bounds import compute_exposure
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.policy_registry import POLICIES
from pipelines.reports.plots import plot_exposure, plot_policies, round_figures, show_figure, show_table

# How people read the columns of models.ml.market.comparison.compare_policies, and with what format.
HEADINGS = {
    "policy": ("policy", ""),
    "expected_matches": ("expected matches", ",.1f"),
    "expected_matches_flat": ("if every like is looked at", ",.1f"),
    "people_matched": ("people with a match", ".1%"),
    "views_gini": ("Gini of views", ".3f"),
    "views_top_share": ("views of the top 1 %", ".1%"),
    "seconds": ("seconds", ".2f"),
}


def build_market_metadata(
    graph: MarketGraph,
    attention: AttentionModel,
    chosen: PolicyLists,
    allowance: Float64Array | None,
    say: Callable[[str], None],
) -> Mapping[str, str | float | dg.MetadataValue[Any]]:
    """Metadata of the lists; `say` is told what each policy would bring."""
    compared = compare_policies(graph, attention, say, chosen, allowance)
    plain = {str(name): value for name, value in compared[compared["policy"] == REFERENCE_POLICY].iloc[0].items()}
    ours = compute_outcome(graph, attention, chosen.positions)
    lost = 1 - ours["expected_matches_flat"] / plain["expected_matches_flat"] if plain["expected_matches_flat"] else 0.0
    say(
        f"{ours['expected_matches']:,.0f} distinct matches expected, {_compute_gain(ours, plain):+.1%} over product; "
        f"if every like received were looked at, {-lost:+.1%}"
    )
    costs = (
        {}
        if chosen.exposure is None
        else {
            "cost_of_most_views": chosen.exposure.cost_of_cap,
            "cost_of_least_views": chosen.exposure.cost_of_floor,
            "people_outside_the_bounds": chosen.exposure.violation_count,
        }
    )
    looks = np.minimum(attention.compute_list_examination(), 1)
    plain_views = compute_exposure(
        graph, compute_positions(graph, POLICIES[REFERENCE_POLICY](graph, attention), attention.length), looks
    )
    return {
        "policy": chosen.policy,
        **round_figures(
            {**ours, "over_product": _compute_gain(ours, plain), "lost_if_inboxes_are_flat": lost, **costs}
        ),
        "inbox_trust": attention.inbox_weight,
        "policies": _build_table(compared),
        "policies_picture": show_figure(plot_policies(compared, chosen.policy)),
        "exposure_picture": show_figure(
            plot_exposure(
                {REFERENCE_POLICY: plain_views, chosen.policy: compute_exposure(graph, chosen.positions, looks)}
            )
        ),
    }


def _build_table(compared: pd.DataFrame) -> dg.MetadataValue[Any]:
    """The policies, best first, as people read them."""
    ordered = compared[list(HEADINGS)].sort_values("expected_matches", ascending=False)
    named = ordered.assign(policy=ordered["policy"].str.replace("_", " "))
    headings, formats = zip(*HEADINGS.values(), strict=True)
    return show_table(named.set_axis(headings, axis=1), formats)


def _compute_gain(ours: Mapping[str, float], plain: Mapping[str, float]) -> float:
    return ours["expected_matches"] / plain["expected_matches"] - 1 if plain["expected_matches"] else 0.0
