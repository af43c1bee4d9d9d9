"""Pictures in the metadata of assets."""

import base64
from io import BytesIO

import dagster as dg
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Okabe and Ito's colours (2008), told apart by colour-blind people too.
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#999999"


def picture(figure: Figure) -> dg.MetadataValue:
    """A figure as metadata that the Dagster UI shows in place."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
    encoded = base64.b64encode(file.getvalue()).decode()
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{encoded})")


def _axes(title: str, x: str, y: str, width: float = 6.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, 3.6))
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def policies(compared: pd.DataFrame, chosen: str) -> Figure:
    """Expected matches of each policy, best at the top, the chosen one marked."""
    ordered = compared.sort_values("expected_matches")
    title = f"What each policy would bring; chosen: {_named(chosen)}"
    figure, axes = _axes(title, "expected distinct matches", "", width=7)
    colours = [ORANGE if name == chosen else BLUE for name in ordered["policy"]]
    bars = axes.barh(ordered["policy"].map(_named), ordered["expected_matches"], color=colours)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.margins(x=0.12)
    return figure


def exposure(without: NDArray[np.float64], chosen: NDArray[np.float64], name: str) -> Figure:
    """Lorenz curves (1905) of expected views: by product alone, and by the chosen policy."""
    figure, axes = _axes("Who gets seen", "share of people, least seen first", "share of all views")
    for views, label, colour in ((without, "product", BLUE), (chosen, _named(name), ORANGE)):
        total = np.concatenate([[0.0], np.cumsum(np.sort(views))])
        axes.plot(np.linspace(0, 1, len(total)), total / max(total[-1], 1e-12), label=label, color=colour)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="all alike")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    return figure


def _named(policy: str) -> str:
    return policy.replace("_", " ")
