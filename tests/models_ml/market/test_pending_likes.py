import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from models.ml.market.decoy_weights import weigh_decoys
from models.ml.market.pending_likes import MORE_DECOYS, choose_raised, count_decoys
from tests.models_ml.market.scored import SEEDS


@given(st.floats(0.05, 1))
def test_a_like_among_its_decoys_is_told_no_more_than_allowed(most_telling: float) -> None:
    assert 1 / (1 + count_decoys(most_telling)) <= most_telling + 1e-9
    assert most_telling > 0.99 or 1 / count_decoys(most_telling) > most_telling


@given(SEEDS, st.integers(0, 3))
def test_each_raised_like_has_its_decoys_night_after_night(seed: int, per_like: int) -> None:
    """Between nights, viewers decide on some candidates, and some decoys like the viewer."""
    rng = np.random.default_rng(seed)
    viewer = np.nonzero(rng.random((8, 9)) < 0.7)[0]
    pending, weight = rng.random(len(viewer)) < 0.2, rng.choice([0.0, 0.2, 5.0], len(viewer))
    raised = np.zeros(len(viewer), bool)
    for _ in range(4):
        before, raised = raised, choose_raised(viewer, pending, raised, weight, 1 / (1 + per_like), rng)
        assert raised[before].all()
        for person in range(9):
            own = viewer == person
            likes, decoys = (raised & pending & own).sum(), (raised & ~pending & own).sum()
            waiting, free = (pending & ~raised & own).sum(), (~pending & ~raised & own & (weight > 0)).sum()
            assert decoys >= per_like * likes or (free == 0 and (before & pending & own).sum() == likes)
            assert waiting == 0 or min(free, decoys + free - per_like * likes) < per_like
            assert (raised & ~before & ~pending & own & (weight == 0)).sum() == 0
        stays = rng.random(len(viewer)) < 0.8
        viewer, weight, raised = viewer[stays], weight[stays], raised[stays]
        pending = pending[stays] | (rng.random(len(viewer)) < 0.1)


def test_without_likes_nobody_is_raised() -> None:
    viewer = np.repeat(np.arange(5), 4)
    nobody = np.zeros(20, bool)
    assert not choose_raised(viewer, nobody, nobody, np.ones(20), 0.5, np.random.default_rng(0)).any()
    nothing = np.empty(0)
    none = choose_raised(nothing.astype(np.int64), nothing > 0, nothing > 0, nothing, 0.5, np.random.default_rng(0))
    assert len(none) == 0


def test_decoys_are_drawn_by_weight() -> None:
    """Each viewer has a pending like and two others, the one with three times the weight of the other."""
    viewer, pending = np.repeat(np.arange(20_000), 3), np.tile([True, False, False], 20_000)
    weight = np.tile([9.0, 1.0, 3.0], 20_000)
    raised = choose_raised(viewer, pending, np.zeros(60_000, bool), weight, 0.5, np.random.default_rng(0))
    assert raised[pending].all()
    one = raised.reshape(-1, 3).sum(axis=1) == 2  # the others have both
    assert one.mean() == pytest.approx(1 - MORE_DECOYS, abs=0.02)
    assert raised[2::3][one].mean() == pytest.approx(3 / 4, abs=0.02)


@pytest.mark.parametrize("pairs", [200_000, 300])
def test_decoys_are_like_the_likes_that_wait(pairs: int) -> None:
    """Where likes wait by known odds, drawing pairs by weight gives pairs like them; with few likes, by usual odds."""
    rng = np.random.default_rng(0)
    like, back, activity = (rng.uniform(0.05, 0.95, pairs) for _ in range(3))
    odds = -5 + 0.8 * logit(like) + 1.2 * logit(back) + 2 * np.log(activity)
    pending = rng.random(pairs) < expit(odds)
    weight = weigh_decoys(like, back, activity, pending)
    for value in (like, back, activity):
        drawn, waits, others = (
            np.average(value, weights=weight * ~pending),
            value[pending].mean(),
            value[~pending].mean(),
        )
        assert abs(drawn - waits) < (0.01 if pending.sum() > 1000 else 1)
        assert drawn > others
