"""Who decided on whom: everybody looks at some of those eligible for them, more often at the appealing, and likes or
passes by a random utility (McFadden 1974). In arrays, so that it takes seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np
from numpy.random import Generator
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from pipelines.loaders.records import Interaction, Person
from tests.bench.scale.crowd import Crowd, crowd
from tests.bench.scale.people import SEED, TODAY

DAYS = 30
PER_PERSON = 20.0  # people looked at in DAYS, on average, and looked back at with a chance of
LOOKED_BACK = 0.2
DRAWN = 192  # people drawn for a viewer, of whom those eligible are looked at
AT_ONCE = 2_000  # viewers
TILT = 0.8  # how much more often the appealing are seen


@dataclass(frozen=True)
class Decisions:
    """n decisions: positions of actor and target (n,), liked (n,), day (n,) from 0; from DAYS on the day to come."""

    actor: Int64Array
    target: Int64Array
    liked: BoolArray
    day: Float64Array

    def part(self, rows: BoolArray) -> "Decisions":
        """Some of them."""
        return Decisions(self.actor[rows], self.target[rows], self.liked[rows], self.day[rows])


def decisions(people: Sequence[Person], joining: int) -> Decisions:
    """What everybody decided in DAYS and on the day to come, nobody twice on one; the last `joining` only on that."""
    random = np.random.default_rng([SEED, len(people), 1])
    everybody = crowd(people, random)
    looks = random.poisson(PER_PERSON * (DAYS + 1) / DAYS, len(people))
    pairs = [
        _looked_at(everybody, viewers, pool, looks, random)
        for kind, pool in _pools(everybody.wishes).items()
        for viewers in _batches(np.flatnonzero([wishes == kind for wishes in everybody.wishes]))
    ]
    seen, saw = np.concatenate(pairs, axis=1)[::-1]
    back = random.random(len(seen)) < LOOKED_BACK
    either = np.concatenate([saw, seen[back]]) * len(people) + np.concatenate([seen, saw[back]])
    actor, target = np.divmod(np.unique(either), len(people))
    liked = random.random(len(actor)) < expit(everybody.utility(actor, target, random))
    day = random.uniform(0, DAYS + 1, len(actor))
    known = (np.maximum(actor, target) < len(people) - joining) | (day >= DAYS)
    return Decisions(actor, target, liked, day).part(known)


def interactions(people: Sequence[Person], made: Decisions) -> Iterator[Interaction]:
    """The rows of the decisions; the day to come ended at midnight."""
    keys, start = [each.source_key for each in people], datetime.combine(TODAY, time(), UTC) - timedelta(DAYS + 1)
    columns = made.actor, made.target, made.liked, np.floor(made.day * 86_400)
    for actor, target, liked, second in zip(*(column.tolist() for column in columns), strict=True):
        at = start + timedelta(seconds=second)
        yield Interaction(keys[actor], keys[target], "like" if liked else "pass", at)


def _pools(wishes: Sequence[tuple[str, tuple[str, ...]]]) -> dict[tuple[str, tuple[str, ...]], Int64Array]:
    """For each gender and the genders it looks for: who is looked for and looks for it."""
    return {
        (gender, seeks): np.flatnonzero([theirs in seeks and gender in sought for theirs, sought in wishes])
        for gender, seeks in sorted(set(wishes))
    }


def _batches(viewers: Int64Array) -> list[Int64Array]:
    return [viewers[start : start + AT_ONCE] for start in range(0, len(viewers), AT_ONCE)]


def _looked_at(
    everybody: Crowd, viewers: Int64Array, pool: Int64Array, looks: Int64Array, random: Generator
) -> Int64Array:
    """Pairs (2, k) of viewer and target: of those drawn the first eligible ones, as many as are looked at."""
    if not len(pool):
        return np.empty((2, 0), np.int64)
    weight = np.cumsum(np.exp(TILT * everybody.appeal[pool]))
    drawn = pool[np.searchsorted(weight, random.uniform(0, weight[-1], (len(viewers), DRAWN)))]
    fits = everybody.eligible(np.repeat(viewers, DRAWN), drawn.ravel()).reshape(drawn.shape)
    fits &= np.cumsum(fits, axis=1) <= looks[viewers, None]
    row, column = np.nonzero(fits)
    return np.stack([viewers[row], drawn[row, column]])
