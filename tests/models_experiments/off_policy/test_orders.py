"""Two orders of the same lists, judged from logs whose true probabilities are known."""

import numpy as np
import pytest

from models.experiments.off_policy.orders import LoggedOrder, check_orders, compare_orders
from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import evaluate_curve

LENGTH, CURVE = 20, evaluate_curve("log2", 20)


def draw_logs(viewers: int, seed: int) -> tuple[LoggedOrder, Float64Array]:
    """Lists in a random order, and the true probabilities of likes; the model of the logs says one half of all."""
    rng = np.random.default_rng(seed)
    viewer, position = np.repeat(np.arange(viewers), LENGTH), np.tile(np.arange(1, LENGTH + 1), viewers)
    truth = rng.beta(1, 3, len(viewer))
    examined = rng.random(len(viewer)) < CURVE[position - 1]
    liked = examined & (rng.random(len(viewer)) < truth)
    return LoggedOrder(viewer, position, examined, liked, np.full(len(viewer), 0.5)), truth


def count_likes(truth: Float64Array, sign: int) -> float:
    """The true likes of all lists, sorted by the truth (1) or against it (-1)."""
    ordered = sign * np.sort(sign * truth.reshape(-1, LENGTH), axis=1)[:, ::-1]
    return float((ordered @ CURVE).sum())


def test_the_likes_of_both_orders_are_found() -> None:
    logged, truth = draw_logs(400, 1)
    found = compare_orders(logged, truth, -truth, CURVE)
    best, worst = count_likes(truth, 1), count_likes(truth, -1)
    assert abs(found.ours.value - best) < 3 * found.ours.standard_error < 0.15 * best
    assert abs(found.theirs.value - worst) < 3 * found.theirs.standard_error
    assert found.effective_size < logged.examined.sum()


@pytest.mark.parametrize(("sign", "state"), [(1, "passed"), (-1, "failed")])
def test_an_order_that_loses_likes_fails(sign: int, state: str) -> None:
    logged, truth = draw_logs(400, 2)
    check = check_orders("has_evidence", compare_orders(logged, sign * truth, -sign * truth, CURVE), "publication 1")
    assert check.state == state
    assert check.figures["likes_gain"] * sign > 0.1


def test_the_same_order_changes_nothing_for_sure() -> None:
    logged, truth = draw_logs(100, 3)
    check = check_orders("has_evidence", compare_orders(logged, truth, 2 * truth, CURVE), "publication 1")
    assert check.state == "passed"
    assert (check.figures["likes_gain"], check.figures["likes_gain_error"]) == (0, 0)


def test_too_few_logs_do_not_let_a_ranker_pass() -> None:
    logged, truth = draw_logs(20, 4)
    check = check_orders("has_evidence", compare_orders(logged, truth, -truth, CURVE), "publication 1")
    assert (check.judged, check.passed) == (False, False)
    assert check.figures["effective_size"] < 400
