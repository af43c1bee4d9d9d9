"""Experiments in the real job: each viewer's list by their arm, one publication, and who was in which arm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.db.publications import roll_back
from models.experiments.design.assignment import assign_arms
from pipelines.definitions import build_registry
from pipelines.experiments.experiment_file import FILE_NAME, load_experiments
from pipelines.store.store_erasure import erase_from_store
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame

EXPERIMENT = """
[[experiment]]
name = "order"
hypothesis = "The arm changes something."
unit = "person"
layer = "lists"
share = {share}
starts_on = 2020-01-01
ends_on = 9000-12-31
primary = "matches"
smallest_effect = 0.03
arms = [{{ name = "control", share = 0.5 }}, {{ name = "new", share = 0.5, {arm} }}]
"""
STORED = """
SELECT profile_id::text, arm, unit_key FROM matching.experiment_assignments
WHERE publication_id = (SELECT max(id) FROM matching.publications) AND experiment = 'order' ORDER BY 1
"""

PROPENSITIES = """
SELECT viewer_id::text, propensities FROM matching.match_lists
JOIN matching.publications ON id = publication_id WHERE state = 'live'
"""


@pytest.fixture(scope="module")
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("arms") / "home") as place:
        yield place


@contextmanager
def experimenting(place: Place, arm: str, share: float = 1.0) -> Iterator[None]:
    """An experiment whose second arm is `arm`, for a block."""
    path = place.settings.home / FILE_NAME
    path.write_text(EXPERIMENT.format(arm=arm, share=share))
    try:
        yield
    finally:
        path.unlink()


def make_lists(place: Place, **config: object) -> pd.DataFrame:
    """The frame of the lists by viewer, less rows without candidates."""
    place.materialize("match_lists", **config)
    return read_frame(place, "match_lists").set_index("viewer_id").sort_index()


def read_arms(place: Place) -> "pd.Series[str]":
    return read_frame(place, "experiment_assignments").set_index("profile_id")["arm"]


def select(lists: pd.DataFrame, arms: "pd.Series[str]", arm: str) -> "pd.Series[list[str]]":
    """The candidates of the viewers of an arm."""
    return lists.loc[lists.index.isin(arms.index[arms == arm]), "candidate_ids"].map(list)


def test_arms_that_change_nothing_change_no_list(town: Place) -> None:
    before = make_lists(town)
    assert len(read_arms(town)) == 0
    assert "propensities" not in before
    with experimenting(town, "market = { policy = 'best_response' }", share=0.5):
        after = make_lists(town)
        arms = read_arms(town)
    pd.testing.assert_frame_equal(after, before)
    assert 40 < len(arms) < 110
    assert 20 < (arms == "new").sum() < 60


def test_viewers_of_an_arm_get_the_lists_of_its_policy(town: Place) -> None:
    product = make_lists(town, policy="product", places_per_vote=None)
    usual = make_lists(town, places_per_vote=None)
    with experimenting(town, "market = { policy = 'product' }"):
        mixed = make_lists(town, places_per_vote=None)
        arms, metadata = read_arms(town), town.metadata("match_lists")
    assert select(mixed, arms, "new").equals(select(product, arms, "new"))
    assert not select(mixed, arms, "control").equals(select(product, arms, "control"))
    assert not select(mixed, arms, "control").equals(select(usual, arms, "control")), "they answer to the other arm"
    assert metadata["policy"] == "best_response+product"
    table = str(metadata["arms"])
    assert "control" in table
    assert "new" in table


def test_a_night_that_is_all_in_one_arm_is_that_arms_configuration(town: Place) -> None:
    """A switchback: the arm changes what matches are worth to nobody, and how inboxes are examined to all."""
    with experimenting(town, "market = { later_answers = 0.0 }"):
        path = town.settings.home / FILE_NAME
        path.write_text(path.read_text().replace('"person"', '"night"'))
        lists, (arm,) = make_lists(town), read_arms(town).unique()
    expected = make_lists(town, **({"later_answers": 0.0} if arm == "new" else {}))
    assert lists["candidate_ids"].map(list).equals(expected["candidate_ids"].map(list))


def test_an_arms_ranker_scores_the_pairs_of_its_viewers(town: Place) -> None:
    """By its alias or version; the champion under that name changes nothing, a more hopeful ranker does."""
    before = make_lists(town)
    with experimenting(town, "ranker = 'champion'"):
        pd.testing.assert_frame_equal(make_lists(town), before)
    registry = build_registry(town.settings)
    rankers = registry.load_rankers("1")
    with registry.track_training("hopeful", {}):
        hopeful = replace(rankers, full=replace(rankers.full, shift=rankers.full.shift + 2, cold_calibration=None))
        version = registry.log_rankers(hopeful, {}, {})
    with experimenting(town, f"ranker = '{version}'"):
        after, arms = make_lists(town), read_arms(town)
    usual, now = (read_p_like(lists) for lists in (before, after))
    both = pd.concat([usual, now], axis=1, join="inner").set_axis(["usual", "now"], axis=1)
    by_arm = both.groupby(both.index.get_level_values("viewer_id").map(arms.to_dict()))
    assert by_arm.get_group("control").pipe(lambda pairs: pairs["usual"].equals(pairs["now"]))
    changed = by_arm.get_group("new")
    assert len(changed) > 100
    assert (changed["now"] > changed["usual"]).mean() > 0.99, changed.describe()


def read_p_like(lists: pd.DataFrame) -> "pd.Series[float]":
    """By viewer and candidate."""
    pairs = (
        lists[["candidate_ids", "p_like"]].explode(["candidate_ids", "p_like"]).set_index("candidate_ids", append=True)
    )
    return pairs["p_like"].astype(float)


def test_arms_are_stored_with_the_publication_and_go_with_their_users(town: Place) -> None:
    with experimenting(town, "market = { policy = 'naive' }", share=0.6):
        town.materialize("match_lists", "publication")
        (experiment,) = load_experiments(town.settings)
    ids = sorted(read_frame(town, "profiles")["profile_id"])
    arm = assign_arms(experiment, np.array(ids, object))
    expected = [(user, experiment.arms[index].name, user) for user, index in zip(ids, arm, strict=True) if index >= 0]
    assert town.ask(STORED) == expected
    gone = expected[0][0]
    assert erase_from_store(town.settings, gone) > 0
    assert gone not in read_arms(town).index
    assert expected[1][0] in read_arms(town).index
    roll_back(town.engine)
    assert town.ask(STORED) == expected


def test_swaps_are_drawn_once_stored_and_priced(town: Place) -> None:
    unswapped = make_lists(town)
    swapped = make_lists(town, swap_rate=0.3)
    pd.testing.assert_frame_equal(make_lists(town, swap_rate=0.3), swapped)
    metadata = town.metadata("match_lists")
    moved = [
        one != other
        for before, after in zip(unswapped["candidate_ids"], swapped["candidate_ids"], strict=True)
        for one, other in zip(before, after, strict=True)
    ]
    assert 0.2 < np.mean(moved) < 0.35
    assert all(
        sorted(one) == sorted(other)
        for one, other in zip(unswapped["candidate_ids"], swapped["candidate_ids"], strict=True)
    )
    chances = np.concatenate(swapped["propensities"].tolist())
    assert len(chances) == len(moved)
    found = {round(float(chance), 4) for chance in chances}
    assert {0.15, 0.7} <= found <= {0.15, 0.7, 0.85, 1.0}, "at a bound on positions some neighbours stay"
    assert metadata["smallest_propensity"] == pytest.approx(0.15)
    assert metadata["swap_support"] == pytest.approx(np.mean(chances < 1), abs=1e-4)
    assert abs(float(str(metadata["swap_cost"]))) < 0.05
    town.materialize("match_lists", "publication", swap_rate=0.3)
    stored = dict(town.ask(PROPENSITIES))
    assert {viewer: len(stored[viewer]) for viewer in swapped.index} == swapped["candidate_ids"].map(len).to_dict()


def test_swaps_of_one_arm_leave_the_lists_of_the_other(town: Place) -> None:
    before = make_lists(town)
    with experimenting(town, "market = { swap_rate = 1.0 }"):
        after, arms = make_lists(town), read_arms(town)
    assert select(after, arms, "control").equals(select(before, arms, "control"))
    assert not select(after, arms, "new").equals(select(before, arms, "new"))
    control = after.loc[after.index.isin(arms.index[arms == "control"]), "propensities"]
    assert {float(chance) for chances in control for chance in chances} == {1.0}
