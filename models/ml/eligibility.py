"""Who may be shown to whom: the hard two-way rules, in blocks of those whose genders and ages fit.

The database's `matching.is_eligible` is the same rule; a test holds them equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.db.profile_limits import OLDEST, YOUNGEST
from models.ml.compiled import compiled
from models.ml.geography import squared_chords, unit_vectors

Matrix = NDArray[np.bool_]
Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
# Fewer make slower matrix products, more have fewer candidates in common.
VIEWERS_AT_ONCE = 128


@dataclass(frozen=True)
class Rules:
    """What eligibility asks of n people, by position."""

    gender: Ints
    """The number of their gender, (n,)."""
    seeks: Matrix
    """Whether they look for each gender, (n, genders)."""
    age: NDArray[np.float64]
    age_min: NDArray[np.float64]
    age_max: NDArray[np.float64]
    place: NDArray[np.float64]
    """Latitude and longitude in degrees, (n, 2); NaN where unknown."""
    max_distance_km: NDArray[np.float64]
    """Infinite where there is no limit."""
    paused: Matrix


@dataclass(frozen=True)
class Group:
    """Some viewers of one kind, who are of one gender and look for the same ones."""

    rows: Ints
    """Where in the order of `Pools` they stand, (v,)."""
    fitting: Ints
    """The kinds that they look for and that look for them."""


@dataclass(frozen=True)
class Block:
    """A group, and those whom they may see."""

    viewers: Ints
    """Positions, (v,)."""
    runs: list[slice]
    """Where in the order of `Pools` the others stand."""
    others: Ints
    """Positions of the others, (o,)."""
    pairs: Matrix
    """Who may see whom, (v, o)."""


@dataclass(frozen=True)
class Pools:
    """All n people in an order in which those of one gender who look for the same ones stand together, by age."""

    rules: Rules
    order: Ints
    """Positions, (people who are not paused,)."""
    kinds: Ints
    """Gender, and whether each gender is looked for, (kinds, 1 + genders)."""
    start: Ints
    """Where each kind starts in the order, (kinds + 1,)."""
    limits: Doubles
    """In this order age, youngest and oldest wanted, three coordinates on the globe and the longest squared chord."""

    def groups(self, viewers: Ints) -> Iterator[Group]:
        """All viewers who are not paused, some at a time: of one kind, who look for much the same ages."""
        row_of = np.full(len(self.rules.age), -1)
        row_of[self.order] = np.arange(len(self.order))
        rows = np.sort(row_of[viewers])
        for kind, (first, last) in enumerate(pairwise(np.searchsorted(rows, self.start).tolist())):
            _, age_min, age_max, *_ = self.limits[:, rows[first:last]]
            alike = rows[first:last][np.lexsort((age_max, age_min))]
            fitting = self._fitting_kinds(kind)
            for at in range(0, len(alike), VIEWERS_AT_ONCE):
                yield Group(alike[at : at + VIEWERS_AT_ONCE], fitting)

    def _fitting_kinds(self, kind: int) -> Ints:
        gender, seeks = self.kinds[kind, 0], self.kinds[kind, 1:]
        return np.flatnonzero(seeks[self.kinds[:, 0]] & self.kinds[:, 1 + gender])

    def block(self, group: Group) -> Block:
        """The group with everybody of an age that some of them look for."""
        _, youngest, oldest, *_ = self.limits[:, group.rows]
        runs = []
        for kind in group.fitting:
            start, end = self.start[kind : kind + 2]
            first = start + np.searchsorted(self.limits[0, start:end], youngest.min())
            runs.append(slice(first, start + np.searchsorted(self.limits[0, start:end], oldest.max(), side="right")))
        others = np.concatenate([np.empty(0, np.int64), *(self.order[run] for run in runs)])
        limits = np.hstack([np.empty((len(self.limits), 0)), *(self.limits[:, run] for run in runs)])
        pairs = _fitting(np.ascontiguousarray(self.limits[:, group.rows].T), limits)
        viewers = self.order[group.rows]
        pairs &= viewers[:, None] != others
        return Block(viewers, runs, others, pairs)


def rules(profiles: pd.DataFrame) -> Rules:
    """The rules of a profiles frame (see models.ml.frames)."""
    gender, genders = pd.factorize(profiles["gender"])

    def number(name: str, unknown: float) -> NDArray[np.float64]:
        return pd.to_numeric(profiles[name]).fillna(unknown).to_numpy(np.float64)

    return Rules(
        gender=gender,
        seeks=np.array([[each in cell for each in genders] for cell in profiles["seeks"]], bool).reshape(
            len(gender), -1
        ),
        age=profiles["age"].to_numpy(np.float64),
        age_min=np.maximum(number("age_min", YOUNGEST), YOUNGEST),
        age_max=np.minimum(number("age_max", OLDEST), OLDEST),
        place=profiles[["latitude", "longitude"]].to_numpy(dtype=np.float64, na_value=np.nan),
        max_distance_km=number("max_distance_km", np.inf),
        paused=profiles["paused"].to_numpy(bool),
    )


def pools(rules: Rules) -> Pools:
    """The pools of a town, for any viewers of it."""
    kinds, kind = np.unique(np.column_stack([rules.gender, rules.seeks]), axis=0, return_inverse=True)
    order = np.lexsort((rules.age, kind))
    order = order[~rules.paused[order]]
    reach = squared_chords(rules.max_distance_km)
    limits = np.vstack([rules.age, rules.age_min, rules.age_max, unit_vectors(rules.place).T, reach])
    start = np.searchsorted(kind[order], np.arange(len(kinds) + 1))
    return Pools(rules, order, kinds, start, limits[:, order])


def eligible(rules: Rules, viewers: Ints) -> Matrix:
    """Which of all n people are eligible for each viewer, and the viewer for them: bool (viewers, n)."""
    row_of = np.empty(len(rules.age), np.int64)
    row_of[viewers] = np.arange(len(viewers))
    matrix = np.zeros((len(viewers), len(rules.age)), bool)
    town = pools(rules)
    for block in map(town.block, town.groups(viewers)):
        matrix[np.ix_(row_of[block.viewers], block.others)] = block.pairs
    return matrix


@compiled
def _fitting(viewers: Doubles, others: Doubles) -> Matrix:
    """Which of two groups are of the age and at the distance that both want, bool (v, o), from (v, 7) and (7, o)."""
    fits = np.empty((len(viewers), others.shape[1]), np.bool_)
    # One by one, as only so the compiler sees that each is contiguous, and compares many at once: three times as fast.
    ages, youngest, oldest = others[0], others[1], others[2]
    east, north, up, reaches = others[3], others[4], others[5], others[6]
    for row in range(len(viewers)):
        age, age_min, age_max, x, y, z, reach = viewers[row]
        for column in range(others.shape[1]):
            apart = (x - east[column]) ** 2 + (y - north[column]) ** 2 + (z - up[column]) ** 2
            # No short cuts, so that many are compared at once. Who does not say where they are is not too far away.
            fits[row, column] = (
                (age_min <= ages[column])
                & (ages[column] <= age_max)
                & (youngest[column] <= age)
                & (age <= oldest[column])
                & (not apart > reach)
                & (not apart > reaches[column])
            )
    return fits
