"""The markets are those that were published, the populations what they are said to be, the verdicts right."""

from collections.abc import Callable

import numpy as np
import pytest

from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_two_sided_likes
from models.ml.validation.score_metrics import compute_auc, compute_calibration_error
from tests.bench.figures import MEASURED, Row
from tests.bench.market import (
    acceptance,
)
from tests.bench.markets import (
    CELLS,
    TWO_SIDED,
    Cell,
    Pairs,
    as_a_ranker_sees,
    market,
    outcome,
    reached_auc,
    sparse_population,
    with_noise,
)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell[:4])))
def test_published_columns_are_reproduced(cell: Cell) -> None:
    """They are means of 10,000 runs, to one decimal: three standard errors are 0.3 at most."""
    like, liked_back = market(cell.environment, cell.crowding, cell.receivers)
    for name, published in (("naive", cell.naive), ("product", cell.reciprocal)):
        order = TWO_SIDED[name](like, liked_back, cell.examination)
        sent = compute_two_sided_likes(like, liked_back, order, cell.examination)
        assert compute_expected_matches(sent, cell.examination) == pytest.approx(published, abs=0.3)


@pytest.mark.parametrize("estimate", [as_a_ranker_sees, with_noise])
def test_estimates_reach_their_auc_and_are_calibrated(estimate: Callable[[Pairs, float], Pairs]) -> None:
    true = sparse_population(people=1000, crowding=0.5)
    seen = estimate(true, 0.65)
    liked = np.random.default_rng(5).random(len(true.p_like)) < true.p_like
    assert reached_auc(true, seen) == pytest.approx(0.65, abs=0.01)
    assert compute_auc(liked, seen.p_like) == pytest.approx(0.65, abs=0.01)
    assert compute_calibration_error(liked, seen.p_like) < 0.02


def test_lists_by_hand() -> None:
    """User 0 lists 2 before 1, and 2 lists 0."""
    p_like = np.array([0.5, 0.8, 0.9, 0.4], np.float32)
    pairs = Pairs(3, np.array([0, 0, 1, 2]), np.array([1, 2, 0, 0]), p_like)
    sent, views = outcome(pairs, np.array([1, 0, 3]))
    assert sent.viewer.tolist() == [2, 0, 0]
    np.testing.assert_allclose(sent.sent, [0.4, 0.25, 0.8])
    np.testing.assert_allclose(sent.welcome, [0.8, 0.9, 0.4], rtol=1e-6)
    assert views.tolist() == [1, 0.5, 1]


def test_verdicts_by_hand() -> None:
    gains = [("inv", 14.9), ("inv", 20.0), ("log2", 5.0), ("flat", -4.0)]
    noisy: list[Row] = [{"noise": "some", "true inbox": inbox, "hedged": gain} for inbox, gain in gains]
    cell: Row = {"social welfare published": 100.0, "first trial": 101.0, "naive": 1.0, "product": 2.0, "TU β=1": 99.0}
    cell |= {"best response": 99.9, "simulated": 99.0, "± s.e.": 0.4}
    verdicts = acceptance({"noisy": noisy, "published": [cell]})
    assert [row[MEASURED] for row in verdicts[:3]] == pytest.approx([-2.5, -0.1, 100 * (99.9 / 99 - 1)])
    assert [row[""] for row in verdicts[:3]] == ["does not hold", "does not hold", "holds"]
    assert [row[""] for row in verdicts[3:]] == ["does not hold", "holds", "holds"]
