"""How every picture looks, in metadata and in notebooks: few lines, large type, colours that all can tell apart."""

from collections.abc import Sequence
from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours (2008), told apart by colour-blind people too; their yellow is too faint for lines.
BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY, BLACK = "#999999", "#000000"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION)
# Lines and points of several series differ in form too: colour is never the only sign.
MARKERS = ("o", "s", "^", "D", "v", "P")
# Below 0, none, above 0: purple and orange, of which no kind of colour blindness makes one.
DIVERGING = "PuOr_r"

STYLE: dict[Any, Any] = {  # matplotlib's type for these is a list of all its settings
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
    """A figure of one picture; `x` and `y` say what is on the axes, with the unit. Sizes are in inches."""
    figure, (only,) = make_panels([title], x, y, width=width, height=height)
    return figure, only


def make_panels(
    titles: Sequence[str], x: str, y: str, *, width: float = 6.5, height: float = 3.8
) -> tuple[Figure, list[Axes]]:
    """A figure of pictures side by side on the same scales, one a title. Sizes are in inches, of the whole."""
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        row = figure.subplots(1, len(titles), sharex=True, sharey=True, squeeze=False)[0]
        for each, title in zip(row, titles, strict=True):
            each.set(title=title, xlabel=x)
    row[0].set_ylabel(y)
    return figure, list(row)


def add_legend(axes: Axes, title: str | None = None) -> None:
    """The legend of a picture, without a frame, where it hides least."""
    axes.legend(title=title, frameon=False, fontsize=9.5)
