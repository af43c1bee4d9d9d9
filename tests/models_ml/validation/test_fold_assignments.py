"""Folds of earlier rankers: they predict no user they saw, whoever has joined since."""

import numpy as np
import pandas as pd
import pytest

from models.ml.features.training_pairs import build_training_pairs
from models.ml.validation.fold_assignments import find_folds_at_training, group_viewers_by_fold
from tests.models_ml.conftest import interactions

FEW, MANY, SIZE = 6, 40, 4


def pairs(couples: list[tuple[str, str]]) -> pd.DataFrame:
    ids = pd.Index(sorted({person for couple in couples for person in couple}))
    return build_training_pairs(interactions(*((one, other, "like", 1) for one, other in couples)), ids)


def circles(count: int, *newcomers: str) -> list[tuple[str, str]]:
    """In each circle all decide about all others; newcomers join each under a name of their own."""
    names = [
        [*(f"{new}{circle:02d}" for new in newcomers), *(f"{circle:02d}-{place}" for place in range(SIZE))]
        for circle in range(count)
    ]
    return [(one, other) for group in names for one in group for other in group if one != other]


def by_viewer(fold: "pd.Series[int]", frame: pd.DataFrame) -> "pd.Series[int]":
    return fold.groupby(frame["viewer_id"]).first()


def today(now: pd.DataFrame, then: pd.DataFrame) -> "tuple[pd.Series[int], pd.Series[int]]":
    """The fold of each viewer in the earlier training by what it kept, and as it was."""
    found = pd.Series(find_folds_at_training(group_viewers_by_fold(then), now), now.index)
    return by_viewer(found, now), by_viewer(then["fold"], then)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_circles_keep_their_fold_when_a_newcomer_sorts_first(count: int) -> None:
    """Each circle is named after its first id, and today often in another fold."""
    before, after = pairs(circles(count)), pairs(circles(count, "!"))
    found, was = today(after, before)
    assert (found[was.index] == was).all()
    assert (by_viewer(after["fold"], after)[was.index] != was).mean() > 0.3
    assert [found[f"!{each:02d}"] for each in range(count)] == [was[f"{each:02d}-0"] for each in range(count)]


def test_merged_circles_keep_a_fold_only_if_it_was_one() -> None:
    before = pairs(circles(MANY))
    was = by_viewer(before["fold"], before)
    alike = next(each for each in range(1, MANY) if was[f"{each:02d}-0"] == was["00-0"])
    apart = next(each for each in range(1, MANY) if was[f"{each:02d}-0"] != was["00-0"])
    for other, expected in ((alike, was["00-0"]), (apart, -1)):
        found, _ = today(pairs([*circles(MANY), ("00-0", f"{other:02d}-1")]), before)
        both = [name for name in found.index if name.startswith(("00-", f"{other:02d}-"))]
        assert set(found[both]) == {expected}
        assert (found.drop(both) == was.drop(both)).all()


def test_circles_held_out_by_viewer_since_keep_their_fold() -> None:
    """One user met them all."""
    after = pairs([*circles(FEW), *(("zoe", f"{each:02d}-0") for each in range(FEW))])
    assert after["group"].nunique() == FEW * SIZE + 1
    found, was = today(after, pairs(circles(FEW)))
    assert (found[was.index] == was).all()


def test_without_earlier_viewers_today_s_folds_hold() -> None:
    now, nobody = pairs(circles(FEW)), pairs([])
    assert find_folds_at_training({}, now).tolist() == now["fold"].tolist()
    kept = group_viewers_by_fold(now)
    assert {each.dtype for each in kept.values()} == {np.dtype(np.int64)}
    assert sum(map(len, kept.values())) == FEW * SIZE
    assert find_folds_at_training(kept, nobody).tolist() == []
    assert group_viewers_by_fold(nobody) == {}


@pytest.mark.parametrize("seed", range(5))
def test_no_ranker_predicts_a_group_it_saw_any_of(seed: int) -> None:
    """In populations that grow, merge and lose a user at random."""
    random = np.random.default_rng(seed)
    names = np.array([f"{number:04d}" for number in random.permutation(120)])
    rows = np.unique(random.integers(0, 120, (60 + 12 * seed, 2)), axis=0)
    all_met = [(names[one], names[other]) for one, other in rows if one != other]
    before = pairs([couple for couple in all_met if random.random() < 0.7])
    now = pairs([couple for couple in all_met if names[0] not in couple])
    then = find_folds_at_training(group_viewers_by_fold(before), now)
    assert (then >= 0).any()
    for fold in np.unique(then[then >= 0]):
        seen = before.loc[before["fold"] != fold, "viewer_id"]
        groups = now.loc[then == fold, "group"]
        assert not now["viewer_id"][now["group"].isin(groups)].isin(seen).any()
