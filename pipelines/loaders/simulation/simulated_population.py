"""The users of a simulated population as parallel arrays drawn from one seed: true attributes, not reported ones.

A population depends on its seed and its size together: two sizes of one seed are two different populations.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.ml.arrays import BoolArray, Float64Array, Int64Array

REFERENCE_TIME = datetime(2026, 7, 1, tzinfo=UTC)
"""The population's present: ages are as of this time, and all events are earlier."""

GENDERS = ("woman", "man", "nonbinary")
NO_AGE_LIMIT = 32767

TOPICS = {  # topic → related trait
    "animals": "kindness",
    "art": "intellect",
    "books": "intellect",
    "cooking": "kindness",
    "crafts": "tidiness",
    "cycling": "fitness",
    "dancing": "sociability",
    "film": "humour",
    "fitness": "fitness",
    "football": "sociability",
    "games": "humour",
    "gardening": "tidiness",
    "hiking": "adventurousness",
    "music": "sociability",
    "technology": "ambition",
    "travel": "adventurousness",
    "volunteering": "kindness",
    "yoga": "tidiness",
}
TRAITS = ("adventurousness", "ambition", "fitness", "humour", "intellect", "kindness", "sociability", "tidiness")
WANTS = (*TRAITS, "shared_interests")

FACTS = {  # name → category → share
    "occupation": {
        "arts": 0.06,
        "education": 0.11,
        "finance": 0.08,
        "healthcare": 0.13,
        "hospitality": 0.07,
        "law": 0.04,
        "public_service": 0.09,
        "retail": 0.09,
        "science": 0.05,
        "student": 0.07,
        "technology": 0.12,
        "trades": 0.09,
    },
    "education": {"school": 0.25, "apprenticeship": 0.25, "university": 0.42, "doctorate": 0.08},
    "relationship": {"serious": 0.55, "open": 0.3, "casual": 0.15},
    "wants_children": {"yes": 0.4, "maybe": 0.25, "no": 0.35},
    "smokes": {"no": 0.72, "sometimes": 0.16, "yes": 0.12},
    "drinks": {"no": 0.18, "sometimes": 0.62, "often": 0.2},
    "pets": {"none": 0.55, "cat": 0.22, "dog": 0.23},
}

# Cities around a lake: latitude and longitude in degrees, spread in km, share of the users.
CITY_CENTRES = np.array(
    [
        [47.3769, 8.5417, 5.0, 0.42],
        [47.4988, 8.7237, 4.0, 0.17],
        [47.1662, 8.5155, 3.0, 0.12],
        [47.2266, 8.8184, 3.0, 0.10],
        [47.4733, 8.3060, 3.5, 0.13],
        [47.3500, 8.7170, 2.5, 0.06],
    ]
)
KM_PER_DEGREE = 111.195
DISTANCE_LIMITS = np.array([[15.0, 0.1], [25.0, 0.22], [40.0, 0.28], [60.0, 0.2], [100.0, 0.12], [np.inf, 0.08]])

SELECTIVITY = {"woman": 3.55, "man": 2.0, "nonbinary": 2.7}  # log-odds subtracted from every like
AGE_GAP = {"woman": 1.5, "man": -2.0, "nonbinary": 0.0}  # ideal age minus own age, in years


