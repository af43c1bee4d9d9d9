"""The shares of people and pair, where the truth is planted, whichever of the two comes first."""

import numpy as np
import pytest

from models.ml.conversations.insights.variance import estimate_jackknife_error, estimate_people_share


@pytest.mark.parametrize("couples", ["women and men", "anybody"])
def test_a_planted_share_is_found(couples: str) -> None:
    random, people = np.random.default_rng(3), 400
    low, high = (0, people) if couples == "anybody" else (people // 2, people)
    person = np.column_stack([random.integers(0, people // 2, 4000), random.integers(low, high, 4000)])
    person = np.unique(np.sort(person[person[:, 0] != person[:, 1]], axis=1), axis=0)
    swapped = random.uniform(size=len(person)) < 0.5
    person[swapped] = person[swapped][:, ::-1]
    effect = random.normal(size=people)
    values = 0.5 * effect[person].sum(axis=1) + random.normal(size=len(person))
    share = estimate_people_share(values, person)
    error = estimate_jackknife_error(values, person)
    assert abs(share - 0.5 / 1.5) < 3 * error
    assert 0 < error < 0.06
    assert estimate_people_share(values, person[:, ::-1]) == pytest.approx(share)
    alone = random.permutation(values)
    assert abs(estimate_people_share(alone, person)) < 3 * estimate_jackknife_error(alone, person)


def test_pairs_without_common_people_say_nothing() -> None:
    assert np.isnan(estimate_people_share(np.array([1.0, 0.0]), np.array([[0, 1], [2, 3]])))
    assert np.isnan(estimate_people_share(np.zeros(0), np.zeros((0, 2), np.int64)))
