"""Who may be shown to whom: the hard two-way rules, in blocks of those whose genders and ages fit.

The database's `matching.is_eligible` is the same rule; a test holds them equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from models.db.schema.profile_limits import MAX_AGE, MIN_AGE
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.profiles.geography import compute_squared_chords, convert_to_unit_vectors

# Fewer make slower matrix products, more have fewer candidates in common.
VIEWERS_PER_BATCH = 128


@dataclass(frozen=True)
class EligibilityRules:
    """What eligibility asks of n people, by position."""

    gender: Int64Array
    """The number of their gender, (n,)."""
    seeks: BoolArray
    """Whether they look for each gender, (n, genders)."""
    age: Float64Array
    age_min: Float64Array
    age_max: Float64Array
    place: Float64Array
    """Latitude and longitude in degrees, (n, 2); NaN where unknown."""
    max_distance_km: Float64Array
    """Infinite where there is no limit."""
    paused: BoolArray


@dataclass(frozen=True)
class ViewerGroup:
    """Some viewers of one kind, who are of one gender and look for the same ones."""

    rows: Int64Array
    """Where in the order of `CandidatePools` they stand, (v,)."""
    fitting: Int64Array
    """The kinds that they look for and that look for them."""


@dataclass(frozen=True)
class CandidateBlock:
    """A group, and those whom they may see."""

    viewers: Int64Array
    """Positions, (v,)."""
    runs: list[slice]
    """Where in the order of `CandidatePools` the others stand."""
    others: Int64Array
    """Positions of the others, (o,)."""
    pairs: BoolArray
    """Who may see whom, (v, o)."""


@dataclass(frozen=True)
class CandidatePools:
    """All n people in an order in which those of one gender who look for the same ones stand together, by age."""

    rules: EligibilityRules
    order: Int64Array
    """Positions, (people who are not paused,)."""
    kinds: Int64Array
    """Gender, and whether each gender is looked for, (kinds, 1 + genders)."""
    start: Int64Array
    """Where each kind starts in the order, (kinds + 1,)."""
    limits: Float64Array
    """In this order age, youngest and oldest wanted, three coordinates on the globe and the longest squared chord."""

    def iterate_groups(self, viewers: Int64Array) -> Iterator[ViewerGroup]:
        """All viewers who are not paused, some at a time: of one kind, who look for much the same ages."""
        row_of = np.full(len(self.rules.age), -1)
        row_of[self.order] = np.arange(len(self.order))
        rows = np.sort(row_of[viewers])
        for kind, (first, last) in enumerate(pairwise(np.searchsorted(rows, self.start).tolist())):
            _, age_min, age_max, *_ = self.limits[:, rows[first:last]]
            alike = rows[first:last][np.lexsort((age_max, age_min))]
            fitting = self._find_fitting_kinds(kind)
            for at in range(0, len(alike), VIEWERS_PER_BATCH):
                yield ViewerGroup(alike[at : at + VIEWERS_PER_BATCH], fitting)

    def _find_fitting_kinds(self, kind: int) -> Int64Array:
        gender, seeks = self.kinds[kind, 0], self.kinds[kind, 1:]
        return np.flatnonzero(seeks[self.kinds[:, 0]] & self.kinds[:, 1 + gender])

    def build_block(self, group: ViewerGroup) -> CandidateBlock:
        """The group with everybody of an age that some of them look for."""
        _, youngest, oldest, *_ = self.limits[:, group.rows]
        runs = []
        for kind in group.fitting:
            start, end = self.start[kind : kind + 2]
            first = start + np.searchsorted(self.limits[0, start:end], youngest.min())
            runs.append(slice(first, start + np.searchsorted(self.limits[0, start:end], oldest.max(), side="right")))
        others = np.concatenate([np.empty(0, np.int64), *(self.order[run] for run in runs)])
        limits = np.hstack([np.empty((len(self.limits), 0)), *(self.limits[:, run] for run in runs)])
        pairs = _match_ages_and_distances(np.ascontiguousarray(self.limits[:, group.rows].T), limits)
        viewers = self.order[group.rows]
        pairs &= viewers[:, None] != others
        return CandidateBlock(viewers, runs, others, pairs)


def build_rules(profiles: pd.DataFrame) -> EligibilityRules:
    """The rules of a profiles frame (see models.ml.profiles.frame_contracts)."""
    gender, genders = pd.factorize(profiles["gender"])

    def fill_missing(name: str, unknown: float) -> Float64Array:
        return pd.to_numeric(profiles[name]).fillna(unknown).to_numpy(np.float64)

    return EligibilityRules(
        gender=gender,
        seeks=np.array([[each in cell for each in genders] for cell in profiles["seeks"]], bool).reshape(
            len(gender), -1
        ),
        age=profiles["age"].to_numpy(np.float64),
        age_min=np.maximum(fill_missing("age_min", MIN_AGE), MIN_AGE),
        age_max=np.minimum(fill_missing("age_max", MAX_AGE), MAX_AGE),
        place=profiles[["latitude", "longitude"]].to_numpy(dtype=np.float64, na_value=np.nan),
        max_distance_km=fill_missing("max_distance_km", np.inf),
        paused=profiles["paused"].to_numpy(bool),
    )


def build_pools(rules: EligibilityRules) -> CandidatePools:
    """The pools of a town, for any viewers of it."""
    kinds, kind = np.unique(np.column_stack([rules.gender, rules.seeks]), axis=0, return_inverse=True)
    order = np.lexsort((rules.age, kind))
    order = order[~rules.paused[order]]
    reach = compute_squared_chords(rules.max_distance_km)
    limits = np.vstack([rules.age, rules.age_min, rules.age_max, convert_to_unit_vectors(rules.place).T, reach])
    start = np.searchsorted(kind[order], np.arange(len(kinds) + 1))
    return CandidatePools(rules, order, kinds, start, limits[:, order])


def find_eligible(rules: EligibilityRules, viewers: Int64Array) -> BoolArray:
    """Which of all n people are eligible for each viewer, and the viewer for them: bool (viewers, n)."""
    row_of = np.empty(len(rules.age), np.int64)
    row_of[viewers] = np.arange(len(viewers))
    matrix = np.zeros((len(viewers), len(rules.age)), bool)
    town = build_pools(rules)
    for block in map(town.build_block, town.iterate_groups(viewers)):
        matrix[np.ix_(row_of[block.viewers], block.others)] = block.pairs
    return matrix


@jit
def _match_ages_and_distances(viewers: Float64Array, others: Float64Array) -> BoolArray:
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
