"""Every baseline on towns in which the right order is known exactly, in any order of rows, and on nothing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.baseline_input import BaselineInput, compute_harmonic_mean
from models.ml.evaluation.baselines.factorisation import FactorisationShape, fit_factors
from models.ml.validation.score_metrics import compute_within_viewer_auc
from tests.models_ml.evaluation.toys import KIND, PEOPLE, Likes, by_lot, even_kind, reordered, same_kind, setting

LEARNERS = {
    *("ridge_logistic", "lightgbm_product", "lightgbm_harmonic", "lightgbm_minimum", "lightgbm_direct", "lambdarank"),
    *("lfrr", "mf_with_biases", "recon_individual"),
}
KNOW_TASTE = LEARNERS | {"interest_cosine", "stated_preference"}
KNOW_WHO_IS_LIKED = LEARNERS | {"popularity", "beta_binomial", "recon_segment"}
# A random score is a row's own: it goes with the row's place.
IN_ANY_ORDER = sorted(BASELINES.keys() - {"random"})


def reached(name: str, likes: Likes) -> tuple[float, float]:
    """Within-viewer AUC of likes and of matches."""
    town = setting(likes)
    scores = BASELINES[name](town)
    viewer, candidate = town.test.viewer, town.test.candidate
    liked, back = likes(viewer, candidate), likes(candidate, viewer)
    return compute_within_viewer_auc(viewer, liked, scores.like), compute_within_viewer_auc(
        viewer, liked & back, scores.match
    )


@pytest.mark.parametrize("name", sorted(KNOW_TASTE))
def test_everybody_likes_their_own_kind(name: str) -> None:
    assert reached(name, same_kind) == (1.0, 1.0)


@pytest.mark.parametrize("name", sorted(KNOW_WHO_IS_LIKED))
def test_everybody_likes_the_same_people(name: str) -> None:
    """Those who are liked match each other; the others match nobody."""
    assert reached(name, even_kind) == (1.0, 1.0)


@pytest.mark.parametrize("name", ["popularity", "beta_binomial", "recon_segment"])
def test_what_is_liked_by_all_alike_tells_nothing_of_taste(name: str) -> None:
    like, match = reached(name, same_kind)
    assert like == pytest.approx(0.5, abs=0.1)
    assert match == pytest.approx(0.5, abs=0.2)


def test_no_method_is_left_out_of_these_towns() -> None:
    assert {"random"} | KNOW_TASTE | KNOW_WHO_IS_LIKED == BASELINES.keys()


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_setting_gives_the_same_scores(name: str) -> None:
    one, other = (BASELINES[name](setting(by_lot)) for _ in range(2))
    np.testing.assert_array_equal(one.like, other.like)
    np.testing.assert_array_equal(one.match, other.match)


@pytest.mark.parametrize("name", IN_ANY_ORDER)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    town = setting(by_lot)
    moved, place = reordered(town, seed=5)
    one, other = BASELINES[name](town), BASELINES[name](moved)
    np.testing.assert_array_equal(other.like, one.like[place])
    np.testing.assert_array_equal(other.match, one.match[place])


@pytest.mark.parametrize("name", IN_ANY_ORDER)
def test_a_match_is_the_same_from_both_sides(name: str) -> None:
    town = setting(by_lot)
    one, other = (BASELINES[name](replace(town, test=pairs)) for pairs in (town.test, town.test.reverse()))
    np.testing.assert_array_equal(one.match, other.match)


@pytest.mark.parametrize("name", BASELINES)
def test_what_is_called_a_probability_is_one(name: str) -> None:
    scores = BASELINES[name](setting(by_lot))
    if scores.probabilities:
        assert ((scores.like > 0) & (scores.like < 1)).all()
        assert ((scores.match > 0) & (scores.match < 1)).all()


def known_until(town: BaselineInput, rows: int) -> BaselineInput:
    """Only the first decisions to learn from."""
    first, past = np.arange(rows), town.events
    return replace(
        town,
        train=town.train.take(first),
        train_liked=town.train_liked[:rows],
        train_group=town.train_group[:rows],
        events=past.take(first),
    )


DEGENERATE: dict[str, Callable[[BaselineInput], BaselineInput]] = {
    "nothing to score": lambda town: replace(town, test=town.test.take(np.empty(0, np.int64))),
    "nothing to learn from": lambda town: known_until(town, 0),
    "one decision": lambda town: known_until(town, 1),
    "one viewer": lambda town: known_until(town, 10),
    "one evening": lambda town: replace(town, train_group=np.zeros_like(town.train_group)),
    "everybody likes": lambda town: replace(town, train_liked=np.ones_like(town.train_liked)),
    "nobody likes": lambda town: replace(
        town,
        train_liked=np.zeros_like(town.train_liked),
        events=replace(town.events, liked=np.zeros_like(town.events.liked)),
    ),
}


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("name", BASELINES)
def test_there_is_a_score_where_there_is_nothing(name: str, case: str) -> None:
    town = DEGENERATE[case](setting(by_lot))
    scores = BASELINES[name](town)
    assert scores.like.shape == scores.match.shape == (len(town.test),)
    assert scores.like.dtype == scores.match.dtype == np.float64
    assert np.isfinite(scores.like).all()
    assert np.isfinite(scores.match).all()


def test_nobody_s_wish_counts_for_the_kind_they_do_not_want() -> None:
    """A wish of importance 1 meets a trait one deviation up or down; one of importance 0 counts nothing."""
    town = setting(same_kind)
    scores = BASELINES["stated_preference"](town)
    same = same_kind(town.test.viewer, town.test.candidate)
    assert scores.like == pytest.approx(np.where(same, 1.0, -1.0))
    assert scores.match == pytest.approx(np.where(same, 2.0, -2.0))


def test_beta_binomial_joins_both_rates_in_log_odds() -> None:
    """Who is even is liked by all 7 who decided, others by none; shrunk with 3 at 0.4, and everybody's like rate."""
    town = setting(even_kind)
    scores = BASELINES["beta_binomial"](town)
    decided = town.test.history.candidate_received.decisions
    rate = (np.where(KIND[town.test.candidate] == 0, decided, 0) + 3 * 0.4) / (decided + 3)
    given = town.test.history.viewer_given
    selectivity = (given.likes + 4 * 0.4) / (given.decisions + 4)
    odds = rate / (1 - rate) * selectivity / (1 - selectivity) / (0.4 / 0.6)
    assert scores.like == pytest.approx(odds / (1 + odds))


