"""The style of pictures: series that differ to every eye, and axes that say what they are."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pipelines.reports.plot_style import BLUE, COLOURS, MARKERS, add_legend, make_axes, make_panels

# Severe colour blindness in linear RGB (Machado, Oliveira & Fernandes 2009).
SEEN_AS = {
    "as it is": np.eye(3),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.052]]),
    "deuteranopia": np.array([[0.3673, 0.8606, -0.228], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "tritanopia": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


def linear(rgb: np.ndarray) -> np.ndarray:
    """The light behind an sRGB colour (IEC 61966-2-1)."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("vision", SEEN_AS)
def test_series_differ_to_every_eye(vision: str) -> None:
    """In colour, by a tenth of a channel and more, and in the form of their marks."""
    seen = [SEEN_AS[vision] @ linear(np.array(to_rgb(colour))) for colour in COLOURS]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 0.1
    assert len(set(MARKERS)) == len(COLOURS)


def test_a_picture_says_what_is_on_its_axes() -> None:
    figure, chart = make_axes("Title", "years", "people")
    assert (chart.get_title(loc="left"), chart.get_xlabel(), chart.get_ylabel()) == ("Title", "years", "people")
    (line,) = chart.plot([1, 2], [3, 4], label="women")
    assert line.get_color() == BLUE
    add_legend(chart, "who")
    shown = chart.get_legend()
    assert shown is not None
    assert [each.get_text() for each in shown.get_texts()] == ["women"]
    assert figure.dpi == 110


def test_panels_share_their_scales() -> None:
    _, (one, other) = make_panels(["A", "B"], "x", "y")
    one.plot([0, 5], [0, 50])
    assert other.get_ylim() == one.get_ylim()
    assert (one.get_ylabel(), other.get_ylabel(), other.get_xlabel()) == ("y", "", "x")
