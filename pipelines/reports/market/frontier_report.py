"""The frontier between matches and conversations that last, as a table and a picture."""

from typing import Any

import dagster as dg
import pandas as pd
from matplotlib.figure import Figure

from models.ml.evaluation.monitoring.frontier import EVERYBODY
from pipelines.reports.plot_style import COLOURS, GREY, MARKERS, add_legend, make_axes
from pipelines.reports.plots import show_figure, show_table

# Headings and formats of the columns of models.ml.evaluation.monitoring.frontier.compute_frontier.
HEADINGS = {
    "weight": ("lasting_weight", ".2f"),
    "group": ("group", ""),
    "users": ("users", ",.0f"),
    "matches": ("matches of a user", ".3f"),
    "lasting": ("lasting conversations", ".3f"),
    "with_match": ("users with a match", ".1%"),
    "with_lasting": ("users with a lasting one", ".1%"),
}


def build_frontier_metadata(frontier: pd.DataFrame) -> dict[str, dg.MetadataValue[Any]]:
    """Build the metadata of a frontier: a row for each weight and group, and a picture."""
    headings, formats = zip(*HEADINGS.values(), strict=True)
    table = show_table(frontier[list(HEADINGS)].set_axis(list(headings), axis=1), formats)
    return {"frontier": table, "frontier_picture": show_figure(plot_frontier(frontier))}


def plot_frontier(frontier: pd.DataFrame) -> Figure:
    """Plot what each weight changes, for everybody and each group: matches to the right, lasting conversations up."""
    figure, axes = make_axes(
        "Matches against conversations that last", "matches (change, %)", "lasting conversations (change, %)", width=7
    )
    for number, (group, rows) in enumerate(frontier.groupby("group", sort=False)):
        change = 100 * (rows[["matches", "lasting"]] / rows[["matches", "lasting"]].iloc[0] - 1)
        axes.plot(
            change["matches"],
            change["lasting"],
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            linewidth=2.5 if group == EVERYBODY else 1.0,
            label=str(group),
        )
        if group == EVERYBODY:
            for weight, (_, row) in zip(rows["weight"], change.iterrows(), strict=True):
                axes.annotate(
                    f"{weight:g}", (row["matches"], row["lasting"]), xytext=(4, 4), textcoords="offset points"
                )
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axvline(0, color=GREY, linewidth=0.8)
    add_legend(axes)
    return figure
