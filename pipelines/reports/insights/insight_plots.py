"""Pictures of the insights of conversations: a point a cell, with its 95 % interval."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.ml.conversations.insights.cells import ALL, MIN_PEOPLE
from models.ml.conversations.insights.course import MOST_MESSAGES
from models.ml.conversations.insights.depth import DECILES, DEPTHS
from models.ml.conversations.insights.funnel import STAGES
from models.ml.conversations.insights.survival import ANSWER_HOURS
from pipelines.reports.plot_style import COLOURS, GREY, MARKERS, make_axes

NOTHING = f"no figure has {MIN_PEOPLE} people behind it yet"


def plot_funnel(cells: pd.DataFrame) -> Figure:
    """Plot the share of matches that reached each stage."""
    figure, axes = make_axes("What becomes of matches", "", "matches of which it is known (%)")
    # No line: the stages have different denominators.
    _plot_cells(axes, _select(cells, {stage: (stage, ALL) for stage in STAGES}), line="none")
    axes.set_ylim(0, 100)
    return figure


def plot_months(cells: pd.DataFrame) -> Figure:
    """Plot the stages of the funnel by month of the match."""
    figure, axes = make_axes("Month by month", "month of the match", "matches of which it is known (%)", width=7.5)
    monthly = cells[cells["month"].notna()]
    for number, stage in enumerate(STAGES):
        rows = monthly[monthly["measure"] == stage].sort_values("month")
        if len(rows):
            names = rows["month"].dt.strftime("%Y-%m")
            axes.plot(names, 100 * rows["value"], color=COLOURS[number], marker=MARKERS[number], label=_label(stage))
    if len(axes.lines):
        _add_legend_outside(axes)
    else:
        _say_nothing(axes)
    axes.set_ylim(0, 100)
    return figure


def plot_first_answer(cells: pd.DataFrame) -> Figure:
    """Plot the share of openers that are answered within hours (Kaplan-Meier)."""
    figure, axes = make_axes("How soon an opener is answered", "hours after the opener", "answered so far (%)")
    _plot_cells(axes, _select(cells, {str(hours): ("answered_within", f"{hours} h") for hours in ANSWER_HOURS}))
    return figure


def plot_going_on(cells: pd.DataFrame) -> Figure:
    """Plot the chance that a conversation goes on after each message."""
    figure, axes = make_axes("Does it go on?", "message", "goes on after it (%)", width=7.5)
    names = {str(number): ("goes_on", f"message {number}") for number in range(1, MOST_MESSAGES + 1)}
    _plot_cells(axes, _select(cells, names))
    return figure


def plot_deciles(cells: pd.DataFrame) -> Figure:
    """Plot how far conversations go by decile of p_match."""
    title = "How far conversations go, by p_match"
    figure, axes = make_axes(title, "tenth of the matches by p_match, lowest first", "matches (%)", width=7.5)
    for number, depth in enumerate(DEPTHS):
        names = {str(each): (depth, f"decile {each:02}") for each in range(1, DECILES + 1)}
        _plot_cells(axes, _select(cells, names), number, _label(depth))
    if axes.get_legend_handles_labels()[0]:
        _add_legend_outside(axes)
    return figure


def _select(cells: pd.DataFrame, names: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Select the cells of all months with these measures and cells, named by the keys; missing ones are left out."""
    whole = cells[cells["month"].isna()].set_index(["measure", "cell"])
    found = {name: whole.loc[key] for name, key in names.items() if key in whole.index}
    return pd.DataFrame.from_dict(found, orient="index", columns=list(whole.columns))


def _plot_cells(
    axes: Axes, cells: pd.DataFrame, number: int = 0, label: str | None = None, line: Literal["-", "none"] = "-"
) -> None:
    if not len(cells):
        _say_nothing(axes)
        return
    value, low, high = (100 * cells[name].to_numpy(float) for name in ("value", "low", "high"))
    names: Sequence[str] = [_label(name) for name in cells.index]
    errors = [value - low, high - value]
    colour, marker = COLOURS[number], MARKERS[number]
    axes.errorbar(names, value, errors, capsize=3, label=label, color=colour, marker=marker, linestyle=line)


def _add_legend_outside(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=9.5, loc="center left", bbox_to_anchor=(1, 0.5))


def _say_nothing(axes: Axes) -> None:
    if not axes.texts:
        axes.text(0.5, 0.5, NOTHING, transform=axes.transAxes, ha="center", color=GREY)


def _label(name: str) -> str:
    return name.replace("_", " ")
