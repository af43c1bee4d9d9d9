from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.loaders.records import Interaction, Person, compute_age, estimate_birth_date
from pipelines.loaders.refusals import find_interaction_refusal, find_refusal

TODAY = date(2026, 3, 1)
ANNA = Person("test:anna", "Anna", date(1990, 5, 17), "woman", ("man",))
LIKE = Interaction("test:anna", "test:ben", "like", datetime(2026, 1, 1, tzinfo=UTC))
TOO_LONG = "name, fact or interest longer than 500 characters"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"display_name": "An\0na"}, "text with a NUL byte or a lone surrogate"),
        ({"texts": {"About me": "\ud83d"}}, "text with a NUL byte or a lone surrogate"),
        ({"facts": {"job\0": "baker"}}, "text with a NUL byte or a lone surrogate"),
        ({"display_name": " \t"}, "blank source key, name or gender"),
        ({"source_key": ""}, "blank source key, name or gender"),
        ({"gender": ""}, "blank source key, name or gender"),
        ({"texts": {"About me": "x" * 10_001}}, "answer longer than 10,000 characters"),
        ({"texts": {"About me": "x" * 1_000_000}}, "answer longer than 10,000 characters"),
        ({"source_key": "x" * 501}, TOO_LONG),
        ({"interests": ("x" * 501,)}, TOO_LONG),
        ({"facts": {"job": "x" * 501}}, TOO_LONG),
        ({"birth_date": date(2026, 3, 2)}, "birth date in the future"),
        ({"birth_date": date(2008, 3, 2)}, "under 18"),
        ({"birth_date": date(1915, 3, 1)}, "over 110 years old"),
        ({"birth_date": date(1, 1, 1)}, "over 110 years old"),
        ({"traits": {"fun": float("nan")}}, "trait or want that is not a finite number"),
        ({"wants": {"fun": float("inf")}}, "trait or want that is not a finite number"),
        ({"latitude": 90.1, "longitude": 0.0}, "coordinates incomplete or out of range"),
        ({"latitude": 0.0, "longitude": float("nan")}, "coordinates incomplete or out of range"),
        ({"latitude": 52.0}, "coordinates incomplete or out of range"),
        ({"age_min": 40, "age_max": 30}, "age or distance limit out of range"),
        ({"age_max": 40_000}, "age or distance limit out of range"),
        ({"max_distance_km": -1.0}, "age or distance limit out of range"),
        ({"max_distance_km": float("nan")}, "age or distance limit out of range"),
    ],
)
def test_a_person_that_breaks_a_rule_is_refused(changes: dict[str, object], reason: str) -> None:
    assert find_refusal(replace(ANNA, **changes), TODAY) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"birth_date": date(2008, 3, 1)},
        {"birth_date": date(1915, 3, 2)},
        {"texts": {"About me": "x" * 10_000}, "source_key": "x" * 500},
        {"latitude": -90.0, "longitude": 180.0, "max_distance_km": 0.0},
        {"age_min": 18, "age_max": 18},
        {"display_name": "Zoë 🌷"},
    ],
)
def test_a_person_at_the_edge_of_a_rule_is_accepted(changes: dict[str, object]) -> None:
    assert find_refusal(replace(ANNA, **changes), TODAY) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "superlike"}, "interaction of an unknown kind"),
        ({"kind": ""}, "interaction of an unknown kind"),
        ({"target_key": "test:anna"}, "interaction with oneself"),
        ({"target_key": "test:\0ben"}, "interaction with an unknown person"),
        ({"position": 0}, "interaction with a position or propensity out of range"),
        ({"propensity": 0.0}, "interaction with a position or propensity out of range"),
        ({"propensity": 1.1}, "interaction with a position or propensity out of range"),
        ({"propensity": float("nan")}, "interaction with a position or propensity out of range"),
        ({}, None),
        ({"kind": "pass", "position": 1, "propensity": 1.0}, None),
    ],
)
def test_an_interaction_is_judged_by_itself(changes: dict[str, object], reason: str | None) -> None:
    assert find_interaction_refusal(replace(LIKE, **changes)) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("birth_date", "on", "age"),
    [
        (date(1990, 5, 17), date(2026, 5, 16), 35),
        (date(1990, 5, 17), date(2026, 5, 17), 36),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
    ],
)
def test_age_counts_completed_years(birth_date: date, on: date, age: int) -> None:
    assert compute_age(birth_date, on) == age


@given(st.integers(0, 120), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_birth_date_taken_for_an_age_gives_that_age(age: int, on: date) -> None:
    assert compute_age(estimate_birth_date(age, on), on) == age
