"""Policies judged from simulated logs, beside the truth: the benchmark, smaller."""

import numpy as np
import pandas as pd
import pytest

from models.experiments.off_policy.policy_value import BEST_METHODS, LIKES, MATCHES, tabulate_values
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
    small = draw_logs(market, "product", np.random.default_rng(0), share=0.03)
    values = judge_night(market, small)
    assert all("examined cards" in each.explain_refusal(LIKES) for each in values)
    table = tabulate_values(values)
    assert table[["value", "difference"]].isna().all(axis=None)
    assert (table["refusal"] != "").all()


def test_a_policy_without_support_is_refused() -> None:
    """With 200 candidates each, a random list of 50 has little in common with any other one."""
    market = build_market(side=200, candidates=200, seed=3)
    found = {each.policy: each for each in judge_night(market, draw_logs(market, "product", np.random.default_rng(0)))}
    assert {name for name in POLICIES if found[name].explain_refusal(LIKES)} == {"random", "naive"}
    assert "never shown" in found["random"].explain_refusal(MATCHES)
    table = tabulate_values([found["product"], found["best_response"], found["random"]]).set_index("policy")
    assert table.loc[["best_response"], ["value", "difference"]].notna().to_numpy().all()
    assert table.loc[["random"], ["value", "difference"]].isna().to_numpy().all()
    # Policies judged from the same logs share their luck.
    (decided,) = table[table["method"] == "dr"].loc[["best_response"]].to_dict("records")
    assert decided["difference_error"] < decided["standard_error"]
