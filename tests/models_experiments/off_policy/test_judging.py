"""Policies judged from simulated logs, beside the truth: the benchmark, smaller."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.experiments.off_policy.policy_value import BEST_METHODS, LIKES, MATCHES
from tests.bench.off_policy import (
    POLICIES,
    KnownMarket,
    build_market,
    draw_logs,
    judge_night,
    measure_order,
    repeat_judging,
    summarise,
)


@pytest.fixture(scope="module")
def market() -> KnownMarket:
    return build_market(side=200, candidates=60, seed=3)


@pytest.fixture(scope="module")
def figures(market: KnownMarket) -> pd.DataFrame:
    return repeat_judging(market, "product", 12, 0)


@pytest.mark.parametrize(("outcome", "most"), [(LIKES, 0.03), (MATCHES, 0.08)])
def test_the_truth_is_found_where_the_model_is_wrong(figures: pd.DataFrame, outcome: str, most: float) -> None:
    table = summarise(figures)
    of = table[table["outcome"] == outcome]
    best, model = (of[of["method"] == method] for method in (BEST_METHODS[outcome], "dm"))
    assert (best["bias"].abs() <= most).all()
    assert (model["bias"] > 0.1).all()
    # Errors say how far an estimate is off: three of four at least are within the 95 % interval.
    assert best["coverage"].mean() >= 0.75


def test_policies_are_ordered_by_likes(figures: pd.DataFrame) -> None:
    assert measure_order(figures, LIKES, BEST_METHODS[LIKES]) >= 0.9


def test_too_few_openings_are_refused(market: KnownMarket) -> None:
    night = draw_logs(market, "product", np.random.default_rng(0))
    few = market.scored.viewer < 10
    small = replace(night, opened=few, **{name: getattr(night, name) & few for name in ("examined", "liked")})
    for value in judge_night(market, small):
        assert "examined cards" in value.explain_refusal(LIKES)
        table = value.tabulate()
        assert table["value"].isna().all()
        assert (table["refusal"] != "").all()


def test_a_policy_without_support_is_refused() -> None:
    """With 200 candidates each, a random list of 50 has little in common with any other one."""
    market = build_market(side=200, candidates=200, seed=3)
    found = {each.policy: each for each in judge_night(market, draw_logs(market, "product", np.random.default_rng(0)))}
    assert {name for name in POLICIES if found[name].explain_refusal(LIKES)} == {"random", "naive"}
    assert "never shown" in found["random"].explain_refusal(MATCHES)
    assert found["best_response"].tabulate()["value"].notna().all()
