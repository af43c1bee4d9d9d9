import numpy as np
import pytest

from models.ml.market.outcomes.shown_matches import REALISED, compute_shown_shift, shift_probabilities


def draw(share: float, pairs: int = 50_000) -> tuple[np.ndarray, ...]:
    """p_like, p_liked_back, who waits, and looks, of listed pairs of which so many are pending likes."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.05, 0.6, pairs), rng.uniform(0.05, 0.6, pairs), rng.random(pairs) < share, rng.random(pairs)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
def test_percentages_are_right_on_average_over_what_is_shown(share: float) -> None:
    p_like, back, pending, looks = draw(share)
    shift = compute_shown_shift(p_like, back, pending, looks)
    said = shift_probabilities((p_like * back).astype(np.float32), shift)
    came = p_like * np.where(pending, 1, back)
    assert (shift > 0) == (share > 0)
    if share:
        assert looks @ said == pytest.approx(REALISED * looks @ came, rel=0.06)
    assert shift == pytest.approx(round(shift, 1), abs=1e-9)


def test_one_like_among_many_or_few_moves_nothing() -> None:
    for pairs in (10, 50_000):
        p_like, back, pending, looks = draw(0.2, pairs)
        one = np.flatnonzero(~pending)[0]
        more = pending.copy()
        more[one] = True
        assert compute_shown_shift(p_like, back, pending, looks) == compute_shown_shift(p_like, back, more, looks)


def test_the_order_stays_and_certainty_too() -> None:
    probability = np.array([0, 0.1, 0.5, 0.5, 1], np.float32)
    shifted = shift_probabilities(probability, 0.7)
    assert shifted.dtype == np.float32
    assert (np.diff(shifted) >= 0).all()
    assert shifted[[0, 4]].tolist() == [0, 1]
    assert shifted[2] > 0.5
    nothing = np.empty(0)
    assert compute_shown_shift(nothing, nothing, nothing > 0, nothing) == 0
