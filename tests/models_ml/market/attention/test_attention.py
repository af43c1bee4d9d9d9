from dataclasses import replace

import numpy as np
import pytest

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.attention.examination_estimate import (
    OfferedCards,
    estimate_curve,
    find_available,
    find_counted,
)
from models.ml.market.attention.inbox_weight import (
    DRIFT,
    UNMEASURED,
    InboxWeight,
    measure_inbox_weight,
    move_inbox_weight,
)


@pytest.mark.parametrize(
    ("curve", "values"),
    [
        ("inv", [1, 1 / 2, 1 / 3, 1 / 4]),
        ("exp", [1, 0.36787944, 0.13533528, 0.04978707]),
        ("log", [1.44269504, 0.91023923, 0.72134752, 0.62133493]),
        ("log2", [1, 0.63092975, 0.5, 0.43067656]),
        ("flat", [1, 1, 1, 1]),
        ([0.9, 0.3], [0.9, 0.3, 0.3, 0.3]),  # measured values hold past their end
        ([0.2, 0.9, 0.0], [0.2, 0.9]),
        ([1, 0], []),
    ],
    ids=str,
)
def test_curves(curve: Curve, values: list[float]) -> None:
    np.testing.assert_allclose(evaluate_curve(curve, len(values)), values, rtol=1e-7)


@pytest.mark.parametrize("wrong", ["linear", [], [1.0, 1.1], [-0.1], [float("nan")], [[1.0, 0.5]]])
def test_what_is_no_curve_is_refused(wrong: Curve) -> None:
    with pytest.raises(InputError, match="examination curve"):
        evaluate_curve(wrong, 3)


NEVER = np.nan


def offer(*rows: tuple[int, int, float, float]) -> OfferedCards:
    """Cards by listing, position, examined_at and decided_at; each listing is of a viewer of its own."""
    listing, position, examined_at, decided_at = (np.array(column) for column in zip(*rows, strict=True))
    return OfferedCards(listing, listing, position, examined_at.astype(float), decided_at.astype(float))


