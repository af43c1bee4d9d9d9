"""Supply and demand: by hand, and beside the two-way rule that both sides of it make."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.eligibility.rules import build_rules, find_eligible
from models.ml.eligibility.supply_and_demand import assign_age_band, compute_supply_and_demand
from tests.models_ml.conftest import positions, profiles

WOMAN: dict[str, object] = {"gender": "woman", "seeks": ["man"]}
MAN: dict[str, object] = {"gender": "man", "seeks": ["woman"]}

somebody = st.fixed_dictionaries(
    {
        "gender": st.sampled_from(["woman", "man"]),
        "seeks": st.lists(st.sampled_from(["woman", "man"]), unique=True),
        "age": st.integers(18, 40),
        "age_min": st.sampled_from([np.nan, 20, 30]),
        "age_max": st.sampled_from([np.nan, 30, 35]),
        "latitude": st.sampled_from([np.nan, 50.0, 50.1]),
        "longitude": st.sampled_from([5.0, 5.1]),
        "max_distance_km": st.sampled_from([np.nan, 5, 12]),
        "paused": st.booleans(),
    }
)


@given(st.lists(somebody, min_size=1, max_size=12))
def test_two_are_eligible_if_each_is_what_the_other_asks_for(town: list[dict[str, object]]) -> None:
    made, everybody = build_rules(profiles(*town)), np.arange(len(town))
    one_way = made.match_preferences(everybody)
    assert (one_way & one_way.T).tolist() == find_eligible(made, everybody).tolist()


def test_what_somebody_asks_for_is_theirs_alone() -> None:
    choosy = build_rules(profiles(WOMAN | {"age_min": 35}, MAN)).match_preferences(positions(0, 1))
    assert choosy.tolist() == [[False, False], [True, False]]


def test_paused_users_ask_for_nobody_and_nobody_asks_for_them() -> None:
    one_way = build_rules(profiles(WOMAN | {"paused": True}, MAN)).match_preferences(positions(0, 1))
    assert not one_way.any()


def test_supply_and_demand_by_hand() -> None:
    """Two women for three men, of whom one is too young for the second woman."""
    town = profiles(WOMAN, WOMAN | {"age_min": 30}, MAN, MAN, MAN | {"age": 25})
    found = compute_supply_and_demand(build_rules(town))
    assert found["asks_for"].tolist() == [3, 2, 2, 2, 2]
    assert found["asked_for_by"].tolist() == [3, 3, 2, 2, 1]
    assert found["demand"].tolist() == pytest.approx([3 / 2, 3 / 2, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2, 1 / 3])


def test_all_attention_goes_to_somebody_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for that of those who ask for nobody there is."""
    town = build_rules(profiles(*[WOMAN, MAN] * 5, WOMAN | {"seeks": []}))
    whole = compute_supply_and_demand(town)
    assert whole["demand"].sum() == pytest.approx(10)
    monkeypatch.setattr("models.ml.eligibility.supply_and_demand.VIEWERS_PER_BATCH", 3)
    pd.testing.assert_frame_equal(compute_supply_and_demand(town), whole)


def test_age_bands() -> None:
    bands = assign_age_band(pd.Series([18, 24, 25, 59, 60, 99]))
    assert bands.tolist() == ["18-24", "18-24", "25-29", "50-59", "60 and up", "60 and up"]
    assert bands.cat.ordered
