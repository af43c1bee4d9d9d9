"""What is planted in the messages of simulated conversations is found in them again."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.simulation.after_the_like.exchanges import ALTERNATION, MatchedPairs
from models.simulation.after_the_like.habits import (
    AFFINITY_SD,
    GHOSTS,
    PAIR_SD,
    PERSON_SD,
    draw_habits,
    draw_rapport,
)
from models.simulation.after_the_like.hazards import find_log_odds, get_share_going_on
from tests.models_simulation.after_the_like.conftest import PEOPLE, SEED, Drawn, draw_alone, draw_pairs

REACHED = 12


def test_without_affinity_the_log_odds_are_those_of_the_shares() -> None:
    shares = [get_share_going_on(message) for message in range(21)]
    np.testing.assert_allclose(expit(find_log_odds(0.0)), shares, rtol=1e-9)
    assert [shares[message] for message in (2, 3, 4, 20)] == [0.960, 0.946, 0.953, 0.984]
    assert find_log_odds(AFFINITY_SD)[20] < logit(0.984)  # those who get there are above the average


def test_half_of_the_openers_are_answered_and_the_rest_goes_on_as_measured(drawn: Drawn) -> None:
    counts = drawn.counts
    written, two_sided = counts.any(axis=1), counts.all(axis=1)
    assert two_sided.sum() / written.sum() == pytest.approx(0.5, abs=0.02)
    total = counts.sum(axis=1)[two_sided]
    for message in (2, 3, 4, 6, 10, 20):
        left = (total >= message).sum()
        share, expected = (total > message).sum() / left, get_share_going_on(message)
        # Ghosts, who never write, leave those who do a bit more affine: hence the half percent.
        assert share == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / left) + 0.005)


def test_ghosts_never_write_and_senders_alternate_as_often_as_planted(drawn: Drawn) -> None:
    sent, habits, pairs = drawn.messages, drawn.habits, drawn.pairs
    writer = np.where(sent.side == 0, pairs.a[sent.conversation], pairs.b[sent.conversation])
    assert not habits.ghost[writer].any()
    assert habits.ghost.mean() == pytest.approx(GHOSTS, abs=0.02)
    later = np.flatnonzero(sent.number > 2)
    assert (sent.side[later] != sent.side[later - 1]).mean() == pytest.approx(ALTERNATION, abs=0.02)
    assert (np.diff(sent.sent_at)[np.diff(sent.conversation) == 0] > 0).all()


def test_initiative_decides_who_writes_first() -> None:
    pairs = draw_pairs(600, 8_000, 5)
    men = np.arange(600) % 2 == 0
    habits = draw_habits(5, np.where(men, 0.86, -0.86))
    sent = draw_alone(pairs, habits, 5)
    first = sent.number == 1
    a, b, side = pairs.a[sent.conversation[first]], pairs.b[sent.conversation[first]], sent.side[first]
    mixed = men[a] != men[b]
    by_man = np.where(side == 0, men[a], men[b])[mixed]
    assert by_man.mean() == pytest.approx(0.79, abs=0.03)


def build_steps(drawn: Drawn) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The steps after messages 2 to 19: the planted causes, the log-odds of the step, whether it was taken."""
    total, two_sided = drawn.counts.sum(axis=1), drawn.counts.all(axis=1)
    r, pairs = drawn.habits.responsiveness, drawn.pairs
    causes = np.stack([r[pairs.a], r[pairs.b], draw_rapport(SEED, pairs.a, pairs.b)], axis=1)
    rows = [(np.flatnonzero(two_sided & (total >= message)), message) for message in range(2, 20)]
    log_odds = np.repeat([find_log_odds(AFFINITY_SD)[message] for _, message in rows], [len(row) for row, _ in rows])
    taken = np.concatenate([total[row] > message for row, message in rows])
    return np.concatenate([causes[row] for row, _ in rows]), log_odds, taken.astype(np.float64)


def test_person_and_pair_shift_each_step_by_what_is_planted(drawn: Drawn) -> None:
    """A logistic regression by Newton's method, with the log-odds of the step as offset."""
    causes, log_odds, taken = build_steps(drawn)
    found = np.zeros(3)
    for _ in range(8):
        chance = expit(log_odds + causes @ found)
        information = (causes * (chance * (1 - chance))[:, None]).T @ causes
        found += np.linalg.solve(information, causes.T @ (taken - chance))
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    assert (np.abs(found - [PERSON_SD, PERSON_SD, PAIR_SD]) < 3.5 * error).all(), (found, error)


