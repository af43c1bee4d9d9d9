import numpy as np
import pytest

from models.ml.arrays import Float64Array, Int64Array
from models.simulation.behaviour import LIKES, LIST, MEAN_BUDGET, Cards, find_openers, look_through
from models.simulation.luck import LIKING, OPENING, draw_uniform
from tests.models_simulation.conftest import make_world


def like_lower(viewer: Int64Array, candidate: Int64Array) -> Float64Array:
    """People like those with a smaller number, and nobody else."""
    return (candidate < viewer).astype(np.float64)


def full_lists(people: int, length: int) -> Cards:
    viewer = np.repeat(np.arange(people), length)
    position = np.tile(np.arange(1, length + 1), people)
    return Cards(viewer, (viewer + position) % people, position)


def test_luck_is_uniform_and_the_same_whoever_else_draws() -> None:
    one, other = np.arange(20_000), np.arange(20_000)[::-1]
    drawn = draw_uniform(1, LIKING, one, other)
    np.testing.assert_array_equal(draw_uniform(1, LIKING, one[7:9], other[7:9]), drawn[7:9])
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(2000, abs=200)
    for different in (draw_uniform(2, LIKING, one, other), draw_uniform(1, OPENING, one, other)):
        assert abs(np.corrcoef(drawn, different)[0, 1]) < 0.03


def test_people_look_down_their_lists_with_a_budget() -> None:
    world, lists = make_world(400, like_lower), full_lists(400, 100)
    seen = look_through(world, 0, find_openers(world, 0), lists, lists.take(lists.position < 1))
    depth = np.bincount(seen.cards.viewer, minlength=400)
    assert depth.mean() == pytest.approx(MEAN_BUDGET, abs=4 * MEAN_BUDGET / 20)
    assert (depth == np.array([seen.cards.position[seen.cards.viewer == each].max() for each in range(400)])).all()
    np.testing.assert_array_equal(seen.liked, seen.cards.candidate < seen.cards.viewer)
    again = look_through(world, 1, find_openers(world, 1), lists, lists.take(lists.position < 1))
    assert np.bincount(again.cards.viewer, minlength=400).tolist() != depth.tolist()


def test_likes_are_looked_through_after_the_list_and_nobody_twice() -> None:
    """Place k with probability 1/k; user 0 has the likes of everybody, and some of them on the list."""
    world = make_world(1000, like_lower)
    likes = Cards(np.zeros(999, np.int64), np.arange(1, 1000), np.arange(1, 1000))
    lists = Cards(np.zeros(20, np.int64), np.arange(1, 21), np.arange(1, 21))
    looks = np.zeros(1000)
    for day in range(300):
        seen = look_through(world, day, find_openers(world, day), lists, likes)
        assert len(set(seen.cards.candidate.tolist())) == len(seen.cards.candidate)
        assert (np.diff(seen.second) > 0).all()
        looks[seen.cards.candidate[seen.surface == LIKES]] += 1
        assert seen.surface.tolist() == sorted(seen.surface.tolist())
        assert LIST in seen.surface
    expected = 300 * (1 / np.arange(21, 1000)).sum()
    assert looks[21:].sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_only_those_open_the_app_who_are_there() -> None:
    world = make_world(2000, like_lower, opening_rate=0.3)
    world.leaves[:1000] = 5
    assert find_openers(world, 4)[:1000].mean() == pytest.approx(0.3, abs=0.06)
    assert not find_openers(world, 5)[:1000].any()
    assert find_openers(world, 5)[1000:].any()
