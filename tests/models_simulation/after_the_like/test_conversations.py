"""Milestones and endings of simulated conversations."""

import numpy as np
import pytest

from models.simulation.after_the_like.conversations import SimulatedConversations, simulate_conversations
from models.simulation.after_the_like.endings import EXPIRED, OPEN, REPORTED
from models.simulation.after_the_like.exchanges import MatchedPairs
from models.simulation.after_the_like.habits import CONSENTS, draw_habits
from models.simulation.after_the_like.topics import ASKS, GIVES_CONTACT, INSULTS, PLANS, QUESTIONS, SCAMS, TALK
from tests.models_simulation.after_the_like.conftest import draw_pairs

PEOPLE, UNTIL = 2_000, 90 * 24.0
HABITS = draw_habits(7, np.zeros(PEOPLE))
PAIRS = draw_pairs(PEOPLE, 8_000, 7)


@pytest.fixture(scope="module")
def simulated() -> SimulatedConversations:
    return simulate_conversations(PAIRS, HABITS, 7, UNTIL)


def test_contacts_come_mostly_within_twenty_messages(simulated: SimulatedConversations) -> None:
    number = simulated.milestones.contact_number
    given = number[number > 0]
    assert (given <= 20).mean() > 0.8
    two_sided = simulated.counts.all(axis=1)
    assert 0.5 < (number > 0).sum() / two_sided.sum() < 0.75  # most two-sided conversations get there
    assert not (simulated.milestones.plan_number[number == 0] > 0).any()


def test_messages_say_what_is_planted_at_known_rates(simulated: SimulatedConversations) -> None:
    said, milestones, sent = simulated.said, simulated.milestones, simulated.messages
    assert (said == ASKS).sum() / ((said == ASKS) | (said == TALK)).sum() == pytest.approx(QUESTIONS, abs=0.01)
    offended = np.unique(sent.conversation[(said == INSULTS) | (said == SCAMS)])
    hidden = np.isin(np.arange(len(PAIRS.a)), offended)
    for topic, number in ((GIVES_CONTACT, milestones.contact_number), (PLANS, milestones.plan_number)):
        there = np.bincount(sent.conversation[said == topic], minlength=len(number))
        np.testing.assert_array_equal(there[~hidden], (number > 0)[~hidden])
    writer = np.where(sent.side == 0, PAIRS.a[sent.conversation], PAIRS.b[sent.conversation])
    assert HABITS.rude[writer[said == INSULTS]].all()
    assert HABITS.scammer[writer[said == SCAMS]].all()
    assert min((said == INSULTS).sum(), (said == SCAMS).sum()) > 0
    both = HABITS.consents[PAIRS.a] & HABITS.consents[PAIRS.b]
    assert both.mean() == pytest.approx(CONSENTS**2, abs=0.04)


def test_meetings_follow_contacts_and_couples_leave_once(simulated: SimulatedConversations) -> None:
    milestones, left_at = simulated.milestones, simulated.left_at
    assert simulated.met.sum() > 200
    assert (milestones.contact_number[simulated.met] > 0).all()
    together = ~np.isnan(milestones.together_at)
    assert together.sum() > 10
    assert (milestones.again[together].all(axis=1) & simulated.met[together]).all()
    leavers = np.concatenate([PAIRS.a[together], PAIRS.b[together]])
    assert len(np.unique(leavers)) == len(leavers) == np.isfinite(left_at).sum()
    first = np.minimum(left_at[PAIRS.a], left_at[PAIRS.b])
    late = simulated.messages.sent_at > first[simulated.messages.conversation]
    assert not (late & ~together[simulated.messages.conversation]).any()
    assert not (milestones.met_at > first)[~together].any()


def test_conversations_end_in_each_way_and_are_silent_after_it(simulated: SimulatedConversations) -> None:
    endings, sent = simulated.endings, simulated.messages
    assert set(endings.closed_as[simulated.happened]) == {0, 1, 2, 3, 4}
    assert (sent.sent_at <= endings.closed_at[sent.conversation]).all()
    assert ((endings.closed_as == OPEN) == np.isinf(endings.closed_at)).all()
    expired = endings.closed_as == EXPIRED
    assert not simulated.counts[expired].any()
    assert (endings.closed_by[expired] == -1).all()
    offended = np.unique(sent.conversation[np.isin(simulated.said, (INSULTS, SCAMS))])
    rates = [(endings.closed_as[rows] == REPORTED).mean() for rows in (offended, np.arange(len(PAIRS.a)))]
    assert rates[0] > 10 * rates[1]


def test_a_longer_simulation_repeats_the_shorter_one(simulated: SimulatedConversations) -> None:
    short = simulate_conversations(PAIRS, HABITS, 7, 40 * 24.0)
    rows = simulated.messages.sent_at <= 40 * 24.0
    np.testing.assert_array_equal(short.messages.sent_at, simulated.messages.sent_at[rows])
    np.testing.assert_array_equal(short.said, simulated.said[rows])
    earlier = simulated.milestones.met_at <= 40 * 24.0
    np.testing.assert_array_equal(short.milestones.met_at[earlier], simulated.milestones.met_at[earlier])
    np.testing.assert_array_equal(short.met, earlier)
    again = simulate_conversations(PAIRS, HABITS, 7, UNTIL)
    np.testing.assert_array_equal(again.messages.sent_at, simulated.messages.sent_at)


def test_lasting_means_five_of_each_in_fourteen_days(simulated: SimulatedConversations) -> None:
    for index in np.flatnonzero(simulated.counts.min(axis=1) >= 4)[:200]:
        of_it = simulated.messages.take(simulated.messages.conversation == index)
        early = of_it.sent_at <= PAIRS.matched_at[index] + 14 * 24
        expected = min((of_it.side[early] == side).sum() for side in (0, 1)) >= 5
        assert simulated.lasting[index] == expected


def test_no_matches_have_no_conversations() -> None:
    nobody = MatchedPairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    empty = simulate_conversations(nobody, draw_habits(1, np.zeros(3)), 1, 100.0)
    assert len(empty.said) == len(empty.lasting) == len(empty.met) == 0
    assert np.isinf(empty.left_at).all()


def test_strain_shortens_conversations(simulated: SimulatedConversations) -> None:
    strained = simulate_conversations(PAIRS, HABITS, 7, UNTIL, np.full(len(PAIRS.a), 0.5))
    np.testing.assert_allclose(strained.affinity, simulated.affinity - 0.5)
    assert strained.lasting.sum() < 0.8 * simulated.lasting.sum()
