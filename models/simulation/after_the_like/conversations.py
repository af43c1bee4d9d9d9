"""The life of matches: `simulate_conversations` draws everything that follows them."""

from dataclasses import dataclass, replace

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.simulation.after_the_like.endings import Endings, draw_endings
from models.simulation.after_the_like.exchanges import MatchedPairs, SentMessages, draw_messages
from models.simulation.after_the_like.habits import ConversationHabits, combine_affinity, draw_rapport
from models.simulation.after_the_like.milestones import Milestones, draw_milestones
from models.simulation.after_the_like.topics import add_milestones, draw_topics

LASTING_MESSAGES = 5
LASTING_HOURS = 14 * 24.0
"""A conversation lasts if both have sent LASTING_MESSAGES within LASTING_HOURS of the match."""


@dataclass(frozen=True)
class SimulatedConversations:
    """What follows k matches, up to a moment; times are hours on the axis of the matches.

    Attributes:
        matches: The pairs.
        rapport: The true rapport of each pair, standard normal, float64 (k,).
        affinity: The true log-odds of going on of each pair, float64 (k,).
        messages: The m messages, sorted by conversation and number.
        said: What each message says, see `topics`, int64 (m,).
        milestones: Contacts, plans, meetings, couples.
        endings: Who closed which conversation when, as what; closed_at is inf while it is open.
        left_at: When each person left with somebody, inf for those who did not, float64 (people,).
    """

    matches: MatchedPairs
    rapport: Float64Array
    affinity: Float64Array
    messages: SentMessages
    said: Int64Array
    milestones: Milestones
    endings: Endings
    left_at: Float64Array

    @property
    def happened(self) -> BoolArray:
        """Which matches came before either of the two left with somebody else, bool (k,)."""
        return self.matches.matched_at <= self.endings.closed_at

    @property
    def counts(self) -> Int64Array:
        """Number of messages of a and of b, int64 (k, 2)."""
        cell = self.messages.conversation * 2 + self.messages.side
        return np.bincount(cell, minlength=2 * len(self.rapport)).reshape(-1, 2)

    @property
    def lasting(self) -> BoolArray:
        """Which conversations last: see LASTING_MESSAGES, bool (k,)."""
        since = self.messages.sent_at - self.matches.matched_at[self.messages.conversation]
        early = self.messages.take(since <= LASTING_HOURS)
        return np.asarray((replace(self, messages=early).counts >= LASTING_MESSAGES).all(axis=1))

    @property
    def met(self) -> BoolArray:
        """Which pairs met, bool (k,)."""
        return ~np.isnan(self.milestones.met_at)


def simulate_conversations(
    matches: MatchedPairs,
    habits: ConversationHabits,
    seed: int,
    until: float,
    strain: Float64Array | None = None,
) -> SimulatedConversations:
    """Simulate everything that follows matches, up to a moment.

    A match is written in with probability WRITTEN, its opener answered with ANSWERED, and after that the conversation
    goes on after each message as often as measured (`hazards`). The log-odds of each step are shifted by the affinity:
    PERSON_SD for a unit of responsiveness of each of the two, PAIR_SD for a unit of rapport. Responsive people also
    reply faster. Contacts, plans, meetings, couples and endings follow from the messages (`milestones`, `endings`).
    Couples leave: their other conversations are closed at that moment, and later ones have no messages.

    All luck comes from hashes of the seed, the pair and the number of the message. What a pair does therefore does not
    depend on the order or the number of the other pairs, but for people who leave; and a longer simulation repeats
    the shorter one. Two arms of simulated nights thus share the luck of pairs that both match.

    Args:
        matches: k pairs with a < b, each once, and when they matched, in hours. Pairs matched later than `until`, or
            after one of the two has left, stay without messages.
        habits: The habits of all n people: see `draw_habits`.
        seed: Seed of the luck, 0 or more.
        until: The end, in hours on the axis of `matched_at`.
        strain: What is taken off the affinity of each pair, (k,), such as for people who are busy; None for nothing.

    Returns:
        SentMessages, milestones, endings and the truth behind them, in the order of `matches`. `lasting`, `met` and
        `counts` are arrays by pair.
    """
    rapport = draw_rapport(seed, matches.a, matches.b)
    affinity = combine_affinity(habits, matches.a, matches.b, rapport) - (0.0 if strain is None else strain)
    messages = draw_messages(matches, habits, affinity, seed)
    said = draw_topics(matches, messages, habits, seed)
    endings = draw_endings(matches, messages, said, seed)
    messages, said = _cut(messages, said, np.minimum(endings.closed_at, until))
    milestones = _censor(draw_milestones(matches, messages, affinity, seed), np.full(len(rapport), until))
    together = _pair_off(matches, milestones, len(habits.ghost))
    left_at = np.full(len(habits.ghost), np.inf)
    left_at[matches.a[together]] = left_at[matches.b[together]] = milestones.together_at[together]
    leaves = np.stack([left_at[matches.a], left_at[matches.b]], axis=1)
    leaves[together] = np.inf
    endings = endings.close_by_leaving(leaves).censor(until)
    messages, said = _cut(messages, said, endings.closed_at)
    milestones = _censor(draw_milestones(matches, messages, affinity, seed), np.minimum(leaves.min(axis=1), until))
    milestones = replace(milestones, together_at=np.where(together, milestones.together_at, np.nan))
    said = add_milestones(said, messages, milestones)
    return SimulatedConversations(matches, rapport, affinity, messages, said, milestones, endings, left_at)


def _cut(messages: SentMessages, said: Int64Array, ends_at: Float64Array) -> tuple[SentMessages, Int64Array]:
    """Leave out the messages after the end of their conversation."""
    rows = messages.sent_at <= ends_at[messages.conversation]
    return messages.take(rows), said[rows]


def _censor(milestones: Milestones, ends_at: Float64Array) -> Milestones:
    """Leave out what would happen after an end, (k,)."""
    met_at, asked_at, together_at = (
        np.where(at <= ends_at, at, np.nan) for at in (milestones.met_at, milestones.asked_at, milestones.together_at)
    )
    again = milestones.again & ~np.isnan(met_at)[:, None]
    return replace(milestones, met_at=met_at, asked_at=asked_at, together_at=together_at, again=again)


def _pair_off(matches: MatchedPairs, milestones: Milestones, people: int) -> BoolArray:
    """Find the couples who leave together, in order of time: nobody leaves twice, bool (k,)."""
    gone, together = np.zeros(people, bool), np.zeros(len(matches.a), bool)
    order = np.argsort(milestones.together_at)
    for pair in order[: np.count_nonzero(~np.isnan(milestones.together_at))]:
        two = [matches.a[pair], matches.b[pair]]
        together[pair] = not gone[two].any()
        gone[two] |= together[pair]
    return together
