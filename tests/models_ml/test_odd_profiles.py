"""One profile of any values, or one in a hundred, moves nobody else's features, and costs neither time nor memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.features.pair_features import build_profile_features, list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import FeatureSpec, fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from tests.models_ml.conftest import somebody, strangers

COUNT = 200
ODD = [1e9, -1e9, 1e308, -1e308, 5e-324, -5e-324, 0.0, 1e-300, 999_999_999]
FIELDS = ("traits", "wants")
# What a feature of others may move by: of numbers in standard deviations, of years, of logs of km, of shares.
MOST = 0.15


def crowd_of(count: int) -> pd.DataFrame:
    """People who differ in everything; the numbers of `steps` and `rare` are few, and many have no `half`."""
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


CROWD = crowd_of(COUNT)
VIEWER, CANDIDATE = (np.random.default_rng(6).permutation(COUNT) for _ in range(2))


def features_of(made: FeatureSpec, profiles: pd.DataFrame) -> Float32Array:
    """Features of pairs of the crowd, whoever else the frame has."""
    arrays = build_profile_matrix(made, profiles, NO_ANSWERS)
    return build_profile_features(made, strangers(arrays, VIEWER.tolist(), CANDIDATE.tolist()))


HONEST = fit_feature_spec(CROWD, NO_ANSWERS)
BEFORE = features_of(HONEST, CROWD)


def with_odd(*odd: dict[str, object]) -> pd.DataFrame:
    rows = [somebody(f"x{number:03d}", **each) for number, each in enumerate(odd)]
    return pd.concat([CROWD, pd.DataFrame(rows)], ignore_index=True)


def moved(profiles: pd.DataFrame) -> float:
    """The most that any feature of the crowd moves by, where all are as they were named before."""
    made = fit_feature_spec(profiles, NO_ANSWERS)
    assert list_feature_groups(made) == list_feature_groups(HONEST)
    after = features_of(made, profiles)
    assert np.isfinite(build_profile_matrix(made, profiles, NO_ANSWERS).traits).all()
    assert np.isfinite(after).all()
    return float(np.abs(after - BEFORE).max())


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ODD)
def test_one_odd_number_moves_nobody_else(field: str, value: float) -> None:
    assert moved(with_odd({field: dict.fromkeys(CROWD[field][0], value)})) < MOST


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_neither_does_one_in_a_hundred(value: float) -> None:
    odd: list[dict[str, object]] = [
        {"traits": dict.fromkeys(CROWD["traits"][0], value), "age": 110, "latitude": -80.0, "longitude": -170.0}
    ] * (COUNT // 100)
    assert moved(with_odd(*odd)) < 2 * MOST


numbers = st.one_of(st.floats(-1e9, 1e9), st.sampled_from(ODD), st.integers(-(10**9), 10**9))


@settings(max_examples=40)
@example(number=1e9, age=110, latitude=90.0, longitude=180.0, interests=5).via("all at once")
@given(
    number=numbers,
    age=st.integers(18, 110),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    interests=st.integers(0, 300),
)
def test_one_profile_of_any_values_moves_nobody_else(
    number: float, age: int, latitude: float, longitude: float, interests: int
) -> None:
    odd: dict[str, object] = {
        "age": age,
        "latitude": latitude,
        "longitude": longitude,
        "traits": dict.fromkeys(("normal", "steps", "skewed", "half"), number),
        "wants": {"normal": min(abs(number), 1.0)},
        "facts": {"smokes": str(number)},
        "interests": ["cats", "dogs", "chess", "tea", "art", *map(str, range(interests))],
    }
    assert moved(with_odd(odd)) < MOST


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_that_only_one_has_otherwise_tells_nobody_apart(field: str) -> None:
    same = pd.DataFrame([somebody(f"{number:03d}", **{field: {"x": 0.5}}) for number in range(50)])
    odd = pd.DataFrame([somebody("odd", **{field: {"x": 1.0}})])
    assert getattr(fit_feature_spec(pd.concat([same, odd], ignore_index=True), NO_ANSWERS), field) == ()


def test_ten_thousand_names_of_one_profile_become_no_features_and_cost_little() -> None:
    names = [f"name {number}" for number in range(10_000)]
    odd: dict[str, object] = {
        "traits": dict.fromkeys(names, 1.0),
        "wants": dict.fromkeys(names, 1.0),
        "facts": dict.fromkeys(names, "yes"),
        "texts": dict.fromkeys(names, "I sail"),
        "interests": names,
    }
    profiles = with_odd(odd, odd | {"facts": {}, "interests": []})
    tracemalloc.start()
    made = fit_feature_spec(profiles, NO_ANSWERS)
    build_profile_matrix(made, profiles, NO_ANSWERS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list_feature_groups(made) == list_feature_groups(HONEST)
    assert peak < 30e6


class Counted(dict[str, str]):
    """Facts that count how often one is asked for by name."""

    asked = 0

    def __contains__(self, name: object) -> bool:
        Counted.asked += 1
        return super().__contains__(name)


def test_facts_of_one_profile_are_not_asked_of_everybody() -> None:
    facts = [Counted(smokes=["no", "yes"][number % 2]) for number in range(50)]
    facts.append(Counted({f"name {number}": "yes" for number in range(10_000)}))
    profiles = pd.DataFrame([somebody(f"{number:03d}", facts=each) for number, each in enumerate(facts)])
    Counted.asked = 0
    assert [fact.name for fact in fit_feature_spec(profiles, NO_ANSWERS).facts] == ["smokes"]
    assert Counted.asked <= 10 * len(facts)
