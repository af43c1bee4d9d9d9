"""What policies would bring a town, side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.market.allowance import bound_places
from models.ml.market.attention import Attention
from models.ml.market.examination import Doubles
from models.ml.market.exposure import Shared, share, views
from models.ml.market.inbox import distinct, matches
from models.ml.market.lists import likes, places
from models.ml.market.measures import gini, top_share
from models.ml.market.policies import POLICIES
from models.ml.market.town import Slots, Town
from models.ml.people import Floats

NO_POLICY = "product"
"""What a chosen policy is compared with: everybody sees first who is likeliest to match."""


@dataclass(frozen=True)
class Chosen:
    """The lists of a policy: places from 0, int32 (n,) by slot, -1 if not listed; and what bounds on exposure cost."""

    policy: str
    placed: Slots
    seconds: float
    shared: Shared | None


def choose(
    town: Town,
    attention: Attention,
    policy: str,
    cap: float | None = None,
    floor: float = 0.0,
    allowance: Doubles | None = None,
) -> Chosen:
    """The lists of a policy of POLICIES, with views kept between `floor` and `cap` times their mean if a cap is given.

    Without such bounds, `allowance` bounds the places of each person (see `bound_places`), float64 (people,). Raises
    KeyError for an unknown policy.
    """
    started = time.monotonic()
    scores = POLICIES[policy](town, attention)
    if cap is None and not floor:
        length = attention.length
        placed = places(town, scores, length) if allowance is None else bound_places(town, scores, length, allowance)
        return Chosen(policy, placed, time.monotonic() - started, None)
    shared = share(town, attention, scores, np.inf if cap is None else cap, floor)
    return Chosen(policy, shared.placed, time.monotonic() - started, shared)


def compare(
    town: Town,
    attention: Attention,
    say: Callable[[str], None] = lambda _: None,
    known: Chosen | None = None,
    allowance: Doubles | None = None,
) -> pd.DataFrame:
    """A row a policy of POLICIES, with `outcome` of its lists and the seconds they took.

    The lists that are known already, made with the same `allowance`, are not made again unless views are bounded in
    them.
    """
    rows = []
    for name in POLICIES:
        plain = known is not None and known.policy == name and known.shared is None
        made = known if known is not None and plain else choose(town, attention, name, allowance=allowance)
        rows.append({"policy": name, **outcome(town, attention, made.placed), "seconds": made.seconds})
        say(f"{name.replace('_', ' ')}: {rows[-1]['expected_matches']:,.0f} matches expected, in {made.seconds:.1f} s")
    return pd.DataFrame(rows)


def outcome(town: Town, attention: Attention, placed: Slots) -> dict[str, float]:
    """What lists would bring.

    expected_matches: distinct, with the inbox hedged as `attention` says; expected_matches_flat: the same if every like
    received were looked at; people_matched: share of those with candidates who can expect at least one match;
    views_gini and views_top_share: how unevenly looks fall, and the share of the most looked at 1 %.
    """
    seen = views(town, placed, np.minimum(attention.looks(), 1))[np.diff(town.inbox_start) > 0]
    liked = likes(town, placed, attention.looks())
    matched = matches(town, liked, attention.answers())
    return {
        "expected_matches": distinct(town, matched),
        "expected_matches_flat": distinct(town, matches(town, liked, replace(attention, q=0.0).answers())),
        "people_matched": _people_matched(town, matched),
        "views_gini": gini(seen),
        "views_top_share": top_share(seen),
    }


def _people_matched(town: Town, matched: Floats) -> float:
    """The mean over people of 1 - product of (1 - chance of each match), of either list, as if independent."""
    slots = np.flatnonzero(matched)
    missed = np.log1p(-np.minimum(matched[slots].astype(np.float64), 1 - 1e-12))
    ends = np.concatenate([town.viewer[slots], town.candidate[slots]])
    total = np.bincount(ends, np.tile(missed, 2), len(town.keys))
    anybody = (np.diff(town.list_start) > 0) | (np.diff(town.inbox_start) > 0)
    return float(-np.expm1(total[anybody]).mean()) if anybody.any() else 0.0
