"""Assignment by hash: stable, independent between experiments, exclusive within a layer."""

from dataclasses import replace
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.experiments.design.assignment import NOT_IN_IT, assign_arms, draw_uniform, make_unit_keys
from models.experiments.design.experiment import Experiment, ExperimentArm, Unit

KEYS = np.array([f"person {number}" for number in range(20_000)], object)


def make_experiment(name: str = "order", *, share: float = 0.5, layer_start: float = 0.0) -> Experiment:
    return Experiment(
        name=name,
        hypothesis="It changes something.",
        unit=Unit.person,
        layer="lists",
        share=share,
        arms=(ExperimentArm("control", 0.5, {}), ExperimentArm("new", 0.3, {}), ExperimentArm("newer", 0.2, {})),
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 30),
        primary="matches",
        guardrails=(),
        smallest_effect=0.02,
        layer_start=layer_start,
    )


def test_the_hash_is_the_same_on_every_machine() -> None:
    drawn = draw_uniform("experiment order", np.array(["a", "b", "a"], object))
    assert drawn.tolist() == [0.4850757101892186, 0.17942976265876187, 0.4850757101892186]


def test_arms_have_their_shares() -> None:
    arms = assign_arms(make_experiment(), KEYS)
    shares = np.bincount(arms + 1) / len(KEYS)
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.15, 0.1], atol=4 * np.sqrt(0.25 / len(KEYS)))


@given(st.floats(0.001, 1), st.floats(0.001, 1))
def test_a_growing_share_adds_units_and_moves_none(one: float, other: float) -> None:
    before, after = (assign_arms(make_experiment(share=share), KEYS[:500]) for share in sorted((one, other)))
    assert np.array_equal(before[before != NOT_IN_IT], after[before != NOT_IN_IT])


@given(st.integers(1, 9_999))
def test_experiments_of_a_layer_share_no_unit_and_leave_none_between(cut: int) -> None:
    first = assign_arms(make_experiment("a", share=cut / 10_000), KEYS[:2000])
    second = assign_arms(make_experiment("b", layer_start=cut / 10_000, share=1 - cut / 10_000), KEYS[:2000])
    assert ((first == NOT_IN_IT) != (second == NOT_IN_IT)).all()


def test_experiments_of_two_layers_are_independent() -> None:
    first = assign_arms(make_experiment("a"), KEYS)
    second = assign_arms(replace(make_experiment("b"), layer="others"), KEYS)
    table = np.bincount(4 * (first + 1) + second + 1, minlength=16).reshape(4, 4) / len(KEYS)
    np.testing.assert_allclose(table, np.outer(table.sum(1), table.sum(0)), atol=0.01)


def test_units_are_people_regions_and_nights() -> None:
    place = np.array([[52.52, 13.40], [52.50, 13.45], [-33.87, 151.21], [np.nan, 13.40]])
    ids, night = ["a", "b", "c", "d"], date(2026, 11, 30)
    assert make_unit_keys(Unit.person, ids, place, night).tolist() == ids
    assert make_unit_keys(Unit.night, ids, place, night).tolist() == ["2026-11-30"] * 4
    berlin, near, sydney, unknown = make_unit_keys(Unit.region, ids, place, night)
    assert berlin == near
    assert len({berlin, sydney, unknown}) == 3
