"""Every baseline where the right order is known exactly, in any order of rows, and on nothing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.ml.arrays import BoolArray, Int64Array
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.baseline_input import BaselineInput, compute_harmonic_mean
from models.ml.evaluation.baselines.factorisation import FactorisationShape, fit_factors
from models.ml.features.decision_history import Decisions, build_decision_history
from models.ml.features.pair_features import Pairs, make_empty_history
from models.ml.profiles.feature_spec import CategoricalFeature
from models.ml.validation.score_metrics import compute_within_viewer_auc
from tests.models_ml.conftest import crowd, number, specification

EVENINGS, COUPLES = 6, 10
PEOPLE = EVENINGS * COUPLES * 2
HALF = number("a", median=0.5, scale=0.5), number("b", median=0.5, scale=0.5)
SPECIFICATION = specification(
    traits=HALF,
    wants=HALF,
    facts=[CategoricalFeature("kind", ("even", "odd"), (0.5, 0.5))],
    interests={"cats": 1.0, "dogs": 1.0},
)
PERSON = np.arange(PEOPLE)
GENDER = PERSON % 2
KIND = PERSON // 2 % 2
EVENING = PERSON // (2 * COUPLES)

Likes = Callable[[Int64Array, Int64Array], BoolArray]


def same_kind(viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    return np.asarray(KIND[viewer] == KIND[candidate])


def even_kind(viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    return np.asarray(KIND[candidate] == 0)


def by_lot(viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    """By a coin: there are no ties to hide in."""
    return np.asarray(np.random.default_rng(1).random((PEOPLE, PEOPLE))[viewer, candidate] < 0.4)


SIGN = 1.0 - 2.0 * KIND
TASTE = np.column_stack([SIGN, -SIGN])
# All answers tell the kind; users want their own.
USERS = crowd(
    PEOPLE, SPECIFICATION, traits=TASTE, wants=TASTE, facts=KIND[:, None], interests=np.eye(2)[KIND], age=30 + EVENING
)


def setting(likes: Likes) -> BaselineInput:
    """The last evening is the test: a third of its decisions is to be scored, the others and other evenings known."""
    viewer, candidate = np.nonzero((EVENING[:, None] == EVENING) & (GENDER[:, None] != GENDER))
    liked = likes(viewer, candidate)
    last = EVENING[viewer] == EVENINGS - 1
    # The same for both directions of a pair.
    asked = last & ((viewer // 2 + candidate // 2) % 3 == 0)
    count = np.count_nonzero(~asked)
    known = Decisions(viewer[~asked], candidate[~asked], liked[~asked], np.zeros(count, np.int64), np.ones(count))
    today = build_decision_history(known, np.where(known.liked, 0.6, -0.4), PEOPLE)
    return BaselineInput(
        specification=SPECIFICATION,
        base_rate=0.4,
        gender=GENDER,
        train=Pairs(USERS, viewer[~last], candidate[~last], make_empty_history(int(np.count_nonzero(~last)))),
        train_liked=liked[~last],
        train_group=EVENING[viewer[~last]],
        test=Pairs(USERS, viewer[asked], candidate[asked], today.get_pair_history(viewer[asked], candidate[asked])),
        events=known,
        seed=0,
    )


def select(given: BaselineInput, train: Int64Array, events: Int64Array) -> BaselineInput:
    """The same setting with other rows to learn from."""
    return replace(
        given,
        train=given.train.take(train),
        train_liked=given.train_liked[train],
        train_group=given.train_group[train],
        events=given.events.take(events),
    )


LEARNERS = {
    *("ridge_logistic", "lightgbm_product", "lightgbm_harmonic", "lightgbm_minimum", "lightgbm_direct", "lambdarank"),
    *("lfrr", "mf_with_biases", "recon_individual"),
}
KNOW_TASTE = [(name, same_kind) for name in sorted(LEARNERS | {"interest_cosine", "stated_preference"})]
KNOW_WHO_IS_LIKED = [(name, even_kind) for name in sorted(LEARNERS | {"popularity", "beta_binomial", "recon_segment"})]


@pytest.mark.parametrize(("name", "likes"), KNOW_TASTE + KNOW_WHO_IS_LIKED)
def test_the_order_is_right(name: str, likes: Likes) -> None:
    """Where all like their own kind, and where all like the same people, who match each other."""
    town = setting(likes)
    scores, viewer, candidate = BASELINES[name](town), town.test.viewer, town.test.candidate
    liked = likes(viewer, candidate)
    assert compute_within_viewer_auc(viewer, liked, scores.like) == 1
    assert compute_within_viewer_auc(viewer, liked & likes(candidate, viewer), scores.match) == 1


def test_no_baseline_is_left_out() -> None:
    assert {"random"} | {name for name, _ in KNOW_TASTE + KNOW_WHO_IS_LIKED} == BASELINES.keys()


@pytest.mark.parametrize("name", BASELINES)
def test_scores_are_the_setting_s_whatever_the_order_of_rows(name: str) -> None:
    """The same from both sides of a match. A random score is a row's own: it goes with the row's index."""
    town = setting(by_lot)
    random, one = np.random.default_rng(5), BASELINES[name](town)
    index = np.arange(len(town.test)) if name == "random" else random.permutation(len(town.test))
    moved = select(town, random.permutation(len(town.train)), random.permutation(len(town.events)))
    other = BASELINES[name](replace(moved, test=town.test.take(index)))
    np.testing.assert_array_equal(other.like, one.like[index])
    np.testing.assert_array_equal(other.match, one.match[index])
    if name != "random":
        np.testing.assert_array_equal(BASELINES[name](replace(town, test=town.test.reverse())).match, one.match)
    if one.probabilities:
        assert ((one.like > 0) & (one.like < 1) & (one.match > 0) & (one.match < 1)).all()


def all_the_same(town: BaselineInput, liked: bool) -> BaselineInput:
    events = replace(town.events, liked=np.full_like(town.events.liked, liked))
    return replace(town, train_liked=np.full_like(town.train_liked, liked), events=events)


DEGENERATE: dict[str, Callable[[BaselineInput], BaselineInput]] = {
    "nothing to score": lambda town: replace(town, test=town.test.take(np.empty(0, np.int64))),
    "nothing to learn from": lambda town: select(town, np.arange(0), np.arange(0)),
    "one decision": lambda town: select(town, np.arange(1), np.arange(1)),
    "one viewer": lambda town: select(town, np.arange(10), np.arange(10)),
    "one evening": lambda town: replace(town, train_group=np.zeros_like(town.train_group)),
    "all likes": lambda town: all_the_same(town, liked=True),
    "all passes": lambda town: all_the_same(town, liked=False),
}


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("name", BASELINES)
def test_a_finite_score_where_there_is_nothing(name: str, case: str) -> None:
    town = DEGENERATE[case](setting(by_lot))
    scores = BASELINES[name](town)
    for found in (scores.like, scores.match):
        assert found.shape == (len(town.test),)
        assert found.dtype == np.float64
        assert np.isfinite(found).all()


def test_untrained_scores_by_hand() -> None:
    """A want of importance 1 meets a trait one deviation up or down; like rates are joined in log-odds."""
    town = setting(same_kind)
    same = same_kind(town.test.viewer, town.test.candidate)
    wants = BASELINES["stated_preference"](town)
    assert wants.like == pytest.approx(np.where(same, 1.0, -1.0))
    assert wants.match == pytest.approx(np.where(same, 2.0, -2.0))
    # Of four answers that tell the kind, one's own kind gives all; of the age too, and only of one's own evening.
    recon = BASELINES["recon_individual"](town)
    assert recon.like == pytest.approx(np.where(same, 1.0, 1 / 6))
    assert recon.match == pytest.approx(recon.like)
    # All 7 who decided like the even kind, none the others; shrunk with 3 at 0.4, and the viewer's rate with 4.
    town = setting(even_kind)
    decided, given = town.test.history.candidate_received.decisions, town.test.history.viewer_given
    rate = (np.where(KIND[town.test.candidate] == 0, decided, 0) + 3 * 0.4) / (decided + 3)
    selectivity = (given.likes + 4 * 0.4) / (given.decisions + 4)
    odds = rate / (1 - rate) * selectivity / (1 - selectivity) / (0.4 / 0.6)
    assert BASELINES["beta_binomial"](town).like == pytest.approx(odds / (1 + odds))
    half, other = np.array([0.5, 1.0, 0.0, 0.0]), np.array([0.5, 0.25, 1.0, 0.0])
    assert compute_harmonic_mean(half, other) == pytest.approx([0.5, 0.4, 0, 0])


def test_factors_solve_their_ridge_regression() -> None:
    """Of the side fitted last: what is left of a user's likes sums to the penalty, 3, times the bias."""
    known = setting(by_lot).events
    factors = fit_factors(known, PEOPLE, FactorisationShape(rank=2, penalty=2.0, biased=True), seed=0)
    left = known.liked - factors.score(known.actor, known.target)
    assert np.bincount(known.target, left, PEOPLE) == pytest.approx(3 * factors.candidate[:, -1])
    for viewer, candidate in zip(factors.viewer.T[:-1], factors.candidate.T[:-1], strict=True):
        pull = np.bincount(known.target, left * viewer[known.actor], PEOPLE)
        assert pull == pytest.approx(2.0 * candidate, abs=1e-9)
