"""Figures and tables as the Dagster UI shows them."""

import numpy as np
import pandas as pd

from pipelines.reports.plots import MAX_TABLE_ROWS, round_figures, show_table


def test_figures_have_the_digits_that_people_read() -> None:
    read = {
        12345: 12345,
        0.618499: 0.6185,
        -0.03468: -0.0347,
        0.0: 0.0,
        43.92154: 43.92,
        12927.9238: 12927.9,
    }
    for figure, shown in read.items():
        assert round_figures({"it": figure}) == {"it": shown}


def test_a_table_opens_in_a_window_and_leaves_empty_what_is_not_there() -> None:
    frame = pd.DataFrame({"method": ["ranker", "random"], "AUC": [0.71249, 0.5], "log loss": [1234.5, np.nan]})
    shown = str(show_table(frame, ("", ".3f", ",.1f")).value)
    assert len(shown) >= MAX_TABLE_ROWS
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.strip().splitlines()]
    assert rows[0] == ["method", "AUC", "log loss"]
    assert rows[2:] == [["ranker", "0.712", "1,234.5"], ["random", "0.500", ""]]


def test_a_table_without_rows_has_its_heads() -> None:
    shown = str(
        show_table(pd.DataFrame({"of": pd.Series(dtype=object), "stability index": pd.Series(dtype=float)})).value
    )
    assert shown.strip().splitlines()[0].split() == ["|", "of", "|", "stability", "index", "|"]
