from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.loaders.records import Interaction, Person, compute_age, estimate_birth_date
from pipelines.loaders.refusals import find_interaction_refusal, find_refusal

TODAY = date(2026, 3, 1)
ANNA = Person("test:anna", "Anna", date(1990, 5, 17), "woman", ("man",))
LIKE = Interaction("test:anna", "test:ben", "like", datetime(2026, 1, 1, tzinfo=UTC))
LONG_WORD, LONG_ANSWER = "x" * 501, "x" * 10_001

REFUSED: dict[str, list[dict[str, Any]]] = {
    "NUL byte": [{"display_name": "An\0na"}, {"texts": {"About me": "\ud83d"}}, {"facts": {"job\0": "baker"}}],
    "blank source key, name or gender": [{"display_name": " \t"}, {"source_key": ""}, {"gender": ""}],
    "answer longer": [{"texts": {"About me": LONG_ANSWER}}],
    "interest longer": [{"source_key": LONG_WORD}, {"interests": (LONG_WORD,)}, {"facts": {"job": LONG_WORD}}],
    "blank interest": [{"interests": ("chess", " ")}, {"facts": {"job": ""}}, {"seeks": ("",)}],
    "too many": [{"interests": tuple(f"interest {number}" for number in range(10_000))}],
    "birth date in the future": [{"birth_date": date(2026, 3, 2)}],
    "under 18": [{"birth_date": date(2008, 3, 2)}],
    "over 110": [{"birth_date": date(1915, 3, 1)}, {"birth_date": date(1, 1, 1)}],
    "not a finite number": [{"traits": {"fun": float("nan")}}, {"wants": {"fun": float("inf")}}],
    "trait or want out of range": [{"wants": {"fun": 1.1}}, {"traits": {"fun": 1e300}}],
    "coordinates": [{"latitude": lat, "longitude": lon} for lat, lon in ((90.1, 0), (0, float("nan")), (52, None))],
    "age or distance": [{"age_min": 40, "age_max": 30}, {"age_max": 40_000}],
    "distance limit": [{"max_distance_km": limit} for limit in (-1.0, float("nan"))],
}
ACCEPTED: list[dict[str, Any]] = [
    *({}, {"age_min": 18, "age_max": 18}, {"display_name": "Zoë 🌷"}),
    *({"birth_date": birth_date} for birth_date in (date(2008, 3, 1), date(1915, 3, 2))),
    {"texts": {"About me": LONG_ANSWER[1:]}, "source_key": LONG_WORD[1:]},
    {"latitude": -90.0, "longitude": 180.0, "max_distance_km": 0.0},
]
REFUSED_INTERACTIONS: dict[str, list[dict[str, Any]]] = {
    "kind": [{"kind": "superlike"}, {"kind": ""}],
    "oneself": [{"target_key": "test:anna"}],
    "unknown person": [{"target_key": "test:\0ben"}],
    "position": [{"position": 0}, {"position": 32_768}],
    "propensity": [{"propensity": number} for number in (0.0, 1.1, float("nan"))],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_person_that_breaks_a_rule_is_refused(reason: str) -> None:
    for changes in REFUSED[reason]:
        assert reason in str(find_refusal(replace(ANNA, **changes), TODAY))


def test_a_person_at_the_edge_of_a_rule_is_accepted() -> None:
    assert [changes for changes in ACCEPTED if find_refusal(replace(ANNA, **changes), TODAY)] == []


def test_an_interaction_is_judged_by_itself() -> None:
    for reason, changed in REFUSED_INTERACTIONS.items():
        for changes in changed:
            assert reason in str(find_interaction_refusal(replace(LIKE, **changes)))
    for accepted in (LIKE, replace(LIKE, kind="pass", position=1, propensity=1.0)):
        assert find_interaction_refusal(accepted) is None


def test_age_counts_completed_years() -> None:
    assert [compute_age(date(1990, 5, 17), date(2026, 5, day)) for day in (16, 17)] == [35, 36]
    assert [compute_age(date(2004, 2, 29), on) for on in (date(2022, 2, 28), date(2022, 3, 1))] == [17, 18]


@given(st.integers(0, 120), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_an_estimated_birth_date_gives_the_age(age: int, on: date) -> None:
    assert compute_age(estimate_birth_date(age, on), on) == age
