"""Tables of the evaluation: one row per method, with means over folds and their spread."""

import pandas as pd

from models.ml.evaluation.evaluate import ALL_FOLDS

METRICS = {
    "within_viewer_auc": "AUC within viewers",
    "pooled_auc": "AUC pooled",
    "ndcg_at_5": "NDCG@5",
    "ndcg_at_10": "NDCG@10",
    "map": "MAP",
    "captured_at_3": "in top 3",
    "captured_at_5": "in top 5",
    "log_loss": "log loss",
}


def tabulate_by_method(figures: pd.DataFrame, target: str) -> pd.DataFrame:
    """Tabulate the cold protocol for a target, like or match: one row per method, best first.

    Columns: AUC within viewers with its standard deviation over folds, the means of the other metrics over folds, and
    the calibration error of all folds together.
    """
    cold = figures[(figures["protocol"] == "cold") & (figures["target"] == target)]
    together = cold["fold"] == ALL_FOLDS
    grouped = cold[~together].groupby("method", sort=False)
    table = grouped[list(METRICS)].mean().rename(columns=METRICS)
    table.insert(1, "± over folds", grouped["within_viewer_auc"].std())
    table["calibration error"] = cold[together].set_index("method")["calibration_error"]
    return table.sort_values(METRICS["within_viewer_auc"], ascending=False)


def tabulate_by_history(
    figures: pd.DataFrame, target: str, metric: str = "within_viewer_auc", protocol: str = "warm"
) -> pd.DataFrame:
    """Tabulate the warm or the growing protocol for a target: one row per method, one column per number of decisions.

    The decisions are those visible of each user (warm) or those trained on (growing). Values are means over folds.
    """
    rows = figures[
        (figures["protocol"] == protocol) & (figures["target"] == target) & (figures["fold"] != ALL_FOLDS)
    ].assign(known=lambda each: each["amount"].map(lambda amount: "all" if amount < 0 else f"{amount:,}"))
    # Empty columns stay: in a small population, no viewer may have both matches and others.
    table = rows.pivot_table(index="method", columns="known", values=metric, aggfunc="mean", sort=False, dropna=False)
    return table.sort_values(table.columns[-1], ascending=False)
