import numpy as np
import pytest

from models.ml.evaluation.monitoring.loop import SHORT_LIST, measure_loop
from models.ml.features.decision_history import Decisions

LIKE, PASS = True, False


def decided(*rows: tuple[int, int, bool, int]) -> Decisions:
    actor, target, liked, time = (np.array(column) for column in zip(*rows, strict=True))
    return Decisions(actor, target, liked, time, np.ones(len(rows)))


def test_the_loop_by_hand() -> None:
    """Users 0 and 1 match, as do 0 and 2, today; 3 passed on 0 and has a like of 1 waiting; 4 is alone."""
    decisions = decided(
        *((0, 1, LIKE, 5), (1, 0, LIKE, 9), (2, 0, LIKE, 20), (0, 2, LIKE, 12)),
        *((3, 0, PASS, 1), (0, 3, LIKE, 2), (1, 3, LIKE, 3), (2, 1, PASS, 4)),
    )
    viewer = np.append(np.repeat([0, 1], SHORT_LIST), 2)
    candidate = np.append(np.tile(np.arange(1, 5), 6), 4)
    figures = measure_loop(decisions, viewer, candidate, np.array([40, 3, 14, 2, 15]), since=20)
    assert figures == {
        "matches": 2,
        "matches_last_day": 1,
        "with_match": pytest.approx(3 / 5),
        "likes_waiting": 1,
        "short_lists": pytest.approx(3 / 5),
        "refusals_listed": 3 + 3,
        "newcomers_matched": 1.0,
    }


def test_without_decisions_or_newcomers() -> None:
    nothing = np.empty(0, np.int64)
    none = Decisions(nothing, nothing, nothing > 0, nothing, np.empty(0))
    figures = measure_loop(none, nothing, nothing, np.full(3, 59), since=0)
    assert figures["short_lists"] == 1
    assert sum(figures.values()) == 1
    assert measure_loop(none, nothing, nothing, nothing, since=0)["with_match"] == 0
