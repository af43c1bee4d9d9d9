"""The picture and the metadata of fairness: who gets a match, by group and policy."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipelines.reports.plot_style import COLOURS, MARKERS, add_legend, make_axes
from pipelines.reports.plots import round_figures, show_figure, show_table

ROW_HEIGHT, APART, MARKER_SIZE, CAP_SIZE = 0.3, 0.24, 5, 2


def plot_fairness(chances: pd.DataFrame, policies: Sequence[str]) -> Figure:
    """Draw the probability of a match of each group, with its interval.

    Args:
        chances: The groups of `models.ml.evaluation.monitoring.fairness.measure_fairness`.
        policies: The policies that are drawn, two at most.
    """
    groups = chances.loc[chances["policy"] == policies[0], "group"].iloc[::-1]
    height = 1 + ROW_HEIGHT * len(groups)
    figure, chart = make_axes("Who gets a match", "probability of a match (%)", "", width=8, height=height)
    for number, policy in enumerate(policies):
        of = chances[chances["policy"] == policy].iloc[::-1]
        chart.errorbar(
            100 * of["mean"],
            np.arange(len(of)) + APART * (0.5 - number),
            xerr=100 * np.array([of["mean"] - of["low"], of["high"] - of["mean"]]),
            fmt=MARKERS[number],
            color=COLOURS[number],
            markersize=MARKER_SIZE,
            capsize=CAP_SIZE,
            label=policy.replace("_", " "),
        )
    chart.set_yticks(np.arange(len(groups)), groups)
    chart.set_xlim(left=0)
    add_legend(chart)
    return figure


def build_fairness_metadata(
    overall: pd.DataFrame, chances: pd.DataFrame, policies: Sequence[str]
) -> Mapping[str, str | float | dg.MetadataValue[Any]]:
    """Build the metadata: figures of the first policy, a table of all, and the picture of two."""
    first = overall.set_index("policy").loc[policies[0]]
    figures = {name: float(first[name]) for name in first.index}
    groups = chances.loc[chances["policy"] == policies[0]].sort_values("mean")
    fewest = {} if groups.empty else {"fewest_matches": str(groups["group"].iloc[0])}
    tables = {"policies": show_table(overall), "groups": show_table(chances)}
    return {
        **round_figures(figures),
        **fewest,
        "who_gets_a_match": show_figure(plot_fairness(chances, policies)),
        **tables,
    }
