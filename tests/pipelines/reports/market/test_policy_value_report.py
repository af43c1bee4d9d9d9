"""The report of policies judged from logs: values with errors, differences, and refusals."""

import re

import numpy as np
import pandas as pd
import pytest

from models.experiments.off_policy.policy_value import tabulate_values
from pipelines.reports.market.policy_value_report import build_value_metadata, format_values, select_best
from tests.bench.off_policy import build_market, draw_logs, judge_night


@pytest.fixture(scope="module")
def values() -> pd.DataFrame:
    """Best response judged from its own logs, and three others; the last two show much that the logs never did."""
    market = build_market(side=200, candidates=200, seed=3)
    return tabulate_values(judge_night(market, draw_logs(market, "best_response", np.random.default_rng(0))))


def test_each_policy_has_a_value_or_none(values: pd.DataFrame) -> None:
    cells = format_values(select_best(values))
    assert cells["of"].tolist() == ["likes", "matches"] * 4
    told = cells["value"].map(lambda cell: bool(re.fullmatch(r"[\d,]+\.\d ± [\d,]+\.\d", cell)))
    assert told.tolist() == [True] * 4 + [False] * 4
    assert set(cells["value"][~told]) == {"-"}
    assert cells["against first"][:2].tolist() == ["+0.0 ± 0.0"] * 2


def test_the_picture_is_of_what_is_known(values: pd.DataFrame) -> None:
    assert "picture" in str(build_value_metadata(values)["values_picture"])
    unknown = values.assign(value=np.nan, difference=np.nan)
    assert "values_picture" not in build_value_metadata(unknown)
