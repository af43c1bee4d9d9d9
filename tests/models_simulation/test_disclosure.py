from dataclasses import replace

import numpy as np

from models.simulation.behaviour import LIST, NO_CARDS, Cards, CardViews, NightLists
from models.simulation.disclosure import measure_disclosure
from models.simulation.event_log import open_log
from models.simulation.world import World


def test_what_a_list_tells_is_counted_by_rule(small_world: World) -> None:
    """On the first day 2 likes 1, who sees 2 on the third day above a card that says more, as on the second."""
    log = open_log(replace(small_world, earlier=small_world.earlier.head(0)))
    like, no_p_match = Cards(*(np.array([each]) for each in (2, 1, 1))), np.empty(0)
    log.add_day(NightLists(NO_CARDS, no_p_match, NO_CARDS), view(like, liked=True))
    cards = Cards(np.array([1, 1, 2]), np.array([2, 3, 4]), np.array([1, 2, 1]))
    lists = NightLists(cards, np.array([0.1, 0.3, 0.2]), NO_CARDS)
    log.add_day(lists, view(NO_CARDS, liked=False))
    log.add_day(lists, view(cards, liked=False))
    told = measure_disclosure(log).set_index("rule")[["cards", "pending"]].T.to_dict("list")
    assert told["place 1"] == told["still at place 1"] == [2, 0.5]
    assert told["place 2"] == [1, 0]
    assert told["twice as high below"] == [1, 1]
    assert told["new, places 1 to 3"][0] == told["half as high below"][0] == 0


def view(cards: Cards, *, liked: bool) -> CardViews:
    """These cards, seen in lists, and all liked or all passed on."""
    count = len(cards.viewer)
    return CardViews(cards, np.full(count, LIST), np.arange(count), np.full(count, liked))
