"""Populations small enough to work out by hand: frames, embedded answers, arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings

from models.ml.eligibility.rules import EligibilityRules
from models.ml.features.decision_history import DecisionCounts, DecisionHistory, Decisions, PairHistory
from models.ml.features.pair_features import Pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.feature_spec import CategoricalFeature, DefaultValues, FeatureSpec, NumericFeature
from models.ml.profiles.geography import compute_distance_km
from models.ml.profiles.profile_matrix import ProfileMatrix, make_empty_matrix

# How long an example takes tells how busy the machine is.
settings.register_profile("unhurried", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

Vectors = np.ndarray[tuple[int, ...], np.dtype[np.float16]]

ORDINARY = DefaultValues(age_gap=4.0, distance_km=10.0, interests_cosine=0.25, texts_cosine=(0.5,))


def profiles(*people: Mapping[str, object]) -> pd.DataFrame:
    """A profiles frame of users a, b, c and so on, each as `somebody` but for what is given."""
    return pd.DataFrame([somebody(chr(ord("a") + place), **each) for place, each in enumerate(people)])


def somebody(profile_id: str, **columns: object) -> dict[str, object]:
    row: dict[str, object] = {"profile_id": profile_id, "age": 30, "gender": "woman", "seeks": ["woman"]}
    row |= dict.fromkeys(("age_min", "age_max", "latitude", "longitude", "max_distance_km"), np.nan)
    row |= {"texts": {}, "interests": [], "traits": {}, "facts": {}, "wants": {}, "paused": False}
    return row | columns


def draw_profiles(count: int) -> pd.DataFrame:
    """Users who differ in everything; the numbers of `steps` are few, and many have no `half`."""
    random = np.random.default_rng(5)
    rows = [
        somebody(
            f"{number:04d}",
            age=int(random.integers(20, 60)),
            latitude=random.normal(47, 0.1),
            longitude=random.normal(8, 0.1),
            traits={"normal": random.normal(5, 2), "steps": int(random.integers(1, 6)), "skewed": random.lognormal()}
            | ({"half": random.normal()} if random.random() < 0.7 else {}),
            wants={"normal": random.random(), "steps": random.random() ** 4},
            facts={"smokes": str(random.choice(["no", "yes"]))},
            interests=[str(word) for word in random.choice(["cats", "dogs", "chess", "tea", "art"], 3, replace=False)],
        )
        for number in range(count)
    ]
    return pd.DataFrame(rows)


def interactions(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Interactions 0, 1, 2 … of actor, target, kind and day of January 2020."""
    frame = pd.DataFrame(rows, columns=["actor_id", "target_id", "kind", "day"])
    frame["created_at"] = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(frame.pop("day") - 1, unit="D")
    frame["interaction_id"] = [f"{number:04d}" for number in range(len(frame))]
    return frame


def direction(*coordinates: float) -> Vectors:
    """The unit vector whose first coordinates are proportional to these, the others zero."""
    vector = np.zeros(NO_ANSWERS.dimensions)
    vector[: len(coordinates)] = coordinates
    return np.asarray(vector / np.linalg.norm(vector), np.float16)


def answers(*said: tuple[str, str, Vectors]) -> AnswerEmbeddings:
    """Embedded answers of person, prompt and vector."""
    if not said:
        return NO_ANSWERS
    rows = [(person, prompt, f"{person}:{prompt}") for person, prompt, _ in said]
    keys = pd.DataFrame(rows, columns=["profile_id", "prompt", "text_hash"])
    return AnswerEmbeddings(keys, np.stack([vector for _, _, vector in said]), NO_ANSWERS.encoder)


