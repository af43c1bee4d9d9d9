"""What is known of conversations before the nights, and what follows their matches."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from models.db.errors import InputError
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.arms.arm_registry import ArmChoice
from models.simulation.behaviour import LIST, NO_CARDS, Cards, CardViews, NightLists
from models.simulation.event_log import open_log
from models.simulation.outlook import Outlook, compute_strain, find_matches, open_outlook
from tests.models_simulation.conftest import make_world

PEOPLE = 400
WORLD = make_world(PEOPLE, lambda viewer, _: np.full(len(viewer), 0.5))


def score_everybody() -> ScoredPairs:
    viewer, candidate = np.nonzero(~np.eye(PEOPLE, dtype=bool))
    p = np.full(len(viewer), 0.5, np.float32)
    return ScoredPairs(viewer.astype(np.int64), candidate.astype(np.int64), p, p, p * p)


@pytest.fixture(scope="module")
def outlook() -> Outlook:
    return open_outlook(WORLD, score_everybody())


def add_likes(*pairs: tuple[int, int]) -> CardViews:
    viewer, candidate = np.array(pairs, np.int64).T
    cards = Cards(viewer, candidate, np.ones(len(viewer), np.int64))
    return CardViews(cards, np.full(len(viewer), LIST), 3600 * np.arange(len(viewer)), np.ones(len(viewer), bool))


def test_the_head_knows_who_keeps_talking(outlook: Outlook) -> None:
    assert outlook.head is not None, outlook.refusal
    rng = np.random.default_rng(0)
    a, b = rng.permutation(PEOPLE)[:200], rng.permutation(PEOPLE)[:200]
    p_on = outlook.predict(a, b)
    assert p_on is not None
    both = outlook.habits.responsiveness[a] + outlook.habits.responsiveness[b]
    alive = ~(outlook.habits.ghost[a] | outlook.habits.ghost[b])
    assert spearmanr(p_on[alive], both[alive]).statistic > 0.5
    assert (outlook.matches.known_at < 0).all()


def test_matches_are_found_at_the_second_like() -> None:
    log = open_log(WORLD)
    for likes in (((0, 1), (2, 3)), ((5, 4), (1, 0), (4, 5))):
        log.add_day(NightLists(NO_CARDS, np.empty(0), NO_CARDS), add_likes(*likes))
    found = find_matches(log)
    assert found.a.tolist() == [0, 4]
    assert found.b.tolist() == [1, 5]
    assert found.matched_at.tolist() == [25, 26]


def test_strain_is_by_recent_matches_of_both(outlook: Outlook) -> None:
    log = open_log(WORLD)
    pairs = [(0, other) for other in range(1, 8)]
    both_ways = [pair for a, b in pairs for pair in ((a, b), (b, a))]
    log.add_day(NightLists(NO_CARDS, np.empty(0), NO_CARDS), add_likes(*both_ways))
    matches = find_matches(log)
    assert compute_strain(matches, 0.5).tolist() == pytest.approx(0.5 * np.log1p(np.arange(7)))
    assert outlook.count_open(log)[:9].sum() <= 14
    worth = outlook.weigh(log, score_everybody(), weight=0.0, discount=0.5)
    assert worth is not None
    assert worth.mean() == pytest.approx(1, rel=1e-3)
    assert outlook.weigh(log, score_everybody(), weight=0.0, discount=0.0) is None


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(InputError, match="there is no objective 'likes'"):
        ArmChoice(objective="likes").check()  # type: ignore[arg-type]
