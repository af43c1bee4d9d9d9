"""What the market asset says of its lists: beside the other policies, and if inboxes were not crowded after all."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.market import Attention, Town
from models.ml.market.comparison import NO_POLICY, Chosen, compare, outcome
from models.ml.market.examination import Doubles
from models.ml.market.exposure import views
from models.ml.market.lists import places
from models.ml.market.policies import POLICIES
from pipelines.plots import exposure, picture, policies, rounded, table

# How people read the columns of models.ml.market.comparison.compare, and with what format.
HEADINGS = {
    "policy": ("policy", ""),
    "expected_matches": ("expected matches", ",.1f"),
    "expected_matches_flat": ("if every like is looked at", ",.1f"),
    "people_matched": ("people with a match", ".1%"),
    "views_gini": ("Gini of views", ".3f"),
    "views_top_share": ("views of the top 1 %", ".1%"),
    "seconds": ("seconds", ".2f"),
}


def report(
    market: Town, attention: Attention, chosen: Chosen, allowance: Doubles | None, say: Callable[[str], None]
) -> Mapping[str, str | float | dg.MetadataValue[Any]]:
    """Metadata of the lists; `say` is told what each policy would bring."""
    compared = compare(market, attention, say, chosen, allowance)
    plain = {str(name): value for name, value in compared[compared["policy"] == NO_POLICY].iloc[0].items()}
    ours = outcome(market, attention, chosen.placed)
    lost = 1 - ours["expected_matches_flat"] / plain["expected_matches_flat"] if plain["expected_matches_flat"] else 0.0
    say(
        f"{ours['expected_matches']:,.0f} distinct matches expected, {_more(ours, plain):+.1%} over product; "
        f"if every like received were looked at, {-lost:+.1%}"
    )
    costs = (
        {}
        if chosen.shared is None
        else {
            "cost_of_most_views": chosen.shared.cost_of_cap,
            "cost_of_least_views": chosen.shared.cost_of_floor,
            "people_outside_the_bounds": chosen.shared.beyond,
        }
    )
    looks = np.minimum(attention.looks(), 1)
    plain_views = views(market, places(market, POLICIES[NO_POLICY](market, attention), attention.length), looks)
    return {
        "policy": chosen.policy,
        **rounded({**ours, "over_product": _more(ours, plain), "lost_if_inboxes_are_flat": lost, **costs}),
        "inbox_trust": attention.q,
        "policies": _table(compared),
        "policies_picture": picture(policies(compared, chosen.policy)),
        "exposure_picture": picture(
            exposure({NO_POLICY: plain_views, chosen.policy: views(market, chosen.placed, looks)})
        ),
    }


def _table(compared: pd.DataFrame) -> dg.MetadataValue[Any]:
    """The policies, best first, as people read them."""
    ordered = compared[list(HEADINGS)].sort_values("expected_matches", ascending=False)
    named = ordered.assign(policy=ordered["policy"].str.replace("_", " "))
    headings, formats = zip(*HEADINGS.values(), strict=True)
    return table(named.set_axis(headings, axis=1), formats)


def _more(ours: Mapping[str, float], plain: Mapping[str, float]) -> float:
    return ours["expected_matches"] / plain["expected_matches"] - 1 if plain["expected_matches"] else 0.0