def test_the_variance_of_people_shows_in_conversations_that_share_one(drawn: Drawn) -> None:
    """Blind to the truth: the covariance of reaching REACHED messages, against that of the planted model."""
    real = ~(drawn.habits.ghost[drawn.pairs.a] | drawn.habits.ghost[drawn.pairs.b])
    reached = (drawn.counts.sum(axis=1) >= REACHED)[real].astype(np.float64)
    a, b = drawn.pairs.a[real], drawn.pairs.b[real]
    off, who = np.tile(reached - reached.mean(), 2), np.concatenate([a, b])
    total, squares, n = (np.bincount(who, weight, PEOPLE) for weight in (off, off**2, np.ones(len(off))))
    seen = (total**2 - squares).sum() / (n * (n - 1)).sum()
    # Two affinities that share a person: the same normal for the person, two others for the rest.
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    rest = np.sqrt(PERSON_SD**2 + PAIR_SD**2) * nodes
    reach = np.exp(
        sum(np.log(expit(find_log_odds(AFFINITY_SD)[m] + PERSON_SD * nodes[:, None] + rest)) for m in range(REACHED))
    )
    by_person, weights = reach @ (weights / weights.sum()), weights / weights.sum()
    expected = weights @ by_person**2 - (weights @ by_person) ** 2
    assert seen == pytest.approx(expected, rel=0.25)


def find_auc(drawn: Drawn, known: int) -> float:
    """AUC for both sending five, from the first `known` conversations of both: their shrunk rates and reply times."""
    sent, k, people = drawn.messages, len(drawn.pairs.a), np.stack([drawn.pairs.a, drawn.pairs.b], axis=1)
    lasting = np.asarray((drawn.counts >= 5).all(axis=1))
    reply = np.flatnonzero((np.diff(sent.conversation) == 0) & (np.diff(sent.side) != 0)) + 1
    cell = sent.conversation[reply] * 2 + sent.side[reply]
    replies = np.bincount(cell, minlength=2 * k).reshape(k, 2)
    waits = np.bincount(cell, np.log(np.diff(sent.sent_at)[reply - 1]), 2 * k).reshape(k, 2) / np.maximum(replies, 1)
    count = count_before(people)
    past, later = count < known, (count >= 16).all(axis=1)
    features = [
        shrink(people, np.stack([lasting, lasting], axis=1), past, 4.0),
        shrink(people, np.log1p(np.stack([drawn.counts.sum(axis=1)] * 2, axis=1)), past, 4.0),
        shrink(people, waits, past & (replies > 0), 1.0),
    ]
    x = np.stack([each[people].sum(axis=1) for each in features], axis=1)[later]
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), lasting[later]
    half = len(y) // 2
    fitted = LogisticRegression().fit(x[:half], y[:half])
    return float(roc_auc_score(y[half:], fitted.decision_function(x[half:])))


def count_before(people: Int64Array) -> Int64Array:
    """How many conversations each of the two had before, (k, 2), in the order of the rows."""
    flat = people.ravel()
    order = np.argsort(flat, kind="stable")
    start = np.searchsorted(flat[order], flat[order])
    count = np.empty(len(flat), np.int64)
    count[order] = np.arange(len(flat)) - start
    return count.reshape(people.shape)


def shrink(people: Int64Array, values: Float64Array | BoolArray, rows: BoolArray, prior: float) -> Float64Array:
    """The mean of each person's values in these rows, shrunk to the mean of all."""
    n = np.bincount(people[rows], minlength=PEOPLE)
    total = np.bincount(people[rows], values[rows].astype(np.float64), PEOPLE)
    return np.asarray((total + prior * values[rows].mean()) / (n + prior))


@pytest.mark.parametrize(("known", "measured"), [(1, 0.606), (4, 0.656), (16, 0.672)])
def test_past_conversations_tell_as_much_as_measured(drawn: Drawn, known: int, measured: float) -> None:
    assert find_auc(drawn, known) == pytest.approx(measured, abs=0.035)


def test_a_pair_writes_the_same_whoever_else_is_there(drawn: Drawn) -> None:
    some = np.arange(0, 300, 3)
    pairs = MatchedPairs(drawn.pairs.a[some], drawn.pairs.b[some], drawn.pairs.matched_at[some])
    alone = draw_alone(pairs, drawn.habits, SEED)
    among = drawn.messages.take(np.isin(drawn.messages.conversation, some))
    np.testing.assert_array_equal(alone.sent_at, among.sent_at)
    np.testing.assert_array_equal(alone.side, among.side)
