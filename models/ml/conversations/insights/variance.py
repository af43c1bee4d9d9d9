"""How much of whether a conversation goes on lies with the two people, and how much with the pair."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.conversations.insights.cells import MIN_PEOPLE, Cell
from models.ml.conversations.insights.funnel import read_stage
from models.ml.conversations.insights.intervals import Z, number_people
from models.ml.validation.crossed_random_effects import build_design, estimate_components

GOES_ON = "reached_5"
GROUPS = 20


def measure_variance(pairs: pd.DataFrame) -> list[Cell]:
    """Measure the shares of the variance of GOES_ON that are the people's and the pair's.

    What is left to the pair includes the luck of a yes or no, which one conversation of a pair cannot be told from. So
    the share of the people is a lower bound of what they bring. The intervals leave out one in GROUPS of the people at
    a time; both cells are missing if the conversations do not identify the shares.

    Args:
        pairs: Facts and labels of old matches (see `town_insights.join_old_matches`).
    """
    values = read_stage(pairs, GOES_ON)
    known = ~np.isnan(values)
    values, person = values[known], number_people(pairs[known])
    people = len(np.unique(person))
    share = estimate_people_share(values, person)
    if people < MIN_PEOPLE or np.isnan(share):
        return []
    half = Z * estimate_jackknife_error(values, person)
    if np.isnan(half):
        return []
    rows = {"people": share, "pair": 1 - share}
    return [Cell(None, "variance", name, at, at - half, at + half, people) for name, at in rows.items()]


def estimate_people_share(values: Float64Array, person: Int64Array) -> float:
    """Estimate the share of the variance that is due to the two people; NaN if it cannot be told.

    Each conversation counts once for either person as the first one. Then a person's effect is the same in both
    places, and the split is that of crossed random effects, whichever of the two was person_a. The estimate is
    unbiased, so a share of 0 may be estimated below 0.

    Args:
        values: A value of each conversation, float64 (n,).
        person: Both people of each, int64 (n, 2); a pair occurs once.
    """
    if not len(values):
        return float("nan")
    first, second = np.concatenate([person, person[:, ::-1]]).T
    twice, together = np.tile(values, 2), np.zeros(2 * len(values), np.int64)
    one, other, rest = estimate_components(build_design(first, second, together), twice, twice)[0]
    total = one + other + rest
    return float((one + other) / total) if total > 0 else float("nan")


def estimate_jackknife_error(values: Float64Array, person: Int64Array) -> float:
    """Estimate the standard error of the people's share: the jackknife that deletes groups of people (Shao & Wu 1989).

    A conversation is left out with either of its people, so a group takes away up to two of GROUPS of them, and the
    error is rather too large.
    """
    group = person % GROUPS
    without = [(group != each).all(axis=1) for each in range(GROUPS)]
    shares = np.array([estimate_people_share(values[rows], person[rows]) for rows in without])
    return float(np.sqrt((GROUPS - 1) * shares.var()))
