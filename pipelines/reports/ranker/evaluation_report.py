"""The report of the last evaluation, on the terminal and as metadata of its asset."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.db.settings import Settings
from models.ml.evaluation.result_tables import METRICS, tabulate_by_history, tabulate_by_method
from pipelines.reports.plots import round_figures, show_markdown, show_table
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_from_table, read_table, store_url

WIDTH = 130
TRUTH = "truth_rank_correlation"
TARGETS = {"like": "likes", "match": "matches"}
# The ranker and the methods it has to beat. Longer names would overlap the next column of Dagster's page.
TRACKED_METHODS = [
    "ranker",
    "ranker_linear_start",
    "ridge_logistic",
    "interest_cosine",
    "stated_preference",
    "popularity",
]


def build_evaluation_metadata(
    figures: pd.DataFrame, said: Sequence[str]
) -> Mapping[str, float | dg.MetadataValue[Any]]:
    """Return the metadata of an evaluation: tables of all methods, and the AUC within viewers of the tracked methods.

    Args:
        figures: The result of the evaluation.
        said: The sentences of models.ml.evaluation.variance_split.
    """
    cold = {target: tabulate_by_method(figures, target) for target in TARGETS}
    tables = {f"{words}_of_newcomers": _label_columns(cold[target], "method") for target, words in TARGETS.items()} | {
        f"{words}_by_decisions_known": _label_columns(
            tabulate_by_history(figures, target), "AUC within viewers, decisions known:"
        )
        for target, words in TARGETS.items()
    }
    watched = {
        f"{method}.cold_{target}_auc": auc
        for target, each in cold.items()
        for method, auc in each[METRICS["within_viewer_auc"]].reindex(TRACKED_METHODS).dropna().items()
    }
    return {
        **{name: show_table(each) for name, each in tables.items()},
        "variance": show_markdown("\n\n".join(said)),
        **round_figures(watched),
    }


def print_evaluation(settings: Settings, console: Console) -> None:
    """Print the tables of the last evaluation."""
    wide = Console(width=max(console.width, WIDTH))
    figures = convert_from_table(read_table(ShardStore(base=store_url(settings)).get_frame_path("ranker_evaluation")))
    for target, words in TARGETS.items():
        title = f"{words.capitalize()} of people of whom only the profile is known"
        wide.print(_build_table(title, tabulate_by_method(figures, target)))
    for target, words in TARGETS.items():
        title = f"{words.capitalize()} by how many decisions are known of each person: AUC within viewers"
        wide.print(_build_table(title, tabulate_by_history(figures, target)))
    title = "Likes by how many decisions were learned from, all known of each person: AUC within viewers"
    wide.print(_build_table(title, tabulate_by_history(figures, "like", protocol="growing")))
    if TRUTH in figures:
        for protocol, words in (("warm", "known of each person"), ("growing", "learned from")):
            title = f"Likes: rank correlation with the true probability, by decisions {words}"
            wide.print(_build_table(title, tabulate_by_history(figures, "like", TRUTH, protocol)))


def _label_columns(methods: pd.DataFrame, head: str) -> pd.DataFrame:
    return methods.rename(index=lambda method: str(method).replace("_", " ")).rename_axis(head).reset_index()


def _build_table(title: str, frame: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("method", no_wrap=True)
    for name in frame.columns:
        table.add_column(str(name).replace(" ", "\n"), justify="right")
    for method, row in frame.iterrows():
        cells = ("" if pd.isna(value) else f"{value:.3f}" for value in row)
        table.add_row(str(method).replace("_", " "), *cells)
    return table
