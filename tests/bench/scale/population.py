"""The users of the benchmark and their decisions.

They are OkCupid's profiles, or a simulated population where the public file is missing. Places, limits and decisions
are drawn. A user sees some of the eligible users, more often the appealing, and likes by a random utility (McFadden
1974).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.special import expit

from models.ml.arrays import Float64Array, Int64Array
from models.ml.eligibility.rules import build_rules
from models.ml.profiles.geography import compute_distance_km
from pipelines.loaders import okcupid
from pipelines.loaders.records import Interaction, Person, compute_age
from pipelines.loaders.simulation.simulated_loader import iterate_people
from pipelines.loaders.simulation.simulated_population import (
    AGE_GAP,
    DISTANCE_LIMITS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    SELECTIVITY,
    _draw_locations,
    _draw_wanted_ages,
    build_population,
)

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "okcupid_profiles_revised.csv.zip"
SEED = 7
TODAY = datetime.now(UTC).date()
DAYS = 30
PER_USER = 20.0  # users seen in DAYS on average, who see the viewer too with this probability:
SEEN_BACK = 0.2
DRAWN = 192  # users drawn for a viewer; of these the eligible are seen
VIEWERS_PER_BATCH = 2_000
TILT = 0.8  # how much more often the appealing are seen
YEARS = 6.0
CHEMISTRY = 1.0  # standard deviation, in log-odds, of what no profile says


def source() -> str:
    """Where the profiles come from."""
    return "OkCupid profiles, places drawn at random" if FILE.exists() else "a simulated population: no OkCupid file"


def population(most: int) -> list[Person]:
    """At most so many users, drawn at random, in one metropolitan area; as old today as the file has them."""
    rng = np.random.default_rng([SEED, most])
    known, then = _read(most)
    chosen = [known[number] for number in rng.permutation(len(known))[:most].tolist()]
    age = np.array([compute_age(person.birth_date, then) for person in chosen], np.int64)
    ideal = age + np.array([AGE_GAP[person.gender] for person in chosen]) * (age / 30) + rng.normal(0, 2, len(age))
    youngest, oldest = _draw_wanted_ages(rng, age, ideal)
    reach = rng.choice(DISTANCE_LIMITS[:, 0], size=len(age), p=DISTANCE_LIMITS[:, 1])
    places = _draw_locations(rng, len(age))
    return [
        replace(
            person,
            birth_date=person.birth_date + (TODAY - then),
            age_min=int(youngest[at]) or None,
            age_max=int(oldest[at]) if oldest[at] < NO_AGE_LIMIT else None,
            latitude=float(places[at, 0]),
            longitude=float(places[at, 1]),
            max_distance_km=float(reach[at]) if math.isfinite(reach[at]) else None,
        )
        for at, person in enumerate(chosen)
    ]


def _read(most: int) -> tuple[Sequence[Person], date]:
    if FILE.exists():
        return _read_okcupid(), okcupid.SNAPSHOT
    return list(iterate_people(build_population(SEED, most))), REFERENCE_TIME.date()


@cache
def _read_okcupid() -> Sequence[Person]:
    return okcupid.read_okcupid(FILE).people


def decide(people: Sequence[Person], joining: int, per_user: float = PER_USER) -> pd.DataFrame:
    """What users decide in DAYS and on the day after, each at most once about another; the last `joining` users only on
    that day.

    Columns: actor and target (positions), liked, day (from 0; from DAYS on the day after).
    """
    rng = np.random.default_rng([SEED, len(people), 1])
    crowd = _Crowd(people, rng)
    sizes = rng.poisson(per_user * (DAYS + 1) / DAYS, len(people))
    pairs = [
        crowd.see(viewers[start : start + VIEWERS_PER_BATCH], sizes, rng)
        for viewers in crowd.kinds
        for start in range(0, len(viewers), VIEWERS_PER_BATCH)
    ]
    viewer, seen = np.concatenate(pairs, axis=1)
    back = rng.random(len(viewer)) < SEEN_BACK
    keys = np.concatenate([viewer, seen[back]]) * len(people) + np.concatenate([seen, viewer[back]])
    actor, target = np.divmod(np.unique(keys), len(people))
    liked = rng.random(len(actor)) < expit(crowd.compute_utility(actor, target, rng))
    day = rng.uniform(0, DAYS + 1, len(actor))
    made = pd.DataFrame({"actor": actor, "target": target, "liked": liked, "day": day})
    return made[(np.maximum(actor, target) < len(people) - joining) | (day >= DAYS)]


def interactions(people: Sequence[Person], made: pd.DataFrame) -> Iterator[Interaction]:
    """The decisions as rows; the day after ended at midnight."""
    start = datetime.combine(TODAY, time(), UTC) - timedelta(DAYS + 1)
    for actor, target, liked, day in made.itertuples(index=False):
        at = start + timedelta(seconds=math.floor(day * 86_400))
        yield Interaction(people[actor].source_key, people[target].source_key, "like" if liked else "pass", at)


class _Crowd:
    """The users as arrays."""

    def __init__(self, people: Sequence[Person], rng: Generator) -> None:
        frame = pd.DataFrame([vars(person) for person in people])
        ages = [compute_age(born, TODAY) for born in frame["birth_date"]]
        self.rules = build_rules(frame.assign(age=ages, paused=False))
        # A column a fact, with 0 where it is unknown.
        facts = pd.DataFrame(frame["facts"].tolist()).sort_index(axis=1)
        self.facts = np.stack([pd.factorize(facts[name], sort=True)[0] + 1 for name in facts], axis=1)
        known = sum((rng.normal(0, 0.1, codes.max() + 1)[codes] for codes in self.facts.T), np.zeros(len(people)))
        self.appeal = known + rng.normal(0, 0.6, len(people))
        self.strictness = frame["gender"].map(SELECTIVITY).to_numpy(np.float64)
        # Users of one gender who seek the same genders.
        self.kinds = [np.asarray(rows) for _, rows in sorted(frame.groupby(["gender", "seeks"]).indices.items())]

    def see(self, viewers: Int64Array, sizes: Int64Array, rng: Generator) -> Int64Array:
        """Pairs (2, k) of viewers of one kind and users: of those drawn the first eligible, as many as are seen."""
        gender, seeks = self.rules.gender[viewers[0]], self.rules.seeks[viewers[0]]
        pool = np.flatnonzero(seeks[self.rules.gender] & self.rules.seeks[:, gender])
        if not len(pool):
            return np.empty((2, 0), np.int64)
        weight = np.cumsum(np.exp(TILT * self.appeal[pool]))
        drawn = pool[np.searchsorted(weight, rng.uniform(0, weight[-1], (len(viewers), DRAWN)))]
        fits = self.rules.find_broken(np.repeat(viewers, DRAWN), drawn.ravel()).reshape(drawn.shape) == 0
        fits &= drawn != viewers[:, None]
        fits &= np.cumsum(fits, axis=1) <= sizes[viewers, None]
        row, column = np.nonzero(fits)
        return np.stack([viewers[row], drawn[row, column]])

    def compute_utility(self, viewer: Int64Array, other: Int64Array, rng: Generator) -> Float64Array:
        """Log-odds (k,) of a like: of what profiles show, of an appeal that facts show in part, and of chemistry."""
        alike = ((self.facts[viewer] == self.facts[other]) & (self.facts[viewer] > 0)).sum(axis=1)
        years = (self.rules.age[viewer] - self.rules.age[other]) / YEARS
        away = np.log1p(compute_distance_km(self.rules.place[viewer], self.rules.place[other]) / 5)
        shown = 0.2 * alike - 0.3 * years**2 - 0.3 * away + rng.normal(0, CHEMISTRY, len(viewer))
        return np.asarray(self.appeal[other] - self.strictness[viewer] + shown)
