"""The people of the benchmark: OkCupid's profiles, to each of which a place and bounds on whom they look for are drawn.

Where the public file is not there, the people of a simulated town take their place.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from pipelines.loaders import okcupid
from pipelines.loaders.records import Person, compute_age
from pipelines.loaders.simulation.simulated_loader import iterate_people
from pipelines.loaders.simulation.simulated_population import (
    AGE_GAP,
    DISTANCE_LIMITS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    _draw_locations,
    _draw_wanted_ages,
    build_population,
)

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "okcupid_profiles_revised.csv.zip"
SEED = 7
TODAY = datetime.now(UTC).date()


def population(most: int) -> list[Person]:
    """At most so many people, drawn at random, in one metropolitan area; as old today as the file has them."""
    random = np.random.default_rng([SEED, most])
    known, then = _known(most)
    chosen = [known[number] for number in random.permutation(len(known))[:most].tolist()]
    age = np.array([compute_age(person.birth_date, then) for person in chosen], np.int64)
    ideal = age + np.array([AGE_GAP[person.gender] for person in chosen]) * (age / 30) + random.normal(0, 2, len(age))
    lowest, highest = _draw_wanted_ages(random, age, ideal)
    reach = random.choice(DISTANCE_LIMITS[:, 0], size=len(age), p=DISTANCE_LIMITS[:, 1])
    drawn = zip(
        chosen, lowest.tolist(), highest.tolist(), _draw_locations(random, len(age)).tolist(), reach, strict=True
    )
    return [
        replace(
            person,
            birth_date=person.birth_date + (TODAY - then),
            age_min=youngest or None,
            age_max=oldest if oldest < NO_AGE_LIMIT else None,
            latitude=place[0],
            longitude=place[1],
            max_distance_km=float(away) if math.isfinite(away) else None,
        )
        for person, youngest, oldest, place, away in drawn
    ]


def source() -> str:
    """Where the people come from."""
    return "OkCupid profiles, places drawn at random" if FILE.exists() else "a simulated town: the OkCupid file is away"


def _known(most: int) -> tuple[Sequence[Person], date]:
    if FILE.exists():
        return list(okcupid.read_okcupid(FILE).people), okcupid.SNAPSHOT
    return list(iterate_people(build_population(SEED, most))), REFERENCE_TIME.date()