def test_recon_by_hand() -> None:
    """Of four answers that tell the kind, one's own kind gives all; age says how many were liked of that evening."""
    town = setting(same_kind)
    scores = BASELINES["recon_individual"](town)
    same = same_kind(town.test.viewer, town.test.candidate)
    # Age, the traits a and b, kind, cats, dogs: all who were liked were of that evening and of the viewer's kind.
    assert scores.like == pytest.approx(np.where(same, 1.0, 1 / 6))
    assert scores.match == pytest.approx(scores.like)


def test_a_bias_is_the_mean_of_what_the_rest_leaves_shrunk() -> None:
    """Of the side that was fitted last: what is left of a person's likes sums to the penalty, 3, times their bias."""
    known = setting(by_lot).events
    factors = fit_factors(known, PEOPLE, FactorisationShape(rank=2, penalty=2.0, biased=True), seed=0)
    left = known.liked - factors.score(known.actor, known.target)
    assert np.bincount(known.target, left, PEOPLE) == pytest.approx(3 * factors.candidate[:, -1])
    pull = np.column_stack(
        [np.bincount(known.target, left * each[known.actor], PEOPLE) for each in factors.viewer.T[:-1]]
    )
    assert pull == pytest.approx(2.0 * factors.candidate[:, :-1], abs=1e-9)


def test_harmonic_mean_by_hand() -> None:
    assert compute_harmonic_mean(np.array([0.5, 1.0, 0.0, 0.0]), np.array([0.5, 0.25, 1.0, 0.0])) == pytest.approx(
        [0.5, 0.4, 0, 0]
    )