def draw_cards(
    curve: Float64Array, seed: int, viewers: int = 2000, *, stops: bool = False, lists: int = 1
) -> OfferedCards:
    """Viewers with some days apart, a third of whom open nothing, examine lists of various lengths.

    `stops`: they look down the list and stop; otherwise each card is examined by itself.
    """
    rng = np.random.default_rng(seed)
    length = np.repeat(np.minimum(1 + rng.geometric(0.2, viewers), len(curve)), lists)
    listing = np.repeat(np.arange(viewers * lists), length)
    position = np.arange(len(listing)) - np.searchsorted(listing, listing) + 1
    luck = rng.random(viewers * lists)[listing] if stops else rng.random(len(listing))
    opened = np.repeat(rng.random(viewers) < 2 / 3, lists)
    examined = opened[listing] & (luck < curve[position - 1])
    moment = np.where(examined, position.astype(float), NEVER)
    return OfferedCards(listing // lists, listing, position, moment, moment)


def test_what_counts_is_what_could_have_been_examined() -> None:
    """A card counts beside another that was examined, unless it was gone when the list was opened."""
    cards = offer(
        (0, 1, 5, 5),  # the only one: nothing else shows that the list was open
        (0, 2, NEVER, NEVER),
        (1, 1, NEVER, 4),  # decided on elsewhere before
        (1, 2, 5, NEVER),
        (1, 3, 6, 7),
        (1, 4, NEVER, 5.5),  # decided on elsewhere, but was there at first
        (2, 1, NEVER, NEVER),  # never opened
        (2, 2, NEVER, 1),
    )
    assert find_available(cards).tolist() == [True, True, False, True, True, True, True, False]
    assert find_counted(cards).tolist() == [False, True, False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("name", "level", "stops"),
    [("inv", 1.0, True), ("log2", 1.0, True), ("inv", 1.0, False), ("log2", 0.7, False), ("flat", 0.3, False)],
)
def test_a_planted_curve_is_found(name: str, level: float, stops: bool) -> None:
    """Also if a third opens nothing, and if many who open the list examine none of it."""
    truth = level * evaluate_curve(name, 20)
    found = estimate_curve(draw_cards(truth, 1, stops=stops), "exp")
    miss = np.abs(found.examination[:10] - truth[:10]) / found.standard_error[:10]
    assert miss.max() < 4
    assert found.standard_error[:4].max() < 0.03
    if truth[0] == 1:
        assert found.examination[0] == pytest.approx(1, abs=0.001)


def test_standard_errors_are_as_large_as_the_misses() -> None:
    """Also with three lists a viewer, looked down alike."""
    truth, misses, slopes = 0.9 * evaluate_curve("log2", 8), [], []
    for seed in range(60):
        cards = draw_cards(truth, seed, viewers=300, lists=3)
        cards = replace(cards, examined_at=np.where(cards.viewer % 2, cards.examined_at, NEVER))
        found, weight = estimate_curve(cards, "flat"), measure_inbox_weight(cards)
        assert weight is not None
        misses.append((found.examination[:5] - truth[:5]) / found.standard_error[:5])
        slopes.append((weight.weight, weight.standard_error))
    assert np.std(misses, axis=0) == pytest.approx(np.ones(5), abs=0.3)
    weights, errors = np.transpose(slopes)
    assert np.std(weights) == pytest.approx(errors.mean(), rel=0.3)


def test_the_curve_leaves_the_assumed_one_little_by_little() -> None:
    """No viewer makes a jump, from the first one on."""
    cards = draw_cards(evaluate_curve("flat", 50), 3, viewers=400)
    curves = [estimate_curve(cards.take(cards.viewer < n), "inv").examination for n in range(400)]
    np.testing.assert_allclose(curves[0], evaluate_curve("inv", 50))
    steps = np.abs(np.diff(curves, axis=0))
    assert steps.max() < 0.2
    assert steps[100:, :5].max() < 0.01
    assert curves[-1][:3] == pytest.approx(np.ones(3), abs=0.02)


def test_a_bot_counts_as_one_viewer() -> None:
    """It has a hundred lists and an inbox of 250, and examines all of them, or none but the last card."""
    cards = draw_cards(evaluate_curve("inv", 20), 4, viewers=600)
    for everything in (True, False):
        listing, position = (each.ravel() for each in np.indices((100, 250)))
        moment = np.where(everything | (position == 249), 1.0, NEVER)
        bot = (np.full(25_000, 600), listing + 600, position + 1, moment, moment)
        both = OfferedCards(*(np.concatenate(pair) for pair in zip(vars(cards).values(), bot, strict=True)))
        moved = estimate_curve(both, "inv").examination - estimate_curve(cards, "inv").examination
        counted = cards.take(find_counted(cards))
        assert np.abs(moved[:5]).max() <= 1 / np.bincount(counted.position)[1:6].min()
        before, after = measure_inbox_weight(cards), measure_inbox_weight(both)
        assert before is not None
        assert after is not None
        assert abs(after.weight - before.weight) < 0.01


@pytest.mark.parametrize("scale", [1.0, 0.4])
@pytest.mark.parametrize("q", [0.0, 0.3, 1.0])
def test_the_weight_is_the_share_that_falls(q: float, scale: float) -> None:
    curve = scale * (1 - q + q * evaluate_curve("inv", 20))
    found = measure_inbox_weight(draw_cards(curve, 5))
    assert found is not None
    assert abs(found.weight - q) < 4 * found.standard_error
    assert found.standard_error < 0.1


@pytest.mark.parametrize(
    "cards",
    [
        OfferedCards(*(np.empty(0, np.int64),) * 3, *(np.empty(0),) * 2),
        offer((0, 1, NEVER, NEVER), (0, 2, NEVER, NEVER)),
        offer((0, 1, 1, 1)),
        offer((0, 7, 1, 1), (0, 7, 2, 2)),
    ],
)
def test_without_two_positions_there_is_no_weight(cards: OfferedCards) -> None:
    assert measure_inbox_weight(cards) is None
    assert move_inbox_weight(InboxWeight(0.8, 0.01), None).weight == 0.8
    assert estimate_curve(cards, "inv").examination[10] == pytest.approx(1 / 11)


def test_the_weight_moves_a_step_at_a_time() -> None:
    weight, way = UNMEASURED, []
    for _ in range(8):
        weight = move_inbox_weight(weight, InboxWeight(1.2, 0.01))
        way.append(weight)
    values = [0.5, *(each.weight for each in way)]
    assert 0 < min(np.diff(values[:5])) <= max(np.diff(values)) <= 0.1
    assert values[-1] == pytest.approx(1, abs=0.01)
    assert all(1 - each.weight < 2 * each.standard_error for each in way)  # unsure of it until it is there
    unsure = move_inbox_weight(weight, InboxWeight(0, 10))
    assert unsure.weight == pytest.approx(weight.weight, abs=1e-4)
    # Two measurements of the same precision as all that is known count half each.
    even = move_inbox_weight(InboxWeight(0.6, 0.04), InboxWeight(0.7, np.hypot(0.04, DRIFT)))
    assert even.weight == pytest.approx(0.65)
    assert even.standard_error == pytest.approx(0.05 / np.sqrt(2))
