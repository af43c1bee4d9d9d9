"""Towns of speed-dating evenings in which who likes whom is known exactly, as settings for the baselines."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.ml.arrays import BoolArray, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput
from models.ml.features.decision_history import Decisions, PairHistory, build_decision_history
from models.ml.features.pair_features import Pairs
from models.ml.profiles.feature_spec import CategoricalFeature
from models.ml.profiles.profile_matrix import ProfileMatrix
from tests.models_ml.conftest import crowd, number, specification, unknown

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
    """Checkerboard: everybody likes their own kind."""
    return np.asarray(KIND[viewer] == KIND[candidate])


def even_kind(viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    """Everybody likes the same half of the others."""
    return np.asarray(KIND[candidate] == 0)


def by_lot(viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    """Everybody decides by a coin: there are no ties to hide in."""
    return np.asarray(np.random.default_rng(1).random((PEOPLE, PEOPLE))[viewer, candidate] < 0.4)


def townspeople() -> ProfileMatrix:
    """Everything that people say tells their kind; they want their own."""
    sign = 1.0 - 2.0 * KIND
    both = np.column_stack([sign, -sign])
    return crowd(
        PEOPLE, SPECIFICATION, traits=both, wants=both, facts=KIND[:, None], interests=np.eye(2)[KIND], age=30 + EVENING
    )


def setting(likes: Likes, people: ProfileMatrix | None = None) -> BaselineInput:
    """The last evening is the test: a third of its decisions is to be scored, the others and other evenings known."""
    viewer, candidate = np.nonzero((EVENING[:, None] == EVENING) & (GENDER[:, None] != GENDER))
    liked = likes(viewer, candidate)
    last = EVENING[viewer] == EVENINGS - 1
    # The same for both directions of a pair.
    asked = last & ((viewer // 2 + candidate // 2) % 3 == 0)
    count = np.count_nonzero(~asked)
    known = Decisions(viewer[~asked], candidate[~asked], liked[~asked], np.zeros(count, np.int64), np.ones(count))
    today = build_decision_history(known, np.where(known.liked, 0.6, -0.4), PEOPLE)
    arrays = people or townspeople()
    return BaselineInput(
        specification=SPECIFICATION,
        base_rate=0.4,
        gender=GENDER,
        train=strangers(arrays, viewer[~last], candidate[~last]),
        train_liked=liked[~last],
        train_group=EVENING[viewer[~last]],
        test=Pairs(arrays, viewer[asked], candidate[asked], today.get_pair_history(viewer[asked], candidate[asked])),
        events=known,
        seed=0,
    )


def strangers(people: ProfileMatrix, viewer: Int64Array, candidate: Int64Array) -> Pairs:
    """Pairs of whose likes nothing is known."""
    nothing = unknown(len(viewer))
    return Pairs(people, viewer, candidate, PairHistory(nothing, nothing, nothing, nothing))


def reordered(given: BaselineInput, seed: int) -> tuple[BaselineInput, Int64Array]:
    """The same setting with its rows in another order, and the order of its test pairs."""
    random = np.random.default_rng(seed)
    train, test, events = (
        random.permutation(size) for size in (len(given.train), len(given.test), len(given.events.actor))
    )
    known = given.events
    return replace(
        given,
        train=given.train.take(train),
        train_liked=given.train_liked[train],
        train_group=given.train_group[train],
        test=given.test.take(test),
        events=known.take(events),
    ), test
