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
MEMBERS = range(PEOPLE, EVERYBODY)
Rows = list[tuple[int, int, bool]]


def draw_ordinary() -> Rows:
    """Everybody decides on 20 others at random and likes three in ten."""
    rng = np.random.default_rng(1)
    targets = [rng.choice(np.delete(np.arange(PEOPLE), actor), 20, replace=False) for actor in range(PEOPLE)]
    return [(actor, int(target), bool(rng.random() < 0.3)) for actor in range(PEOPLE) for target in targets[actor]]


ORDINARY = draw_ordinary()
CAMPAIGNS: dict[str, tuple[Rows, bool]] = {
    "clique": ([(one, other, True) for one in MEMBERS for other in MEMBERS if one != other], True),
    "chain": ([(one, other, True) for one in MEMBERS for other in MEMBERS if one < other][:60], True),
    "likes everybody": ([(fake, target, True) for fake in MEMBERS for target in range(PEOPLE)], True),
    "passes on one": ([(fake, 0, False) for fake in MEMBERS], False),
    "wanders and passes on one": (
        [(fake, target, target % 3 == 1) for fake in MEMBERS for target in range(fake % 7, 161, 7)],
        False,
    ),
}


def weigh(rows: Rows, people: int = EVERYBODY, days: int = 60) -> Decisions:
    """Weighed decisions, on days at random."""
    actor, target, liked = np.array(rows, np.int64).reshape(-1, 3).T
    day = np.random.default_rng(0).integers(0, days, len(actor))
    return weigh_into_decisions(actor, target, liked.astype(bool), day * MICROSECONDS_A_DAY, people)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_fakes_count_for_next_to_nothing_and_others_in_full(name: str) -> None:
    rows, seek_votes = CAMPAIGNS[name]
    decisions = weigh([*ORDINARY, *rows])
    of_fakes = decisions.actor >= PEOPLE
    assert decisions.weight[of_fakes].mean() < 0.25
    assert decisions.weight[~of_fakes].mean() > 0.9
    assert np.median(decisions.weight[~of_fakes]) == 1
    votes = count_votes(decisions, EVERYBODY)
    assert not seek_votes or votes[PEOPLE:].mean() < 0.05
    assert votes[:PEOPLE].mean() > 0.5


def test_evenings_where_all_decide_on_all_are_no_attack() -> None:
    everybody = np.arange(100)
    evening, man = everybody // 20, everybody % 2 == 0
    actor, target = np.nonzero((evening[:, None] == evening) & (man[:, None] != man))
    assert weigh_decisions(actor, target, evening[actor] * MICROSECONDS_A_DAY, 100).tolist() == [1.0] * len(actor)


def test_givers_by_hand() -> None:
    """Five users decide on the next two of five; 5 and 6 decide on each other, 5 also on two others."""
    ring = [(giver, (giver + step) % 5) for giver in range(5) for step in (1, 2)]
    actor, target = np.array([*ring, (5, 6), (6, 5), (5, 0), (5, 1)]).T
    # Two given and two received are usual, and half of three is enough; nobody but the other decided on 5 or 6.
    assert weigh_givers(actor, target, 7) == pytest.approx([1, 1, 1, 1, 1, 2 / 3, 2 / 3])


def test_a_known_member_of_a_closed_group_counts_less() -> None:
    """Of the 39 decisions of each member 19 go both ways: 19 / 47 of three quarters, where a quarter is ordinary."""
    open_ = [(actor, target) for actor, target, _ in ORDINARY]
    open_ += [(one, other) for one in MEMBERS for other in range(20)]
    open_ += [(other, one) for one in MEMBERS for other in range(20, 40)]
    closed = [*open_, *((one, other) for one in MEMBERS for other in MEMBERS if one != other)]
    alone, together = (weigh_givers(rows[:, 0], rows[:, 1], EVERYBODY) for rows in (np.array(open_), np.array(closed)))
    assert alone[PEOPLE:].tolist() == [1.0] * FAKES
    assert together[PEOPLE:] == pytest.approx([(0.75 - 19 / 47) / 0.5] * FAKES)


def test_a_crowded_day_counts_like_four_usual_decisions() -> None:
    actor = np.array([*range(10), *range(10)])
    target = np.array([10] * 10 + list(range(11, 21)))
    weights = weigh_decisions(actor, target, np.zeros(20, np.int64), 21)
    assert weights.tolist() == [MAX_TIMES_MEDIAN / 10] * 10 + [1.0] * 10


def test_votes_by_hand() -> None:
    """0 likes 1 and 2 and passes on 3 and 4; 5 likes 1 and passes on 3; 6 likes everybody."""
    rows = [(0, 1, True), (0, 2, True), (0, 3, False), (0, 4, False), (5, 1, True), (5, 3, False)]
    actor, target, liked = np.array([*rows, *((6, other, True) for other in range(6))]).T
    in_full = Decisions(actor, target, liked.astype(bool), np.zeros(len(actor), np.int64), np.ones(len(actor)))
    assert count_votes(in_full, 7).tolist() == [0, 0.25 + 0.5, 0.25, 0, 0, 0, 0]
    assert count_votes(weigh([], people=3), 3).tolist() == [0, 0, 0]


PERSON = st.integers(0, 9)
DECISIONS = st.dictionaries(
    st.tuples(PERSON, PERSON).filter(lambda pair: pair[0] != pair[1]), st.booleans(), min_size=1
).map(lambda decided: [(*pair, liked) for pair, liked in decided.items()])


@given(DECISIONS, st.sets(PERSON, min_size=1))
def test_a_group_hands_out_no_more_votes_than_it_has_members(rows: Rows, group: set[int]) -> None:
    by_group = [row for row in rows if row[0] in group]
    assert count_votes(weigh(by_group, people=10), 10).sum() <= len(group) + 1e-9


@given(DECISIONS, st.integers(1, 5))
def test_what_one_giver_or_one_day_does_is_bounded(rows: Rows, days: int) -> None:
    """And the weights do not depend on what was decided."""
    decisions = weigh(rows, people=10, days=days)
    assert ((decisions.weight >= 0) & (decisions.weight <= 1)).all()
    cells = np.unique(decisions.target + 10 * decisions.time, return_inverse=True)[1]
    for group in (decisions.actor, cells):
        counts = np.bincount(group)
        total = np.bincount(group, decisions.weight)
        assert (total <= MAX_TIMES_MEDIAN * np.median(counts[counts > 0]) + 1e-9).all()
    received = build_decision_history(decisions, np.where(decisions.liked, 0.7, -0.3), 10).received
    assert (np.abs(received.residual) <= received.weight + 1e-9).all()
    opposite = weigh([(actor, target, not liked) for actor, target, liked in rows], people=10, days=days)
    assert opposite.weight.tolist() == decisions.weight.tolist()
