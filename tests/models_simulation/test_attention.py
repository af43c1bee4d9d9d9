"""Attention measured night after night: the curve of lists, and a weight of inboxes that moves and does not jump."""

import numpy as np
import pytest

from models.ml.arrays import Float64Array, Int64Array
from models.ml.market.attention.examination_estimate import CurveEstimate, estimate_curve, find_available
from models.ml.market.attention.inbox_weight import UNMEASURED, InboxWeight, measure_inbox_weight, move_inbox_weight
from models.simulation.behaviour import LIKES, LIST, MEAN_BUDGET, Cards, NightLists, find_openers, look_through
from models.simulation.event_log import NOTHING, EventLog, open_log
from models.simulation.nightly_lists import order_cards
from models.simulation.offered_cards import match_offered_cards
from tests.models_simulation.conftest import make_world

PEOPLE, LENGTH = 400, 50
BUDGETS = (1 - 1 / MEAN_BUDGET) ** np.arange(LENGTH)
"""How probably people look as far as each position of a list."""


def like_some(viewer: Int64Array, candidate: Int64Array) -> Float64Array:
    """Each viewer likes others with probabilities of 0.05 to 0.5, a fifth on average."""
    return 0.05 + 0.45 * ((viewer * 7919 + candidate * 104_729) % 997 / 997) ** 2


def list_likers_first(log: EventLog) -> Cards:
    """Lists of open candidates in a random order, in which senders of pending likes are rather high."""
    score = np.random.default_rng(len(log.days)).random(log.decided.shape)
    score += 0.5 * (log.decided.T != NOTHING)
    score[log.decided != NOTHING] = -1
    np.fill_diagonal(score, -1)
    viewer, candidate = np.nonzero(score >= 0)
    cards = order_cards(viewer, candidate, score[viewer, candidate])
    return cards.take(cards.position <= LENGTH)


def live_through(seed: int, nights: int) -> tuple[list[InboxWeight], list[CurveEstimate]]:
    """The weight and the curve of each night, from what was seen of the last publication."""
    world = make_world(PEOPLE, like_some, opening_rate=0.5, seed=seed)
    log, weights, curves = open_log(world), [UNMEASURED], []
    for day in range(nights):
        lists = list_likers_first(log)
        receiver, sender = log.find_pending(world.find_present(day))
        likes = order_cards(receiver, sender, like_some(receiver, sender))
        shown = NightLists(lists, np.zeros(len(lists.viewer)), likes)
        log.add_day(shown, look_through(world, day, find_openers(world, day), lists, likes))
        inboxes = match_offered_cards(likes, log.days[-1], LIKES)
        weights.append(move_inbox_weight(weights[-1], measure_inbox_weight(inboxes)))
        curves.append(estimate_curve(match_offered_cards(lists, log.days[-1], LIST), "inv"))
    return weights, curves


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_attention_is_found_without_a_jump(seed: int) -> None:
    """The people examine place k of their inbox with 1/k, a weight of 1, and lists as far as their budget goes."""
    weights, curves = live_through(seed, 8)
    assert np.abs(np.diff([each.weight for each in weights])).max() <= 0.1
    assert weights[-1].weight == pytest.approx(1, abs=0.1)
    assert weights[-1].standard_error < 0.05
    for curve in curves:
        assert curve.examination[0] == pytest.approx(1, abs=0.001)
        assert (np.abs(curve.examination - BUDGETS) / curve.standard_error).max() < 4.5


@pytest.mark.parametrize("open_list", [True, False])
def test_a_sender_met_on_the_list_is_in_no_inbox(open_list: bool) -> None:
    likes = Cards(np.zeros(3, np.int64), np.array([2, 3, 4]), np.array([1, 2, 3]))
    lists = Cards(np.zeros(2, np.int64), np.array([1, 2]), np.array([1, 2]))
    world, everybody = make_world(5, like_some, seed=3), np.ones(5, bool)
    seen = look_through(world, 0, everybody, lists.take(lists.position * open_list > 0), likes)
    offered = match_offered_cards(likes, seen, LIKES)
    assert offered.examined.tolist()[0] != open_list
    assert find_available(offered).tolist() == [not open_list, True, True]
    nothing = look_through(world, 0, ~everybody, lists, likes)
    assert not match_offered_cards(likes, nothing, LIKES).examined.any()
