"""Pictures of simulated nights: a line an arm, by day."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.reports.plot_style import COLOURS, GREY, MARKERS, make_axes

# Title, label of the axis, and factor of each figure.
PICTURES = {
    "matches": ("Matches", "matches so far", 1),
    "with_match": ("People with at least one match", "people (%)", 100),
    "views_gini": ("How unevenly people are seen in lists", "Gini of views (0: all alike, 1: one has all)", 1),
    "newcomers_matched": ("Newcomers, three days after they joined", "newcomers with a match (%)", 100),
    "likes_waiting": ("Likes that wait for an answer", "likes waiting", 1),
}
LINES = ("-", "--", ":")


def plot_figure(figures: pd.DataFrame, name: str) -> Figure:
    """Plot one of PICTURES by day, a line an arm, with the 95 % intervals of the last day.

    Args:
        figures: The figures of each arm and day (see models.simulation.nights.simulate_arms).
        name: The figure to plot.
    """
    title, label, factor = PICTURES[name]
    figure, axes = make_axes(title, "day; at the right: 95 % intervals of the last one", label, width=8.5, height=4.2)
    days = int(figures["day"].max()) + 1
    for number, (arm, rows) in enumerate(figures.groupby("arm", sort=False)):
        _plot_arm(axes, rows, factor * rows[name], number, str(arm))
        last, colour = factor * rows.iloc[-1][[name, f"{name}_low", f"{name}_high"]], COLOURS[number % len(COLOURS)]
        beside = days + (0.03 + 0.018 * number) * days  # so that intervals do not cover each other
        axes.plot([beside] * 2, last.iloc[1:], color=colour, linewidth=1.5)
        axes.plot([beside], last.iloc[:1], color=colour, marker=MARKERS[number % len(MARKERS)], markersize=5)
    _finish(axes, days)
    return figure


def plot_calibration(figures: pd.DataFrame) -> Figure:
    """Plot p_match as the cards said it over the share of mutual likes among them, by day, a line an arm."""
    figure, axes = make_axes(
        "p_match of the cards looked at", "day", "said / seen (1: calibrated)", width=8.5, height=4.2
    )
    for number, (arm, rows) in enumerate(figures.groupby("arm", sort=False)):
        ratio = rows["p_match_said"] / rows["p_match_seen"].where(rows["p_match_seen"] > 0)
        if ratio.notna().any():
            _plot_arm(axes, rows, ratio, number, str(arm))
    axes.axhline(1, color=GREY, linestyle=":")
    _finish(axes, int(figures["day"].max()) + 1)
    return figure


def label_arm(arm: str) -> str:
    """Return the name of an arm as people read it."""
    return arm if arm.startswith("p_") else arm.replace("_", " ")


def _plot_arm(axes: Axes, rows: pd.DataFrame, values: pd.Series, number: int, arm: str) -> None:
    axes.plot(
        rows["day"] + 1,
        values,
        color=COLOURS[number % len(COLOURS)],
        marker=MARKERS[number % len(MARKERS)],
        linestyle=LINES[number // len(COLOURS) % len(LINES)],
        markersize=5,
        label=label_arm(arm),
    )


def _finish(axes: Axes, days: int) -> None:
    axes.set_xticks(np.unique(np.linspace(1, days, min(days, 14)).round().astype(int)))
    axes.margins(x=0.03)
    axes.set_xlim(left=1 - 0.03 * days)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1, 0.5))
