"""The style of all plots in metadata and notebooks: few lines, large type, colours for colour-blind readers."""

from collections.abc import Sequence
from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours (2008), which colour-blind people can distinguish; their yellow is too faint for lines.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY, BLACK = "#999999", "#000000"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION)
# Series also differ in their markers, so that colour is never the only cue.
MARKERS = ("o", "s", "^", "D", "v", "P")
# A diverging map from purple to orange, which remain distinct with every kind of colour blindness.
DIVERGING = "PuOr_r"

STYLE: dict[Any, Any] = {  # matplotlib's own type enumerates all its settings
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 11,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titlepad": 10,
    "figure.dpi": 110,
    "font.size": 10.5,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.8,
}


def make_axes(title: str, x: str, y: str, *, width: float = 6.5, height: float = 3.8) -> tuple[Figure, Axes]:
    """Create a figure with one plot.

    Args:
        title: Title of the plot.
        x: Label of the x axis, with the unit.
        y: Label of the y axis, with the unit.
        width: Inches.
        height: Inches.
    """
    figure, (only,) = make_panels([title], x, y, width=width, height=height)
    return figure, only


def make_panels(
    titles: Sequence[str], x: str, y: str, *, width: float = 6.5, height: float = 3.8
) -> tuple[Figure, list[Axes]]:
    """Create a figure with plots side by side on the same scales, one per title.

    Args:
        titles: Titles of the plots.
        x: Label of the x axes, with the unit.
        y: Label of the first y axis, with the unit.
        width: Inches, of the whole figure.
        height: Inches, of the whole figure.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        row = figure.subplots(1, len(titles), sharex=True, sharey=True, squeeze=False)[0]
        for each, title in zip(row, titles, strict=True):
            each.set(title=title, xlabel=x)
    row[0].set_ylabel(y)
    return figure, list(row)


def add_legend(axes: Axes, title: str | None = None) -> None:
    """Add a legend without a frame, where it hides least."""
    axes.legend(title=title, frameon=False, fontsize=9.5)
