"""The last evaluation on the terminal."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from models.db.settings import Settings
from models.ml.evaluation.tables import by_amount, by_method
from pipelines.frame_store import from_table, read_table, store_url
from pipelines.resources import ShardStore

WIDTH = 130
TRUTH = "truth_rank_correlation"
TARGETS = {"like": "likes", "match": "matches"}


def show(settings: Settings, console: Console) -> None:
    """Print the tables of the evaluation that was made last."""
    wide = Console(width=max(console.width, WIDTH))
    figures = from_table(read_table(ShardStore(base=store_url(settings)).frame("ranker_evaluation")))
    for target, words in TARGETS.items():
        title = f"{words.capitalize()} of people of whom only the profile is known"
        wide.print(_table(title, by_method(figures, target)))
    for target, words in TARGETS.items():
        title = f"{words.capitalize()} by how many decisions are known of each person: AUC within viewers"
        wide.print(_table(title, by_amount(figures, target)))
    title = "Likes by how many decisions were learned from, all known of each person: AUC within viewers"
    wide.print(_table(title, by_amount(figures, "like", protocol="growing")))
    if TRUTH in figures:
        for protocol, words in (("warm", "known of each person"), ("growing", "learned from")):
            title = f"Likes: rank correlation with the true probability, by decisions {words}"
            wide.print(_table(title, by_amount(figures, "like", TRUTH, protocol)))


def _table(title: str, frame: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("method", no_wrap=True)
    for name in frame.columns:
        table.add_column(str(name).replace(" ", "\n"), justify="right")
    for method, row in frame.iterrows():
        cells = ("" if pd.isna(value) else f"{value:.3f}" for value in row)
        table.add_row(str(method).replace("_", " "), *cells)
    return table