@dataclass(frozen=True)
class SimulatedPopulation:
    """n users; index i of every array is user number i. Floats are float64; counts and codes are int64.

    Attributes:
        seed: Seed of the population.
        gender: (n,) code of GENDERS.
        seeks: (n, 3) bool, by gender sought.
        age: (n,) whole years at REFERENCE_TIME, 18 to 70.
        birth_date: (n,) datetime64[D].
        age_min: (n,) years, 0 for no limit.
        age_max: (n,) years, NO_AGE_LIMIT for no limit.
        ideal_age: (n,) years.
        place: (n, 2) latitude and longitude in degrees.
        max_distance_km: (n,) inf for no limit.
        topics: (n, 18) weights of TOPICS; each row sums to 1.
        traits: (n, 8) standard scores of TRAITS.
        wants: (n, 9) importance of WANTS, 0 to 1.
        facts: (n, 7) code of the category of each of FACTS.
        effort: (n,) standard score of the care taken over the profile.
        appeal: (n,) log-odds of being liked.
        selectivity: (n,) log-odds against liking.
        activity: (n,) probability of opening the app on a day.
    """

    seed: int
    gender: Int64Array
    seeks: BoolArray
    age: Int64Array
    birth_date: NDArray[np.datetime64]
    age_min: Int64Array
    age_max: Int64Array
    ideal_age: Float64Array
    place: Float64Array
    max_distance_km: Float64Array
    topics: Float64Array
    traits: Float64Array
    wants: Float64Array
    facts: Int64Array
    effort: Float64Array
    appeal: Float64Array
    selectivity: Float64Array
    activity: Float64Array

    @property
    def people(self) -> int:
        """Number of users."""
        return len(self.gender)

    def make_source_key(self, number: int) -> str:
        """Return the source key of a user.

        It contains the size, so that two populations of one seed do not collide.
        """
        return f"simulated:{self.seed}-{self.people}:{number}"


def make_random_stream(seed: int, people: int, purpose: int) -> Generator:
    """Return the random generator for one purpose in one population. Streams of different purposes are independent."""
    return np.random.default_rng([seed, people, purpose])


def build_population(seed: int, people: int) -> SimulatedPopulation:
    """Draw the population of this seed (≥ 0) and size (≥ 0)."""
    rng = make_random_stream(seed, people, 0)
    gender = rng.choice(len(GENDERS), size=people, p=[0.485, 0.485, 0.03])
    age = _draw_ages(rng, people)
    ideal_age = age + _select_by_gender(AGE_GAP, gender) * (age / 30) + rng.normal(0, 2, people)
    age_min, age_max = _draw_wanted_ages(rng, age, ideal_age)
    traits = rng.normal(size=(people, len(TRAITS)))
    effort = rng.normal(size=people)
    return SimulatedPopulation(
        seed=seed,
        gender=gender,
        seeks=_draw_seeks(rng, gender),
        age=age,
        birth_date=_draw_birth_dates(rng, age),
        age_min=age_min,
        age_max=age_max,
        ideal_age=ideal_age,
        place=_draw_locations(rng, people),
        max_distance_km=rng.choice(DISTANCE_LIMITS[:, 0], size=people, p=DISTANCE_LIMITS[:, 1]),
        topics=_draw_topics(rng, traits),
        traits=traits,
        wants=rng.beta(1.3, 1.7, size=(people, len(WANTS))),
        facts=_draw_facts(rng, age),
        effort=effort,
        appeal=_draw_appeal(rng, traits, effort),
        selectivity=_select_by_gender(SELECTIVITY, gender) + rng.normal(0, 0.7, people),
        activity=rng.beta(0.55, 4.6, people),
    )


def _select_by_gender(values: dict[str, float], gender: Int64Array) -> Float64Array:
    return np.array([values[name] for name in GENDERS])[gender]


def _draw_ages(rng: Generator, people: int) -> Int64Array:
    """Draw ages, mostly in the twenties and thirties with a long tail. Ages over 70 are redrawn uniformly."""
    age = 18 + rng.gamma(2.1, 7.0, people)
    return np.where(age < 71, age, rng.uniform(18, 71, people)).astype(np.int64)


def _draw_birth_dates(rng: Generator, age: Int64Array) -> NDArray[np.datetime64]:
    """Draw a birth date among the 365 days that give the age at REFERENCE_TIME."""
    month = np.datetime64(f"{REFERENCE_TIME:%Y-%m}", "M") - 12 * age
    first = month.astype("datetime64[D]") + (REFERENCE_TIME.day - 1)
    return np.asarray(first - rng.integers(0, 365, len(age)), dtype="datetime64[D]")


