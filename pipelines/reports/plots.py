"""Plots and tables for the metadata of assets and for notebooks."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO

import dagster as dg
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models.ml.arrays import Float64Array
from pipelines.reports.plot_style import BLUE, COLOURS, GREY, MARKERS, ORANGE, add_legend, make_axes

# Dagster shows Markdown with fewer characters in the column of values, truncated at the right.
MAX_TABLE_ROWS = 1000


def draw_figure(figure: Figure) -> bytes:
    """Draw a figure as a PNG."""
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def show_figure(figure: Figure) -> dg.MetadataValue:
    """Return a figure as metadata that the Dagster UI shows inline."""
    return show_png(draw_figure(figure))


def show_png(png: bytes) -> dg.MetadataValue:
    """Return a PNG as metadata that the Dagster UI shows inline."""
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{base64.b64encode(png).decode()})")


def round_figures(figures: Mapping[str, float]) -> dict[str, float]:
    """Round figures for metadata: counts stay, others get four decimals, and large ones fewer."""
    return {name: value if isinstance(value, int) else _round_figure(float(value)) for name, value in figures.items()}


def show_table(frame: pd.DataFrame, floats: str | Sequence[str] = ".3f", *, index: bool = False) -> dg.MetadataValue:
    """Return a frame as metadata that the Dagster UI shows as a table in a dialog.

    Missing values become empty cells.
    """
    cells = frame.astype(object).where(frame.notna(), None)
    return show_markdown(cells.to_markdown(index=index, floatfmt=floats))


def show_markdown(markdown: str) -> dg.MetadataValue:
    """Return Markdown as metadata that the Dagster UI opens in a dialog."""
    return dg.MetadataValue.md(f"{markdown}\n".ljust(MAX_TABLE_ROWS))


def plot_policies(compared: pd.DataFrame, chosen: str) -> Figure:
    """Plot the expected matches of each policy, best at the top, with the chosen one highlighted."""
    ordered = compared.sort_values("expected_matches")
    title = f"What each policy would bring; chosen: {_label_policy(chosen)}"
    figure, bars = make_axes(title, "expected distinct matches", "", width=7)
    colours = [ORANGE if name == chosen else BLUE for name in ordered["policy"]]
    drawn = bars.barh(ordered["policy"].map(_label_policy), ordered["expected_matches"], color=colours)
    bars.bar_label(drawn, fmt="{:,.0f}", padding=3)
    bars.grid(visible=False, axis="y")
    bars.margins(x=0.12)
    return figure


def plot_exposure(views: Mapping[str, Float64Array]) -> Figure:
    """Plot the Lorenz curve (1905) of exposure for each policy.

    Args:
        views: Exposure of each user, float64 (users,), by policy.
    """
    figure, curves = make_axes("Who gets seen", "share of people, least seen first (%)", "share of all views (%)")
    for number, (name, each) in enumerate(views.items()):
        total = np.concatenate([[0.0], np.cumsum(np.sort(each))])
        share, seen = np.linspace(0, 100, len(total)), 100 * total / max(total[-1], 1e-12)
        curves.plot(
            share, seen, label=_label_policy(name), color=COLOURS[number], marker=MARKERS[number], markevery=0.1
        )
    curves.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="all alike")
    curves.set(xlim=(0, 100), ylim=(0, 100))
    add_legend(curves)
    return figure


def _label_policy(policy: str) -> str:
    return policy.replace("_", " ")


def _round_figure(figure: float) -> float:
    return round(figure, 4 if abs(figure) < 1 else 2 if abs(figure) < 100 else 1)
