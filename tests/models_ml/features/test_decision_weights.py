"""How much each person's decisions count: ordinary people in full, unknown and very busy givers hardly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.decision_history import Decisions, build_decision_history
from models.ml.features.decision_weights import (
    MAX_TIMES_MEDIAN,
    MICROSECONDS_A_DAY,
    count_votes,
    weigh_decisions,
    weigh_givers,
)
from models.ml.features.training_pairs import weigh_into_decisions

PEOPLE, FAKES = 200, 20
EVERYBODY = PEOPLE + FAKES
Rows = list[tuple[int, int, bool]]


def ordinary(seed: int = 1) -> Rows:
    """Everybody decides on 20 others at random and likes three in ten."""
    rng = np.random.default_rng(seed)
    targets = [rng.choice(np.delete(np.arange(PEOPLE), actor), 20, replace=False) for actor in range(PEOPLE)]
    return [(actor, int(target), bool(rng.random() < 0.3)) for actor in range(PEOPLE) for target in targets[actor]]


def made(*rows: tuple[int, int, bool], people: int = EVERYBODY, days: int = 60) -> Decisions:
    """Weighed decisions, on days at random."""
    actor, target, liked = np.array(rows, np.int64).reshape(-1, 3).T
    day = np.random.default_rng(0).integers(0, days, len(actor))
    return weigh_into_decisions(actor, target, liked.astype(bool), day * MICROSECONDS_A_DAY, people)


def clique(returned: bool = True) -> Rows:
    fakes = range(PEOPLE, EVERYBODY)
    return [(one, other, True) for one in fakes for other in fakes if one < other or (returned and one != other)]


CAMPAIGNS = {
    "clique": clique(),
    "chain": clique(returned=False)[:60],
    "likes everybody": [(fake, target, True) for fake in range(PEOPLE, EVERYBODY) for target in range(PEOPLE)],
    "passes on one": [(fake, 0, False) for fake in range(PEOPLE, EVERYBODY)],
    "wanders and passes on one": [
        (fake, target, target % 3 == 1) for fake in range(PEOPLE, EVERYBODY) for target in range(fake % 7, 161, 7)
    ],
}


def test_ordinary_people_count_in_full() -> None:
    weight = made(*ordinary()).weight
    assert np.median(weight) == 1
    assert weight.mean() > 0.95


def test_evenings_at_which_everybody_decides_on_everybody_at_once_are_no_attack() -> None:
    everybody = np.arange(100)
    evening, man = everybody // 20, everybody % 2 == 0
    actor, target = np.nonzero((evening[:, None] == evening) & (man[:, None] != man))
    assert weigh_decisions(actor, target, evening[actor] * MICROSECONDS_A_DAY, 100).tolist() == [1.0] * len(actor)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_fakes_count_for_next_to_nothing(name: str) -> None:
    decided = made(*ordinary(), *CAMPAIGNS[name])
    of_fakes = decided.actor >= PEOPLE
    assert decided.weight[of_fakes].mean() < 0.25
    assert decided.weight[~of_fakes].mean() > 0.9


@pytest.mark.parametrize("name", ["clique", "chain", "likes everybody"])
def test_fakes_hand_each_other_hardly_any_votes(name: str) -> None:
    votes = count_votes(made(*ordinary(), *CAMPAIGNS[name]), EVERYBODY)
    assert votes[PEOPLE:].mean() < 0.05
    assert votes[:PEOPLE].mean() > 0.5


def test_givers_by_hand() -> None:
    """Five people decide on the next two of five; 5 and 6 decide on each other, 5 also on two others."""
    ring = [(giver, (giver + step) % 5) for giver in range(5) for step in (1, 2)]
    actor, target = np.array([*ring, (5, 6), (6, 5), (5, 0), (5, 1)]).T
    weights = weigh_givers(actor, target, 7)
    # Two given and two received are usual, and half of three is enough; nobody but the other decided on 5 or 6.
    assert weights == pytest.approx([1, 1, 1, 1, 1, 2 / 3, 2 / 3])


def test_a_known_member_of_a_closed_group_counts_less() -> None:
    """Of the 39 decisions of each member 19 go both ways: 19 / 47 of three quarters, where a quarter is ordinary."""
    members = range(PEOPLE, EVERYBODY)
    known = [(one, other) for one in members for other in range(20)]
    known += [(other, one) for one in members for other in range(20, 40)]
    of_group = [(one, other) for one in members for other in members if one != other]
    common = [(actor, target) for actor, target, _ in ordinary()]
    alone, closed = (
        weigh_givers(rows[:, 0], rows[:, 1], EVERYBODY)
        for rows in (np.array([*common, *known]), np.array([*common, *known, *of_group]))
    )
    assert alone[PEOPLE:].tolist() == [1.0] * FAKES
    assert closed[PEOPLE:] == pytest.approx([(0.75 - 19 / 47) / 0.5] * FAKES)


def test_a_day_on_which_many_decide_on_one_person_counts_like_four_usual_decisions() -> None:
    actor = np.array([*range(10), *range(10)])
    target = np.array([10] * 10 + list(range(11, 21)))
    weights = weigh_decisions(actor, target, np.zeros(20, np.int64), 21)
    assert weights[:10].tolist() == [MAX_TIMES_MEDIAN / 10] * 10
    assert weights[10:].tolist() == [1.0] * 10


def test_votes_by_hand() -> None:
    """0 likes 1 and 2 and passes on 3 and 4; 5 likes 1 and passes on 3; 6 likes everybody."""
    rows = [(0, 1, True), (0, 2, True), (0, 3, False), (0, 4, False), (5, 1, True), (5, 3, False)]
    actor, target, liked = np.array([*rows, *((6, other, True) for other in range(6))]).T
    in_full = Decisions(actor, target, liked.astype(bool), np.zeros(len(actor), np.int64), np.ones(len(actor)))
    assert count_votes(in_full, 7).tolist() == [0, 0.25 + 0.5, 0.25, 0, 0, 0, 0]


def test_without_decisions_nobody_has_a_vote() -> None:
    nothing = np.empty(0, np.int64)
    none = weigh_into_decisions(nothing, nothing, nothing.astype(bool), nothing, 3)
    assert count_votes(none, 3).tolist() == [0, 0, 0]


person = st.integers(0, 9)
decisions = st.dictionaries(
    st.tuples(person, person).filter(lambda pair: pair[0] != pair[1]), st.booleans(), min_size=1
)


@given(decisions, st.sets(person, min_size=1))
def test_a_group_hands_out_no_more_votes_than_it_has_members(
    decided: dict[tuple[int, int], bool], group: set[int]
) -> None:
    by_group = [(*pair, liked) for pair, liked in decided.items() if pair[0] in group]
    assert count_votes(made(*by_group, people=10), 10).sum() <= len(group) + 1e-9


@given(decisions, st.integers(1, 5))
def test_what_one_giver_or_one_day_does_is_bounded(decided: dict[tuple[int, int], bool], days: int) -> None:
    known = made(*((*pair, liked) for pair, liked in decided.items()), people=10, days=days)
    assert ((known.weight >= 0) & (known.weight <= 1)).all()
    cells = np.unique(known.target + 10 * known.time, return_inverse=True)[1]
    for group in (known.actor, cells):
        counts = np.bincount(group)
        total = np.bincount(group, known.weight)
        assert (total <= MAX_TIMES_MEDIAN * np.median(counts[counts > 0]) + 1e-9).all()
    received = build_decision_history(known, np.where(known.liked, 0.7, -0.3), 10).received
    assert (np.abs(received.residual) <= received.weight + 1e-9).all()


@given(decisions)
def test_what_people_decide_changes_no_weight(decided: dict[tuple[int, int], bool]) -> None:
    one = made(*((*pair, liked) for pair, liked in decided.items()), people=10)
    other = made(*((*pair, not liked) for pair, liked in decided.items()), people=10)
    assert one.weight.tolist() == other.weight.tolist()
