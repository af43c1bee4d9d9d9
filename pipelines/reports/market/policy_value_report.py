"""The report of policies judged from logs: a table on the terminal, and a table and a picture as metadata."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from models.db.settings import Settings
from models.experiments.off_policy.policy_value import BEST_METHODS
from pipelines.reports.plot_style import BLUE, make_axes
from pipelines.reports.plots import show_figure, show_table
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_from_table, read_table, store_url

NONE = "-"
Z_95 = 1.96


def read_values(settings: Settings) -> pd.DataFrame:
    """Read the frame of the last judgement."""
    return convert_from_table(read_table(ShardStore(base=store_url(settings)).get_frame_path("policy_value")))


def select_best(values: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of the methods that decide."""
    return values[values["method"] == values["outcome"].map(BEST_METHODS)]


def build_value_metadata(values: pd.DataFrame) -> Mapping[str, dg.MetadataValue[Any]]:
    """Build the metadata of a judgement: two tables, and a picture if there is a value."""
    best = select_best(values)
    picture = {"values_picture": show_figure(plot_values(best))} if best["value"].notna().any() else {}
    return {"values": show_table(format_values(best)), "all_estimates": show_table(values, "g"), **picture}


def print_values(settings: Settings, console: Console) -> None:
    """Print the table of the last judgement, and why a policy has no value."""
    best = select_best(read_values(settings))
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    cells = format_values(best)
    for heading in map(str, cells):
        table.add_column(heading.replace(" ", "\n", 1), justify="left" if heading in ("policy", "of") else "right")
    for row in cells.to_numpy(str).tolist():
        table.add_row(*row)
    console.print(table)
    refused = best[best["refusal"] != ""]
    for policy, outcome, why in refused[["policy", "outcome", "refusal"]].itertuples(index=False):
        console.print(f"{str(policy).replace('_', ' ')}, {outcome}: {why}", soft_wrap=True)
    console.print(
        "\nOf one opening by each viewer who opened a list; ± is one standard error, over viewers.", soft_wrap=True
    )


def format_values(best: pd.DataFrame) -> pd.DataFrame:
    """Format the rows of the methods that decide, as text."""
    return pd.DataFrame(
        {
            "policy": best["policy"].str.replace("_", " "),
            "of": best["outcome"],
            "value": [_format(*pair, ",.1f") for pair in _pair(best, "value", "standard_error")],
            "against first": [_format(*pair, "+,.1f") for pair in _pair(best, "difference", "difference_error")],
            "effective size": best["effective_size"].map("{:,.0f}".format),
            "without support": best["unsupported"].map("{:.0%}".format),
        }
    )


def plot_values(best: pd.DataFrame) -> Figure:
    """Plot the difference of each policy to the first one, with 95 % intervals, of what has one."""
    known = best[best["difference"].notna()]
    figure, axes = make_axes("What another policy would bring", "difference to the first policy", "", width=7)
    labels = known["policy"].str.replace("_", " ") + ", " + known["outcome"]
    at, errors = np.arange(len(known))[::-1], Z_95 * known["difference_error"].to_numpy(np.float64)
    axes.errorbar(known["difference"].to_numpy(np.float64), at, xerr=errors, fmt="o", color=BLUE, capsize=3)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(at, labels.tolist())
    return figure


def _pair(rows: pd.DataFrame, value: str, error: str) -> list[tuple[float, float]]:
    return list(zip(rows[value].astype(float), rows[error].astype(float), strict=True))


def _format(value: float, error: float, form: str) -> str:
    return NONE if np.isnan(value) else f"{value:{form}} ± {error:,.1f}"
