import pandas as pd
import pytest

from models.ml.eligibility.rules import build_rules
from models.ml.eligibility.supply_and_demand import assign_age_band, compute_supply_and_demand
from tests.models_ml.conftest import profiles

WOMAN: dict[str, object] = {"gender": "woman", "seeks": ["man"]}
MAN: dict[str, object] = {"gender": "man", "seeks": ["woman"]}


def test_supply_and_demand_by_hand() -> None:
    """Two women for three men, of whom one is too young for the second woman; a third woman is paused."""
    rules = build_rules(profiles(WOMAN, WOMAN | {"age_min": 30}, MAN, MAN, MAN | {"age": 25}, WOMAN | {"paused": True}))
    found = compute_supply_and_demand(rules)
    assert found["asks_for"].tolist() == [3, 2, 2, 2, 2, 0]
    assert found["asked_for_by"].tolist() == [3, 3, 2, 2, 1, 0]
    assert found["demand"].tolist() == pytest.approx([3 / 2, 3 / 2, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2, 1 / 3, 0])
    pd.testing.assert_frame_equal(compute_supply_and_demand(rules, viewers_per_batch=2), found)


def test_age_bands() -> None:
    bands = assign_age_band(pd.Series([18, 24, 25, 59, 60, 99]))
    assert bands.tolist() == ["18-24", "18-24", "25-29", "50-59", "60 and up", "60 and up"]
    assert bands.cat.ordered
