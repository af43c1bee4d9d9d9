"""Shuffled profiles: everybody has that of somebody of their gender, and who learned from profiles is at a loss."""

import numpy as np
import pytest

from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.permutation_baseline import shuffle_profiles
from models.ml.validation.score_metrics import compute_within_viewer_auc
from tests.models_ml.conftest import crowd
from tests.models_ml.evaluation.toys import GENDER, PEOPLE, same_kind, setting, townspeople


def test_whole_profiles_move_within_a_gender() -> None:
    people = crowd(PEOPLE, age=np.arange(PEOPLE), place=np.column_stack([np.arange(PEOPLE)] * 2))
    moved = shuffle_profiles(people, GENDER, seed=1)
    np.testing.assert_array_equal(moved.ids, people.ids)
    np.testing.assert_array_equal(np.sort(moved.age), people.age)
    np.testing.assert_array_equal(moved.place[:, 0], moved.age)
    np.testing.assert_array_equal(moved.age.astype(int) % 2, GENDER)
    assert (moved.age == people.age).mean() < 0.1


def test_it_is_the_same_for_the_same_seed() -> None:
    people = crowd(PEOPLE, age=np.arange(PEOPLE))
    one, again, other = (shuffle_profiles(people, GENDER, seed).age for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.9


@pytest.mark.parametrize("name", ["interest_cosine", "stated_preference", "ridge_logistic", "lightgbm_product"])
def test_who_learned_from_profiles_is_at_a_loss(name: str) -> None:
    """Over six lots: the right order where profiles are true, none where they are not."""
    found = []
    for seed in range(6):
        town = setting(same_kind, shuffle_profiles(townspeople(), GENDER, seed))
        liked = same_kind(town.test.viewer, town.test.candidate)
        found.append(compute_within_viewer_auc(town.test.viewer, liked, BASELINES[name](town).like))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)