def specification(
    *,
    genders: Sequence[str] = (),
    traits: Sequence[NumericFeature] = (),
    wants: Sequence[NumericFeature] = (),
    facts: Sequence[CategoricalFeature] = (),
    interests: Mapping[str, float] | None = None,
    prompts: Sequence[str] = (),
    ordinary: DefaultValues = ORDINARY,
) -> FeatureSpec:
    """A feature spec of what is named; `interests` maps each to its rarity."""
    rarity = interests or {}
    return FeatureSpec(
        genders=tuple(genders),
        traits=tuple(traits),
        wants=tuple(wants),
        facts=tuple(facts),
        interests=tuple(rarity),
        rarity=tuple(rarity.values()),
        prompts=tuple(prompts),
        ordinary=ordinary,
    )


def number(name: str, median: float, scale: float) -> NumericFeature:
    """A trait or want that a third each have at the median, a deviation above and one below."""
    return NumericFeature(name, median, scale, typical=(-1.0, 0.0, 1.0))


FULL_SPEC = specification(
    genders=["man", "woman"],
    traits=[number("warmth", 0, 1), number("height", 0, 1)],
    wants=[number("warmth", 0, 1), number("wealth", 0, 1), number("shared_interests", 0, 1)],
    facts=[CategoricalFeature("smokes", ("no", "yes"), (0.5, 0.3))],
    interests={"cats": 1.0, "dogs": 1.0},
    prompts=["about"],
    ordinary=DefaultValues(age_gap=4.0, distance_km=20.0, interests_cosine=0.25, texts_cosine=(0.375, 0.125)),
)


def crowd(count: int, made: FeatureSpec | None = None, **arrays: object) -> ProfileMatrix:
    """The matrix of `count` users of whom nothing is known but what is given."""
    empty = vars(make_empty_matrix(made or specification()))
    known = {name: np.zeros((count, *array.shape[1:]), array.dtype) for name, array in empty.items()}
    known |= {"ids": np.array([f"{person:06d}" for person in range(count)])}
    known |= {"has_trait": np.full((count, empty["traits"].shape[1]), "traits" in arrays)}
    known |= {name: np.asarray(array, empty[name].dtype) for name, array in arrays.items()}
    return ProfileMatrix(**known)


def draw_rules(seed: int, people: int) -> EligibilityRules:
    """Genders, ages, places and pauses at random; many users reach exactly as far as another user is."""
    random = np.random.default_rng(seed)
    place = np.where(random.random((people, 1)) < 0.1, np.nan, random.uniform([47, 8], [48, 9], (people, 2)))
    to_another = compute_distance_km(place, random.permutation(place))
    return EligibilityRules(
        gender=random.integers(0, 3, people),
        seeks=random.random((people, 3)) < 0.6,
        age=random.integers(18, 60, people).astype(float),
        age_min=random.integers(18, 30, people).astype(float),
        age_max=random.integers(30, 70, people).astype(float),
        place=place,
        max_distance_km=np.where(np.isnan(to_another), np.inf, to_another),
        paused=random.random(people) < 0.1,
    )


def positions(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def tally(decisions: Sequence[int], likes: Sequence[int], surprise: Sequence[float] | None = None) -> DecisionCounts:
    """Decision counts; by default the residual of each decision is a half."""
    half = np.array(likes) - np.array(decisions) / 2
    made = half if surprise is None else np.array(surprise, float)
    return DecisionCounts(positions(*decisions), positions(*likes), made, np.array(decisions, float))


def events(*rows: tuple[int, int, bool, int]) -> Decisions:
    """Likes (True) and passes of actor, target and time, all of full weight."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Decisions(table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3], np.ones(len(table)))


def unknown(count: int) -> DecisionCounts:
    return tally([0] * count, [0] * count)


def no_ledger(count: int) -> DecisionHistory:
    return DecisionHistory(given=unknown(count), received=unknown(count))


def strangers(people: ProfileMatrix, viewer: Sequence[int], candidate: Sequence[int]) -> Pairs:
    """Pairs of users without history."""
    nothing = unknown(len(viewer))
    return Pairs(people, positions(*viewer), positions(*candidate), PairHistory(nothing, nothing, nothing, nothing))
