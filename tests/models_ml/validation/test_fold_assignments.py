"""Whom earlier rankers held out: they are asked about nobody they saw, whoever has joined since."""

import numpy as np
import pandas as pd
import pytest

from models.ml.features.training_pairs import build_training_pairs
from models.ml.validation.fold_assignments import find_folds_at_training, group_viewers_by_fold
from tests.models_ml.conftest import interactions

FEW, MANY, SIZE = 6, 40, 4


def people(circle: int) -> list[str]:
    return [f"{circle:02d}-{place}" for place in range(SIZE)]


def met(*groups: list[str]) -> list[tuple[str, str]]:
    """Everybody of a group decides about everybody else of it."""
    return [(one, other) for group in groups for one in group for other in group if one != other]


def pairs(couples: list[tuple[str, str]]) -> pd.DataFrame:
    ids = pd.Index(sorted({person for couple in couples for person in couple}))
    return build_training_pairs(interactions(*((one, other, "like", 1) for one, other in couples)), ids)


def by_viewer(fold: "pd.Series[int]", frame: pd.DataFrame) -> "pd.Series[int]":
    return fold.groupby(frame["viewer_id"]).first()


def today(now: pd.DataFrame, then: pd.DataFrame) -> "tuple[pd.Series[int], pd.Series[int]]":
    """The fold of each viewer in the earlier training by what it kept, and as it was."""
    found = pd.Series(find_folds_at_training(group_viewers_by_fold(then), now), now.index)
    return by_viewer(found, now), by_viewer(then["fold"], then)


@pytest.mark.parametrize("circles", [FEW, MANY])
def test_circles_whose_newcomer_sorts_first_are_asked_about_as_they_were_held_out(circles: int) -> None:
    """In each circle: it has another name since, and often another fold."""
    before = pairs(met(*(people(each) for each in range(circles))))
    after = pairs(met(*([f"!{each:02d}", *people(each)] for each in range(circles))))
    found, was = today(after, before)
    assert (found[was.index] == was).all()
    assert (by_viewer(after["fold"], after)[was.index] != was).mean() > 0.3
    # Who is new is held out with the others.
    assert [found[f"!{each:02d}"] for each in range(circles)] == [was[f"{each:02d}-0"] for each in range(circles)]


@pytest.mark.parametrize("circles", range(5, 15))
def test_one_more_circle_moves_nobody(circles: int) -> None:
    """Of few circles folds go in turn, and another one moves those after it."""
    before = pairs(met(*(people(each) for each in range(circles))))
    after = pairs(met(*(people(each) for each in range(circles + 1))))
    found, was = today(after, before)
    assert (found[was.index] == was).all()
    assert found.drop(was.index).tolist() == by_viewer(after["fold"], after).drop(was.index).tolist()


def test_circles_that_became_one_are_asked_about_only_if_they_were_in_one_fold() -> None:
    """Rankers without the fold of one half have seen the other."""
    before = pairs(met(*(people(each) for each in range(MANY))))
    was = by_viewer(before["fold"], before)
    first, *others = range(MANY)
    alike = next(each for each in others if was[f"{each:02d}-0"] == was["00-0"])
    apart = next(each for each in others if was[f"{each:02d}-0"] != was["00-0"])
    for other, expected in ((alike, was["00-0"]), (apart, -1)):
        after = pairs([*met(*(people(each) for each in range(MANY))), (f"{first:02d}-0", f"{other:02d}-1")])
        found, _ = today(after, before)
        both = [*people(first), *people(other)]
        assert set(found[both]) == {expected}
        assert (found.drop(both) == was.drop(both)).all()


def test_circles_that_are_held_out_by_viewer_since_were_held_out_with_their_circle() -> None:
    """Somebody met them all."""
    before = pairs(met(*(people(each) for each in range(FEW))))
    after = pairs(met(*(people(each) for each in range(FEW))) + [("zoe", f"{each:02d}-0") for each in range(FEW)])
    assert after["group"].nunique() == FEW * SIZE + 1
    found, was = today(after, before)
    assert (found[was.index] == was).all()


def test_rankers_that_saw_nobody_can_be_asked_about_everybody() -> None:
    now = pairs(met(*(people(each) for each in range(FEW))))
    assert find_folds_at_training({}, now).tolist() == now["fold"].tolist()
    nobody = pairs([])
    assert find_folds_at_training(group_viewers_by_fold(now), nobody).tolist() == []
    assert group_viewers_by_fold(nobody) == {}


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_asked_about_a_group_they_saw_any_of(seed: int) -> None:
    """In towns that grow, merge and forget at random."""
    random = np.random.default_rng(seed)
    names = np.array([f"{number:04d}" for number in random.permutation(120)])
    rows = np.unique(random.integers(0, 120, (60 + 3 * seed, 2)), axis=0)
    all_met = [(names[one], names[other]) for one, other in rows if one != other]
    before = pairs([couple for couple in all_met if random.random() < 0.7])
    now = pairs([couple for couple in all_met if names[0] not in couple])
    then = find_folds_at_training(group_viewers_by_fold(before), now)
    assert (then >= 0).any()
    for fold in np.unique(then[then >= 0]):
        seen = before.loc[before["fold"] != fold, "viewer_id"]
        groups = now.loc[then == fold, "group"]
        assert not now["viewer_id"][now["group"].isin(groups)].isin(seen).any()


def test_no_id_is_kept() -> None:
    now = pairs(met(people(0), people(1), people(2)))
    kept = group_viewers_by_fold(now)
    assert {each.dtype for each in kept.values()} == {np.dtype(np.int64)}
    assert sum(map(len, kept.values())) == 3 * SIZE
