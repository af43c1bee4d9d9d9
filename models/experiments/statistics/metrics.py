"""The metrics of experiments, from a frame with a row for each user and night."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.experiments.statistics.cuped import fill_unknown
from models.experiments.statistics.panel import Panel
from models.ml.arrays import Float64Array, Int64Array
from models.ml.market.outcomes.inequality import compute_gini

MIN_PEOPLE = 20
"""No figure of a report is of fewer users."""


@dataclass(frozen=True)
class Metric:
    """A ratio of two sums over users and nights.

    Attributes:
        label: What a reader reads.
        numerator: Column of what is counted.
        denominator: Column of what it is counted over.
        more_is_better: Whether more is better.
        two_sided: Whether it comes from matches, which the lists of both users have a part in.
        uneven: Whether it is the Gini coefficient of `numerator` among the users of a unit, weighted by `denominator`.
            A unit is then a region or a night.
    """

    label: str
    numerator: str
    denominator: str = "people"
    more_is_better: bool = True
    two_sided: bool = False
    uneven: bool = False


METRICS: Mapping[str, Metric] = {
    "matches": Metric("matches per user and night", "matches", two_sided=True),
    "likes": Metric("likes given per user and night", "likes"),
    "people_matched": Metric("users with a match that night", "matched", two_sided=True),
    "conversations": Metric("conversations that go on, per user and night", "conversations", two_sided=True),
    "views_gini": Metric("Gini of views", "views", more_is_better=False, uneven=True),
    "newcomer_matches": Metric("matches per newcomer and night", "newcomer_matches", "newcomers", two_sided=True),
    "short_lists": Metric("users with fewer than 12 candidates", "short_lists", "lists", more_is_better=False),
    "blocks_and_reports": Metric("blocks and reports per user and night", "complaints", more_is_better=False),
    "opened": Metric("users who looked at a card that night", "opened"),
}
COUNTED = (
    *("people", "matches", "mixed_matches", "likes", "matched", "conversations", "views", "newcomers"),
    *("newcomer_matches", "short_lists", "lists", "complaints", "opened", "looks", "own_looks"),
)
"""The columns of counts in the frame of person-nights, float64."""


def get_metric(name: str) -> Metric:
    """Return a metric by name.

    Raises:
        InputError: There is none of this name.
    """
    if name not in METRICS:
        raise InputError(f"{name!r} is no metric of experiments: use {', '.join(METRICS)}")
    return METRICS[name]


def build_panel(rows: pd.DataFrame, metric: Metric, nights: int, before: "pd.Series[float]") -> Panel:
    """Build the panel of a metric, with the units in order of their keys.

    Args:
        rows: A row for each user and night: `night` from 0, `unit_key`, `arm` as a number, and COUNTED. A unit has one
            arm.
        metric: The metric.
        nights: The number of nights.
        before: The metric a week before the experiment, by unit key; units that it lacks are as all others.
    """
    unit, keys = pd.factorize(rows["unit_key"], sort=True)
    arm = np.zeros(len(keys), np.int64)
    arm[unit] = rows["arm"].to_numpy(np.int64)
    cell = rows["night"].to_numpy(np.int64) * len(keys) + unit
    shape = (nights, len(keys))
    denominator = _sum_cells(rows[metric.denominator].to_numpy(np.float64), cell, shape)
    counted = rows[metric.numerator].to_numpy(np.float64)
    numerator = (
        _compute_ginis(counted, cell, shape) * denominator if metric.uneven else _sum_cells(counted, cell, shape)
    )
    past = fill_unknown(np.array(before.reindex(keys), np.float64), denominator.sum(axis=0))
    return Panel(arm, numerator, denominator, past * denominator)


def measure_units(rows: pd.DataFrame, metric: Metric) -> "pd.Series[float]":
    """Measure a metric of each unit over all nights, by unit key; units without a denominator are missing."""
    keyed = rows.assign(night=pd.factorize(rows["night"], sort=True)[0], arm=0)
    panel = build_panel(keyed, metric, keyed["night"].nunique(), pd.Series(dtype=np.float64))
    sums, keys = panel.denominator.sum(axis=0), np.sort(rows["unit_key"].unique())
    ratio = np.divide(panel.numerator.sum(axis=0), sums, out=np.full(len(keys), np.nan), where=sums > 0)
    return pd.Series(ratio, pd.Index(keys)).dropna()


def _sum_cells(values: Float64Array, cell: Int64Array, shape: tuple[int, int]) -> Float64Array:
    return np.asarray(np.bincount(cell, values, shape[0] * shape[1]), np.float64).reshape(shape)


def _compute_ginis(amounts: Float64Array, cell: Int64Array, shape: tuple[int, int]) -> Float64Array:
    """Compute the Gini coefficient within each cell, 0 in those without users."""
    found = np.zeros(shape[0] * shape[1])
    order = np.argsort(cell, kind="stable")
    numbers, starts = np.unique(cell[order], return_index=True)
    for number, values in zip(numbers, np.split(amounts[order], starts[1:]), strict=True):
        found[number] = compute_gini(values)
    return found.reshape(shape)
