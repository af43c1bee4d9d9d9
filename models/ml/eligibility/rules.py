"""Eligibility of pairs of users, and pools of users in which blocks of eligible pairs are found fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from models.db.schema.profile_limits import MAX_AGE, MIN_AGE
from models.ml.arrays import BoolArray, Float64Array, Int64Array, UInt8Array
from models.ml.eligibility.compiled_rule import find_broken_rules, match_limits, match_preferences
from models.ml.profiles.geography import compute_squared_chords, convert_to_unit_vectors

# Smaller blocks make slower matrix products; viewers of larger blocks have fewer candidates in common.
VIEWERS_PER_BATCH = 128


@dataclass(frozen=True)
class EligibilityRules:
    """What the eligibility rule needs to know of n users, by position."""

    gender: Int64Array
    """Codes of the genders, (n,)."""
    seeks: BoolArray
    """Whether a user seeks each gender, (n, genders)."""
    age: Float64Array
    age_min: Float64Array
    age_max: Float64Array
    place: Float64Array
    """Latitude and longitude in degrees, (n, 2); NaN where unknown."""
    max_distance_km: Float64Array
    """Infinity for no limit."""
    paused: BoolArray

    @cached_property
    def limits(self) -> Float64Array:
        """Age, youngest and oldest age sought, a point on the unit sphere and the largest squared chord, (n, 7)."""
        reach = compute_squared_chords(self.max_distance_km)
        points = convert_to_unit_vectors(self.place)
        return np.column_stack([self.age, self.age_min, self.age_max, points, reach])

    def find_broken(self, viewer: Int64Array, candidate: Int64Array) -> UInt8Array:
        """Find the rules that each of k pairs of positions breaks, as bits of `compiled_rule`, uint8 (k,)."""
        return find_broken_rules(self.gender, self.seeks, self.paused, self.limits, viewer, candidate)

    def match_preferences(self, viewers: Int64Array) -> BoolArray:
        """Find the users who have what each viewer asks for, bool (viewers, n).

        What these users ask for themselves does not count. Two users are eligible for each other if each has what the
        other asks for. Paused users ask for nobody, and nobody asks for them.
        """
        return match_preferences(self.gender, self.seeks, self.paused, self.limits, viewers)


@dataclass(frozen=True)
class ViewerGroup:
    """Viewers of one kind: they have the same gender and seek the same genders."""

    rows: Int64Array
    """Their indices in `CandidatePools.order`, (v,)."""
    fitting: Int64Array
    """The kinds that they seek and that seek them."""


@dataclass(frozen=True)
class CandidateBlock:
    """A group of viewers, and which of the others they may see."""

    viewers: Int64Array
    """Positions, (v,)."""
    runs: list[slice]
    """Ranges of `CandidatePools.order` that hold the others."""
    others: Int64Array
    """Positions of the others, (o,)."""
    pairs: BoolArray
    """Which pairs are eligible, (v, o)."""


@dataclass(frozen=True)
class CandidatePools:
    """All n users, ordered by kind (gender and genders sought), then by age."""

    rules: EligibilityRules
    order: Int64Array
    """Positions of the users who are not paused, (m,)."""
    kinds: Int64Array
    """Gender code, and whether each gender is sought, (kinds, 1 + genders)."""
    start: Int64Array
    """Where each kind starts in `order`, (kinds + 1,)."""
    limits: Float64Array
    """`EligibilityRules.limits` in this order, transposed, (7, m)."""

    def iterate_groups(self, viewers: Int64Array) -> Iterator[ViewerGroup]:
        """Yield the viewers who are not paused in groups of one kind, who seek similar ages."""
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
        """Build the block of a group with all users of an age that any viewer of the group seeks."""
        _, youngest, oldest, *_ = self.limits[:, group.rows]
        runs = []
        for kind in group.fitting:
            start, end = self.start[kind : kind + 2]
            first = start + np.searchsorted(self.limits[0, start:end], youngest.min())
            runs.append(slice(first, start + np.searchsorted(self.limits[0, start:end], oldest.max(), side="right")))
        others = np.concatenate([np.empty(0, np.int64), *(self.order[run] for run in runs)])
        limits = np.hstack([np.empty((len(self.limits), 0)), *(self.limits[:, run] for run in runs)])
        pairs = match_limits(np.ascontiguousarray(self.limits[:, group.rows].T), limits)
        viewers = self.order[group.rows]
        pairs &= viewers[:, None] != others
        return CandidateBlock(viewers, runs, others, pairs)


def build_rules(profiles: pd.DataFrame) -> EligibilityRules:
    """Build the rules of a profiles frame (see models.ml.profiles.frame_contracts)."""
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
        paused=profiles["paused"].to_numpy(bool, copy=True),
    )


def build_pools(rules: EligibilityRules) -> CandidatePools:
    """Build the pools of all users."""
    kinds, kind = np.unique(np.column_stack([rules.gender, rules.seeks]), axis=0, return_inverse=True)
    order = np.lexsort((rules.age, kind))
    order = order[~rules.paused[order]]
    start = np.searchsorted(kind[order], np.arange(len(kinds) + 1))
    return CandidatePools(rules, order, kinds, start, np.ascontiguousarray(rules.limits[order].T))


def find_eligible(rules: EligibilityRules, viewers: Int64Array) -> BoolArray:
    """Find the users who are eligible for each viewer, bool (viewers, n)."""
    row_of = np.empty(len(rules.age), np.int64)
    row_of[viewers] = np.arange(len(viewers))
    matrix = np.zeros((len(viewers), len(rules.age)), bool)
    pools = build_pools(rules)
    for block in map(pools.build_block, pools.iterate_groups(viewers)):
        matrix[np.ix_(row_of[block.viewers], block.others)] = block.pairs
    return matrix
