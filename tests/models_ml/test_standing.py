"""How much each person's decisions count: ordinary people in full, closed groups and indiscriminate givers hardly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.history import Events, ledger
from models.ml.standing import MOST_GIVERS, count_votes, weigh_decisions

PEOPLE, FAKES = 200, 20
EVERYBODY = PEOPLE + FAKES


def ordinary(seed: int = 1) -> list[tuple[int, int, bool]]:
    """Everybody decides on 20 others at random and likes three in ten."""
    rng = np.random.default_rng(seed)
    targets = [rng.choice(np.delete(np.arange(PEOPLE), actor), 20, replace=False) for actor in range(PEOPLE)]
    return [(actor, int(target), bool(rng.random() < 0.3)) for actor in range(PEOPLE) for target in targets[actor]]


def made(*rows: tuple[int, int, bool]) -> Events:
    actor, target, liked = np.array(rows, np.int64).reshape(-1, 3).T
    return Events(actor, target, liked.astype(bool), np.zeros(len(actor), np.int64))


def clique(returned: bool = True) -> list[tuple[int, int, bool]]:
    fakes = range(PEOPLE, EVERYBODY)
    return [(one, other, True) for one in fakes for other in fakes if one < other or (returned and one != other)]


CAMPAIGNS = {
    "clique": clique(),
    "chain": clique(returned=False),
    "likes everybody": [(fake, target, True) for fake in range(PEOPLE, EVERYBODY) for target in range(PEOPLE)],
    "passes on one": [(fake, 0, False) for fake in range(PEOPLE, EVERYBODY)],
    "wanders and passes on one": [
        (fake, target, target % 3 == 1) for fake in range(PEOPLE, EVERYBODY) for target in range(fake % 7, 161, 7)
    ],
}


def test_ordinary_people_count_in_full() -> None:
    for_giver, for_target = weigh_decisions(made(*ordinary()), PEOPLE)
    assert np.median(for_target) == 1
    assert for_target.mean() > 0.9
    assert for_giver.mean() > 0.97


def test_evenings_at_which_everybody_decides_on_everybody_are_no_attack() -> None:
    rng = np.random.default_rng(2)
    everybody = np.arange(100)
    evening, man = everybody // 20, everybody % 2 == 0
    actor, target = np.nonzero((evening[:, None] == evening) & (man[:, None] != man))
    decided = Events(actor, target, rng.random(len(actor)) < 0.45, np.zeros(len(actor), np.int64))
    for_giver, for_target = weigh_decisions(decided, 100)
    assert np.median(for_target) == 1
    assert min(for_giver.mean(), for_target.mean()) > 0.9


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_fakes_count_for_next_to_nothing(name: str) -> None:
    decided = made(*ordinary(), *CAMPAIGNS[name])
    for_target = weigh_decisions(decided, EVERYBODY)[1]
    of_fakes = decided.actor >= PEOPLE
    assert for_target[of_fakes].mean() < 0.2
    assert for_target[~of_fakes].mean() > 0.9


@pytest.mark.parametrize("name", ["clique", "chain", "likes everybody"])
def test_fakes_hand_each_other_hardly_any_votes(name: str) -> None:
    votes = count_votes(made(*ordinary(), *CAMPAIGNS[name]), EVERYBODY)
    assert votes[PEOPLE:].mean() < 0.05
    assert votes[:PEOPLE].mean() > 0.5


def test_votes_by_hand() -> None:
    """0 likes 1 and 2 and passes on 3 and 4; 5 likes 1 and passes on 3; 6 likes everybody."""
    rows = [(0, 1, True), (0, 2, True), (0, 3, False), (0, 4, False), (5, 1, True), (5, 3, False)]
    votes = count_votes(made(*rows, *((6, other, True) for other in range(6))), 7)
    assert votes.tolist() == [0, 0.25 + 0.5, 0.25, 0, 0, 0, 0]


def test_without_decisions_nobody_has_a_vote() -> None:
    nothing = np.empty(0, np.int64)
    none = Events(nothing, nothing, nothing.astype(bool), nothing)
    assert count_votes(none, 3).tolist() == [0, 0, 0]
    assert [len(weights) for weights in weigh_decisions(none, 3)] == [0, 0]


person = st.integers(0, 9)
decisions = st.dictionaries(
    st.tuples(person, person).filter(lambda pair: pair[0] != pair[1]), st.booleans(), min_size=1
)


@given(decisions, st.sets(person, min_size=1))
def test_a_group_hands_out_no_more_votes_than_it_has_members(
    decided: dict[tuple[int, int], bool], group: set[int]
) -> None:
    by_group = {pair: liked for pair, liked in decided.items() if pair[0] in group}
    if by_group:
        assert count_votes(made(*((*pair, liked) for pair, liked in by_group.items())), 10).sum() <= len(group) + 1e-9


@given(decisions)
def test_one_giver_s_influence_is_bounded(decided: dict[tuple[int, int], bool]) -> None:
    known = made(*((*pair, liked) for pair, liked in decided.items()))
    for_giver, for_target = weigh_decisions(known, 10)
    for weights in (for_giver, for_target):
        assert ((weights >= 0) & (weights <= 1)).all()
    given = np.bincount(known.actor, minlength=10)
    total = np.bincount(known.actor, for_target, minlength=10)
    assert (total <= MOST_GIVERS * np.median(given[given > 0]) + 1e-9).all()
    surprise = np.where(known.liked, 0.7, -0.3)
    received = ledger(known, surprise, 10).received
    assert (np.abs(received.surprise) <= received.weight + 1e-9).all()
    assert (received.weight <= received.decisions + 1e-9).all()