def _draw_wanted_ages(rng: Generator, age: Int64Array, ideal_age: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Draw ranges around the ideal age, wider with age; 1 in 20 has no lower limit, 1 in 12 no upper limit."""
    width = (4 + (age - 18) * 0.17) * rng.uniform(0.7, 1.8, (2, len(age)))
    lowest = np.maximum(18, np.floor(ideal_age - width[0])).astype(np.int64)
    highest = np.maximum(lowest + 2, np.ceil(ideal_age + width[1])).astype(np.int64)
    unlimited = rng.random((2, len(age))) < np.array([[1 / 20], [1 / 12]])
    return np.where(unlimited[0], 0, lowest), np.where(unlimited[1], NO_AGE_LIMIT, highest)


def _draw_seeks(rng: Generator, gender: Int64Array) -> BoolArray:
    """Draw the genders sought: straight 87%, gay or lesbian 5%, bi 8%; nonbinary users mostly seek all genders."""
    woman, man, nonbinary = range(len(GENDERS))
    seeks = np.zeros((len(gender), len(GENDERS)), dtype=bool)
    kind = rng.random(len(gender))
    straight, bi, other = kind < 0.87, kind >= 0.92, gender == nonbinary
    for own, opposite in ((woman, man), (man, woman)):
        seeks[:, opposite] |= (gender == own) & (straight | bi)
        seeks[:, own] |= (gender == own) & ~straight
    seeks[:, woman] |= other & (kind < 0.8)
    seeks[:, man] |= other & ((kind < 0.6) | (kind >= 0.8))
    seeks[:, nonbinary] = rng.random(len(gender)) < np.where(other, 0.9, np.where(bi, 0.75, 0.08))
    return seeks


def _draw_locations(rng: Generator, people: int) -> Float64Array:
    """Draw locations around the centres, normally distributed, rounded to a hundredth of a degree.

    The eligibility rule rounds them in the same way.
    """
    centre = CITY_CENTRES[rng.choice(len(CITY_CENTRES), size=people, p=CITY_CENTRES[:, 3])]
    degrees = rng.normal(size=(people, 2)) * centre[:, [2]] / KM_PER_DEGREE
    degrees[:, 1] /= np.cos(np.radians(centre[:, 0]))
    places: Float64Array = np.round(centre[:, :2] + degrees, 2)
    return places


def _draw_topics(rng: Generator, traits: Float64Array) -> Float64Array:
    """Draw topic weights as a softmax of scores: a few topics dominate, those related to one's traits more often."""
    goes_with = [TRAITS.index(trait) for trait in TOPICS.values()]
    score = np.exp(2.5 * rng.normal(size=(len(traits), len(TOPICS))) + 0.8 * traits[:, goes_with])
    weights: Float64Array = score / score.sum(axis=1, keepdims=True)
    return weights


def _draw_facts(rng: Generator, age: Int64Array) -> Int64Array:
    """Draw categories by their shares, but without students over 32 or users over 47 who want children."""
    names = list(FACTS)
    codes = np.stack([rng.choice(len(FACTS[name]), size=len(age), p=list(FACTS[name].values())) for name in names], 1)
    for name, oldest, young, otherwise in (
        ("occupation", 32, "student", "healthcare"),
        ("wants_children", 47, "yes", "no"),
    ):
        code, category = codes[:, names.index(name)], list(FACTS[name])
        code[(age > oldest) & (code == category.index(young))] = category.index(otherwise)
    return codes


def _draw_appeal(rng: Generator, traits: Float64Array, effort: Float64Array) -> Float64Array:
    """Draw the appeal to all viewers.

    It is partly visible in the profile and partly not, like photographs, which are not simulated.
    """
    visible = 0.35 * traits[:, TRAITS.index("fitness")] + 0.25 * traits[:, TRAITS.index("humour")] + 0.25 * effort
    appeal: Float64Array = visible + rng.normal(0, 0.6, len(effort))
    return appeal
