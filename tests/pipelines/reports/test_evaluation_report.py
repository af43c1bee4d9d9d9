"""What the evaluation's asset shows: all methods in tables, the few worth watching as numbers."""

import pandas as pd
import pytest

from models.ml.evaluation.evaluate import ALL_HISTORY
from models.ml.evaluation.result_tables import METRICS
from pipelines.reports.evaluation_report import build_evaluation_metadata
from pipelines.reports.plots import MAX_TABLE_ROWS

LONGEST = 34
"""Characters of a name that fit into the column of names."""


def figures() -> pd.DataFrame:
    aucs = {"ranker": 0.7, "ranker_using_race_and_ethnicity": 0.8, "popularity": 0.5}
    rows = [
        {"protocol": protocol, "target": target, "method": method, "fold": fold, "amount": amount}
        | dict.fromkeys(METRICS, auc + (0 if fold == ALL_HISTORY else 0.1 * fold - 0.05))
        | {"calibration_error": 0.01}
        for method, auc in aucs.items()
        for target in ("like", "match")
        for protocol, amount in (("cold", 0), ("warm", 0), ("warm", -1))
        for fold in (0, 1, ALL_HISTORY)
    ]
    return pd.DataFrame(rows)


def test_the_watched_are_numbers_with_names_that_fit_and_the_tables_have_everybody() -> None:
    told = build_evaluation_metadata(figures(), ["Taste is hard to tell.", "It is."])
    numbers = {name: value for name, value in told.items() if isinstance(value, float)}
    assert numbers == {
        f"{method}.cold_{target}_auc": pytest.approx(auc)
        for method, auc in (("ranker", 0.7), ("popularity", 0.5))
        for target in ("like", "match")
    }
    tables = {"likes_of_newcomers", "matches_of_newcomers", "likes_by_decisions_known", "matches_by_decisions_known"}
    assert set(told) == set(numbers) | tables | {"variance"}
    assert max(map(len, told)) <= LONGEST
    said = str(told["variance"].value)  # type: ignore[union-attr]
    assert said.strip() == "Taste is hard to tell.\n\nIt is."
    assert len(said) >= MAX_TABLE_ROWS
    for name in tables:
        rows = str(told[name].value).strip().splitlines()  # type: ignore[union-attr]
        assert [row.split("|")[1].strip() for row in rows[2:]] == [
            *("ranker using race and ethnicity", "ranker", "popularity")
        ]
        head = "method" if name.endswith("newcomers") else "AUC within viewers, decisions known:"
        assert rows[0].split("|")[1].strip() == head
