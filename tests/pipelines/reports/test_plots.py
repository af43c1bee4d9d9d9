"""Plots and tables as Dagster shows them."""

import numpy as np
import pandas as pd

from pipelines.reports.plot_style import make_panels
from pipelines.reports.plots import MAX_TABLE_ROWS, round_figures, show_table


def test_panels_share_their_scales() -> None:
    _, (one, other) = make_panels(["A", "B"], "x", "y")
    one.plot([0, 5], [0, 50])
    assert other.get_ylim() == one.get_ylim()


def test_figures_are_rounded_by_their_size() -> None:
    shown = {12345: 12345, 0.618499: 0.6185, -0.03468: -0.0347, 0.0: 0.0, 43.92154: 43.92, 12927.9238: 12927.9}
    for figure, rounded in shown.items():
        assert round_figures({"it": figure}) == {"it": rounded}


def test_a_table_is_long_enough_for_a_window_and_leaves_gaps_empty() -> None:
    frame = pd.DataFrame({"method": ["ranker", "random"], "AUC": [0.71249, 0.5], "log loss": [1234.5, np.nan]})
    for table, cells in (
        (frame, [["ranker", "0.712", "1,234.5"], ["random", "0.500", ""]]),
        (frame.head(0), []),
    ):
        shown = str(show_table(table, ("", ".3f", ",.1f")).value)
        assert len(shown) >= MAX_TABLE_ROWS
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in shown.strip().splitlines())
        assert head == ["method", "AUC", "log loss"]
        assert rows == cells
