"""Panels from frames of person-nights, runs of switchbacks, contamination."""

import numpy as np
import pandas as pd
import pytest

from models.db.errors import InputError
from models.experiments.statistics.analysis import measure_contrast
from models.experiments.statistics.metrics import COUNTED, METRICS, build_panel, get_metric, measure_units
from models.experiments.statistics.panel import Panel, join_runs

NOTHING = pd.Series(dtype=np.float64)


def make_rows(**columns: list[str] | list[int] | list[float]) -> pd.DataFrame:
    zeros = dict.fromkeys(COUNTED, 0.0) | {"people": 1.0}
    return pd.DataFrame(columns).assign(**{name: value for name, value in zeros.items() if name not in columns})


def test_a_panel_has_the_sums_of_units_and_what_last_week_lets_expect() -> None:
    rows = make_rows(night=[0, 0, 1, 1], unit_key=["b", "a", "b", "b"], arm=[1, 0, 1, 1], matches=[1.0, 2, 3, 4])
    panel = build_panel(rows, METRICS["matches"], 2, pd.Series({"a": 0.5}))
    assert panel.arm.tolist() == [0, 1]
    assert panel.numerator.tolist() == [[2, 1], [0, 7]]
    assert panel.denominator.tolist() == [[1, 1], [0, 2]]
    assert panel.expected.tolist() == [[0.5, 0.5], [0, 1]], "b is as all others"
    assert measure_units(rows, METRICS["matches"]).to_dict() == {"a": 2.0, "b": pytest.approx(8 / 3)}


def test_the_gini_is_within_units_weighted_by_their_people() -> None:
    rows = make_rows(night=[0] * 4, unit_key=["a", "a", "b", "b"], arm=[0, 0, 1, 1], views=[0.0, 4, 3, 3])
    panel = build_panel(rows, METRICS["views_gini"], 1, NOTHING)
    assert panel.numerator.tolist() == [[1.0, 0.0]], "half of two people, and even"


def test_runs_leave_out_the_night_after_a_switch_or_a_gap() -> None:
    arm, place = np.array([0, 0, 0, 1, 1, 1]), [0, 1, 2, 3, 4, 6]
    counts = np.zeros((7, 6))
    counts[place, range(6)] = [1, 2, 4, 8, 16, 32]
    runs = join_runs(Panel(arm, counts, counts, counts))
    assert runs.arm.tolist() == [0, 1, 1]
    assert runs.numerator.sum(axis=0).tolist() == [6, 16, 0]
    assert runs.numerator[2].tolist() == [4, 0, 0], "each night stays in its place"


def test_the_contrast_is_one_less_what_comes_from_other_arms() -> None:
    rows = make_rows(arm=[0, 0, 1, 2], matches=[3.0, 1, 5, 1], mixed_matches=[0.0, 1, 2, 1])
    assert measure_contrast(rows, 1) == pytest.approx(1 - 1 / 4 - 2 / 5)
    assert measure_contrast(rows.assign(mixed_matches=0.0), 1) == 1.0


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InputError, match="nothing"):
        get_metric("nothing")
