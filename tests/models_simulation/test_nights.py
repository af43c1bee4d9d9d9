from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.ml.scoring.candidates import ScoredPairs
from models.simulation.arms.product import Likes, Product
from models.simulation.arms.rivals import Rival, score_popularity, score_randomly
from models.simulation.behaviour import LIKES, LIST, Cards, CardViews, NightLists
from models.simulation.event_log import LIKE, NOTHING, PASS, EventLog
from models.simulation.loop_outcome import compare_matches, measure_p_like
from models.simulation.nights import simulate_nights
from models.simulation.world import World
from tests.models_simulation.conftest import make_world

DAYS = 3


class Recorder(Product):
    """The product, with the lists of each night and what had been decided by then."""

    def make_lists(self, log: EventLog) -> NightLists:
        made = super().make_lists(log)
        self.nights = [*getattr(self, "nights", []), (made, log.decided.copy())]
        return made


Nights = tuple[Likes, Recorder, EventLog, pd.DataFrame]


@pytest.fixture(scope="module", params=["secret", "told"])
def nights(request: pytest.FixtureRequest, small_world: World) -> Nights:
    likes: Likes = request.param
    product = Recorder("best_response", likes)
    log, figures = simulate_nights(small_world, product, DAYS)
    return likes, product, log, figures


def test_what_happens_adds_up(nights: Nights, small_world: World) -> None:
    likes, product, log, figures = nights
    made = pd.concat([pd.DataFrame(vars(day.cards)).assign(day=number) for number, day in enumerate(log.days)])
    assert not made.duplicated(["viewer", "candidate"]).any()
    assert (small_world.joins[made["viewer"]] <= made["day"]).all()
    assert (small_world.joins[made["candidate"]] <= made["day"]).all()
    assert (small_world.leaves[made["candidate"]] > made["day"]).all()
    assert any((day.surface == LIKES).any() for day in log.days) == (likes == "told")
    assert figures["matches"].iloc[-1] == log.matched.sum() / 2
    assert figures["new_matches"].sum() + len(find_earlier_matches(small_world)) == log.matched.sum() / 2
    assert not figures["refusers_listed"].any()
    assert (figures[["p_like_excess_scored", "p_like_excess_shown"]] > 0).all(axis=None)
    assert len(log.interactions) == len(small_world.earlier) + len(made)
    newest = small_world.joins == DAYS - 1
    assert newest[log.days[-1].cards.candidate].any()
    assert (product.raised is not None and product.raised.any()) == (likes == "secret")


def test_likes_are_shown_only_where_they_are_told(nights: Nights) -> None:
    """Nobody may look at one by chance, so the surfaces do not tell."""
    likes, product, _, figures = nights
    shown = [made.likes for made, _ in product.nights]
    if likes == "secret":
        assert [len(each.viewer) for each in shown] == [0] * DAYS
        return
    for each, (_, decided) in zip(shown, product.nights, strict=True):
        assert (decided[each.candidate, each.viewer] == LIKE).all()
        assert (decided[each.viewer, each.candidate] == NOTHING).all()
    assert [len(each.viewer) for each in shown[1:]] == figures["likes_waiting"].tolist()[:-1]


def find_earlier_matches(world: World) -> set[frozenset[str]]:
    likes = world.earlier[world.earlier["kind"] == "like"]
    pairs = set(zip(likes["actor_id"], likes["target_id"], strict=True))
    return {frozenset(pair) for pair in pairs if pair[::-1] in pairs}


def test_arms_share_people_and_luck(nights: Nights, small_world: World) -> None:
    """Whatever the lists, the same two people like each other or not."""
    _, product, log, _ = nights
    assert product.ranker is not None
    for score in (score_randomly, score_popularity):
        other, _ = simulate_nights(small_world, Rival(score, product.ranker), 2)
        both = (log.decided > 0) & (other.decided > 0)
        assert both.sum() > len(small_world.earlier)
        np.testing.assert_array_equal(log.decided[both], other.decided[both])
        assert {LIKE, PASS} <= set(other.decided[both].tolist())


def test_errors_of_p_like_are_known_for_scored_and_shown_pairs() -> None:
    """User 0 likes everybody, with 0.5; one of three scored pairs was seen in a list, and another one elsewhere."""
    world = make_world(4, lambda viewer, _: np.where(viewer == 0, 0.5, 0.1))
    viewer, candidate, said = np.array([0, 0, 1]), np.array([1, 2, 0]), np.array([0.5, 0.8, 0.1])
    cards = Cards(viewer[:2], candidate[:2], np.array([1, 1]))
    seen = CardViews(cards, np.array([LIKES, LIST]), np.zeros(2, np.int64), np.zeros(2, bool))
    found = measure_p_like(world, ScoredPairs(viewer, candidate, said, said, said), seen)
    wrong = 0.5 * np.log(0.5 / 0.8) + 0.5 * np.log(0.5 / 0.2)
    for pairs, expected in (("scored", (1.4 / 3, 1.1 / 3, wrong / 3)), ("shown", (0.8, 0.5, wrong))):
        assert [found[f"p_like_{name}_{pairs}"] for name in ("said", "true", "excess")] == pytest.approx(expected)
    nobody = measure_p_like(
        world, ScoredPairs(viewer, candidate, said, said, said), replace(seen, surface=LIKES + 0 * seen.surface)
    )
    assert np.isnan(nobody["p_like_said_shown"])


def test_a_gain_is_that_of_matches_with_an_interval_over_people() -> None:
    rng = np.random.default_rng(0)
    few = np.triu(rng.random((200, 200)) < 0.02, 1)
    more = few | np.triu(rng.random((200, 200)) < 0.01, 1)
    ours, theirs = ((each | each.T).sum(axis=1) for each in (more, few))
    gain = compare_matches(ours, theirs, seed=1)
    assert gain.estimate == pytest.approx(ours.sum() / theirs.sum() - 1)
    assert 0 < gain.low < gain.estimate < gain.high
    same = compare_matches(theirs, theirs, seed=1)
    assert (same.low, same.estimate, same.high) == (0, 0, 0)
    assert np.isnan(compare_matches(ours, 0 * theirs, seed=1).estimate)
