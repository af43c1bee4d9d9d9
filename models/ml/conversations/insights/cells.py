"""Cells: a figure over conversations of at least MIN_PEOPLE distinct people, with its interval, or none at all."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.arrays import Float64Array, Int64Array
from models.ml.conversations.insights.intervals import estimate_share, number_people

MIN_PEOPLE = 20
"""A cell of fewer distinct people does not exist."""
ALL = "all"
"""The cell of all conversations of a month, or of all months."""
CELL_TYPES: Mapping[str, str] = {
    "month": "datetime64[us]",
    "measure": "str",
    "cell": "str",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "people": "int64",
}
"""The frame of cells."""


class Cell(NamedTuple):
    """One figure of at least MIN_PEOPLE people."""

    month: pd.Timestamp | None
    """First day of the month of the match; None for all months together."""
    measure: str
    cell: str
    """Which of the measure's cells, or ALL."""
    value: float
    low: float
    """End of the 95 % interval."""
    high: float
    people: int


def tabulate_by_month(measure: str, pairs: pd.DataFrame, values: Float64Array) -> list[Cell]:
    """Tabulate the mean of values by month of the match, and over all these months.

    Conversations of months with fewer than MIN_PEOPLE people are in no cell: in the cell of all months, what is left
    after subtracting the other months would be theirs.

    Args:
        measure: Name of the figure.
        pairs: n conversations with the columns person_a, person_b and matched_at.
        values: A value of each conversation from 0 to 1, (n,); NaN: not known, which does not count.
    """
    person, month = number_people(pairs), _find_month(pairs["matched_at"])
    known = ~np.isnan(values)
    groups = {each: np.flatnonzero(known & (month == each)) for each in np.unique(month[known])}
    large = {each: rows for each, rows in groups.items() if len(np.unique(person[rows])) >= MIN_PEOPLE}
    together = np.concatenate([np.zeros(0, np.int64), *large.values()])
    cells = [tabulate_rows(measure, ALL, values[together], person[together])]
    cells += [tabulate_rows(measure, ALL, values[rows], person[rows], each) for each, rows in large.items()]
    return [cell for cell in cells if cell is not None]


def tabulate_by_cell(measure: str, pairs: pd.DataFrame, values: Float64Array, cell: "pd.Series[str]") -> list[Cell]:
    """Tabulate the mean of values by cell, over all months.

    Args:
        measure: Name of the figure.
        pairs: n conversations with the columns person_a and person_b.
        values: A value of each conversation from 0 to 1, (n,); NaN: not known, which does not count.
        cell: The cell of each conversation, (n,); missing: none.
    """
    person, names = number_people(pairs), cell.to_numpy(object)
    known = ~np.isnan(values) & cell.notna().to_numpy()
    groups = {name: np.flatnonzero(known & (names == name)) for name in sorted(set(names[known]))}
    cells = [tabulate_rows(measure, str(name), values[rows], person[rows]) for name, rows in groups.items()]
    return [found for found in cells if found is not None]


def tabulate_rows(
    measure: str, cell: str, values: Float64Array, person: Int64Array, month: np.datetime64 | None = None
) -> Cell | None:
    """Tabulate one cell, the mean of values (n,) of pairs (n, 2); None if they have fewer than MIN_PEOPLE people."""
    people = len(np.unique(person))
    if people < MIN_PEOPLE:
        return None
    share = estimate_share(values, person)
    first_day = None if month is None else pd.Timestamp(month)
    return Cell(first_day, measure, cell, share.value, share.low, share.high, people)


def build_cell_frame(cells: Iterable[Cell]) -> pd.DataFrame:
    """Build the frame of cells, with the types of CELL_TYPES."""
    return pd.DataFrame(list(cells), columns=list(CELL_TYPES)).astype(dict(CELL_TYPES))


def _find_month(moments: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    """Return the first day of the month of each moment in UTC, (n,)."""
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[M]")
