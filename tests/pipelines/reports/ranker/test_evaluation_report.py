"""The metadata of the evaluation: all methods in tables, the few worth watching as numbers."""

import pandas as pd
import pytest

from models.ml.evaluation.evaluate import ALL_FOLDS
from models.ml.evaluation.result_tables import METRICS
from pipelines.reports.ranker.evaluation_report import build_evaluation_metadata

AUCS = {"ranker": 0.7, "ranker_using_race_and_ethnicity": 0.8, "popularity": 0.5}


def test_watched_metrics_are_numbers_and_tables_have_all_methods() -> None:
    rows = [
        {"protocol": protocol, "target": target, "method": method, "fold": fold, "amount": amount}
        | dict.fromkeys(METRICS, auc + (0 if fold == ALL_FOLDS else 0.1 * fold - 0.05))
        | {"calibration_error": 0.01}
        for method, auc in AUCS.items()
        for target in ("like", "match")
        for protocol, amount in (("cold", 0), ("warm", 0), ("warm", -1))
        for fold in (0, 1, ALL_FOLDS)
    ]
    shown = build_evaluation_metadata(pd.DataFrame(rows), ["Taste is hard to predict.", "It is."])
    assert {name: value for name, value in shown.items() if isinstance(value, float)} == {
        f"{method}.cold_{target}_auc": pytest.approx(AUCS[method])
        for method in ("ranker", "popularity")
        for target in ("like", "match")
    }
    assert str(shown["variance"].value).strip() == "Taste is hard to predict.\n\nIt is."  # type: ignore[union-attr]
    for name in (
        "likes_of_newcomers",
        "matches_of_newcomers",
        "likes_by_decisions_known",
        "matches_by_decisions_known",
    ):
        _, _, *methods = str(shown[name].value).strip().splitlines()  # type: ignore[union-attr]
        assert [row.split("|")[1].strip().replace(" ", "_") for row in methods] == sorted(
            AUCS, key=AUCS.__getitem__, reverse=True
        )
