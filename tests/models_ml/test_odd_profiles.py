"""One profile of any values, or one in a hundred, changes no features of others, and costs neither time nor memory."""

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
from tests.models_ml.conftest import draw_profiles, profiles, somebody, strangers

COUNT = 200
ODD = [1e9, -1e9, 1e308, -1e308, 5e-324, -5e-324, 0.0, 1e-300, 999_999_999]
# What a feature of others may change by: in standard deviations, years, logs of km, or shares.
MOST = 0.15


CROWD = draw_profiles(COUNT)
VIEWER, CANDIDATE = (np.random.default_rng(6).permutation(COUNT).tolist() for _ in range(2))


def build_crowd_features(spec: FeatureSpec, frame: pd.DataFrame) -> Float32Array:
    """Features of pairs of the crowd, whatever other rows the frame has."""
    return build_profile_features(spec, strangers(build_profile_matrix(spec, frame, NO_ANSWERS), VIEWER, CANDIDATE))


HONEST = fit_feature_spec(CROWD, NO_ANSWERS)
BEFORE = build_crowd_features(HONEST, CROWD)


def add_odd(*odd: dict[str, object]) -> pd.DataFrame:
    rows = [somebody(f"x{number:03d}", **each) for number, each in enumerate(odd)]
    return pd.concat([CROWD, pd.DataFrame(rows)], ignore_index=True)


def measure_change(frame: pd.DataFrame) -> float:
    """The most that any feature of the crowd changes by."""
    spec = fit_feature_spec(frame, NO_ANSWERS)
    assert list_feature_groups(spec) == list_feature_groups(HONEST)
    after = build_crowd_features(spec, frame)
    assert np.isfinite(build_profile_matrix(spec, frame, NO_ANSWERS).traits).all()
    assert np.isfinite(after).all()
    return float(np.abs(after - BEFORE).max())


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_one_in_a_hundred_changes_little(value: float) -> None:
    traits = dict.fromkeys(CROWD["traits"][0], value)
    odd: dict[str, object] = {"traits": traits, "age": 110, "latitude": -80.0, "longitude": -170.0}
    assert measure_change(add_odd(*[odd] * (COUNT // 100))) < 2 * MOST


@settings(max_examples=40)
@example(number=1e9, age=110, latitude=90.0, longitude=180.0, interests=5)
@example(number=1e308, age=18, latitude=90.0, longitude=180.0, interests=5)
@given(
    number=st.one_of(st.floats(-1e9, 1e9), st.sampled_from(ODD), st.integers(-(10**9), 10**9)),
    age=st.integers(18, 110),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    interests=st.integers(0, 300),
)
def test_one_profile_of_any_values_changes_little(
    number: float, age: int, latitude: float, longitude: float, interests: int
) -> None:
    odd: dict[str, object] = {
        "age": age,
        "latitude": latitude,
        "longitude": longitude,
        "traits": dict.fromkeys(("normal", "steps", "skewed", "half"), number),
        "wants": {"normal": min(abs(number), 1.0), "steps": number},
        "facts": {"smokes": str(number)},
        "interests": ["cats", "dogs", "chess", "tea", "art", *map(str, range(interests))],
    }
    assert measure_change(add_odd(odd)) < MOST


@pytest.mark.parametrize("field", ["traits", "wants"])
def test_a_number_that_only_one_has_otherwise_is_no_feature(field: str) -> None:
    frame = profiles(*[{field: {"x": 0.5}}] * 50, {field: {"x": 1.0}})
    assert getattr(fit_feature_spec(frame, NO_ANSWERS), field) == ()


class Counted(dict[str, str]):
    """Facts that count how often they are searched for a name."""

    searches = 0

    def __contains__(self, name: object) -> bool:
        Counted.searches += 1
        return super().__contains__(name)


def test_ten_thousand_names_of_one_profile_cost_little() -> None:
    names = [f"name {number}" for number in range(10_000)]
    odd: dict[str, object] = {
        "traits": dict.fromkeys(names, 1.0),
        "wants": dict.fromkeys(names, 1.0),
        "facts": dict.fromkeys(names, "yes"),
        "texts": dict.fromkeys(names, "I sail"),
        "interests": names,
    }
    frame = add_odd(odd, odd | {"facts": {}, "interests": []})
    frame["facts"] = frame["facts"].map(Counted)
    Counted.searches = 0
    tracemalloc.start()
    spec = fit_feature_spec(frame, NO_ANSWERS)
    build_profile_matrix(spec, frame, NO_ANSWERS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list_feature_groups(spec) == list_feature_groups(HONEST)
    assert peak < 30e6
    assert Counted.searches <= 10 * len(frame)
