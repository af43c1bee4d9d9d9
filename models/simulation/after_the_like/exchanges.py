"""Who writes to whom, and when: the messages of simulated conversations.

After each message the conversation goes on with a chance of its own (`hazards`). The next message is by the other
person with probability ALTERNATION, as in ChitChat. Waits are log-normal: people differ, and so do days.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtri

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.simulation.after_the_like.habits import (
    AFFINITY_SD,
    ConversationHabits,
)
from models.simulation.after_the_like.hazards import compute_going_on
from models.simulation.after_the_like.purposes import GOES_ON, NEXT_SENDER, NUDGE, OPENER, PACE, WAIT
from models.simulation.luck import draw_uniform

ALTERNATION = 0.54
MOST_MESSAGES = 500
OPENER_HOURS, ANSWER_HOURS, REPLY_HOURS, NEXT_HOURS, NUDGE_HOURS = 6.0, 5.0, 0.6, 0.02, 60.0
"""Median waits: match to opener, opener to answer, message to reply, to the next message of one's own, to a nudge."""
WAIT_SD = 1.4
"""Standard deviation of the logarithm of one wait."""
PACE_SD = 0.3
"""Standard deviation of the logarithm of all waits of one person in one conversation."""
PACE_BY_RESPONSIVENESS = 1.0
"""How much a unit of responsiveness takes from the logarithm of a person's waits."""
NUDGED = 0.25
"""Share of unanswered openers that their sender follows up."""


@dataclass(frozen=True)
class MatchedPairs:
    """k pairs who like each other.

    Attributes:
        a: Numbers of the people with the smaller number, int64 (k,).
        b: Numbers of the others, int64 (k,); each pair once.
        matched_at: When they matched, in hours on an axis of the caller's, float64 (k,).
    """

    a: Int64Array
    b: Int64Array
    matched_at: Float64Array

    def take(self, rows: Int64Array) -> "MatchedPairs":
        """Return these pairs."""
        return MatchedPairs(self.a[rows], self.b[rows], self.matched_at[rows])


@dataclass(frozen=True)
class SentMessages:
    """m messages, sorted by conversation, then by time.

    Attributes:
        conversation: Index of the match, int64 (m,).
        number: Number of the message in the conversation from 1, int64 (m,).
        side: Who wrote it: 0 for a, 1 for b, int64 (m,).
        sent_at: Hours on the axis of the matches, float64 (m,).
    """

    conversation: Int64Array
    number: Int64Array
    side: Int64Array
    sent_at: Float64Array

    def take(self, rows: BoolArray | Int64Array) -> "SentMessages":
        """Return these messages."""
        return SentMessages(self.conversation[rows], self.number[rows], self.side[rows], self.sent_at[rows])


@dataclass(frozen=True)
class MessageLuck:
    """The pairs, their people, and the luck of their messages."""

    matches: MatchedPairs
    habits: ConversationHabits
    affinity: Float64Array
    """Log-odds of going on of each pair, (k,)."""
    seed: int

    def draw_next(self, last: SentMessages) -> SentMessages:
        """Draw the messages that follow these, one of each conversation and all of one number, where one follows."""
        number, side = _get_number(last), self._draw_side(last)
        goes_on = self.find_going_on(last, side)
        last, side = last.take(goes_on), side[goes_on]
        sent_at = last.sent_at + self._draw_wait(last, side, number)
        return SentMessages(last.conversation, last.number + 1, side, sent_at)

    def find_going_on(self, last: SentMessages, side: Int64Array) -> BoolArray:
        """Find which conversations go on after their last message if this side is to write."""
        a, b = self._get_pairs(last)
        chance = compute_going_on(_get_number(last), self.affinity[last.conversation], AFFINITY_SD)
        luck = draw_uniform(self.seed, GOES_ON, a, b, _get_number(last))
        return np.asarray((luck < chance) & ~self.habits.ghost[np.where(side == 0, a, b)])

    def draw_nudges(self, openers: SentMessages) -> SentMessages:
        """Draw the messages with which senders follow up openers that are never answered."""
        a, b = self._get_pairs(openers)
        unanswered = ~self.find_going_on(openers, 1 - openers.side)
        nudged = openers.take(unanswered & (draw_uniform(self.seed, NUDGE, a, b) < NUDGED))
        wait = NUDGE_HOURS * np.exp(WAIT_SD * self._draw_normal(WAIT, nudged, 1))
        return SentMessages(nudged.conversation, nudged.number + 1, nudged.side, nudged.sent_at + wait)

    def _draw_side(self, last: SentMessages) -> Int64Array:
        """Draw who writes next: the opener by initiative, the answer by the other, then the other with ALTERNATION."""
        a, b = self._get_pairs(last)
        number, habits = _get_number(last), self.habits
        if number == 0:
            by_a = draw_uniform(self.seed, OPENER, a, b) < expit(habits.initiative[a] - habits.initiative[b])
            return np.where(habits.ghost[a] | (~habits.ghost[b] & ~by_a), 1, 0)
        stays = draw_uniform(self.seed, NEXT_SENDER, a, b, number) >= (1.0 if number == 1 else ALTERNATION)
        return np.where(stays, last.side, 1 - last.side)

    def _draw_wait(self, last: SentMessages, side: Int64Array, number: int) -> Float64Array:
        """Draw the hours until the next message."""
        a, b = self._get_pairs(last)
        median = (
            np.where(side == last.side, NEXT_HOURS, REPLY_HOURS) if number > 1 else (OPENER_HOURS, ANSWER_HOURS)[number]
        )
        pace = PACE_SD * np.asarray(ndtri(draw_uniform(self.seed, PACE, a, b, side)))
        pace -= PACE_BY_RESPONSIVENESS * self.habits.responsiveness[np.where(side == 0, a, b)]
        own = side == last.side  # how fast somebody types says nothing of how fast they reply
        return np.asarray(median * np.exp(np.where(own, 0, pace) + WAIT_SD * self._draw_normal(WAIT, last, number)))

    def _draw_normal(self, purpose: int, messages: SentMessages, number: int) -> Float64Array:
        return np.asarray(ndtri(draw_uniform(self.seed, purpose, *self._get_pairs(messages), number)))

    def _get_pairs(self, messages: SentMessages) -> tuple[Int64Array, Int64Array]:
        return self.matches.a[messages.conversation], self.matches.b[messages.conversation]


def _get_number(messages: SentMessages) -> int:
    """Return the number that these messages share."""
    return int(messages.number[0]) if len(messages.number) else 0


def draw_messages(matches: MatchedPairs, habits: ConversationHabits, affinity: Float64Array, seed: int) -> SentMessages:
    """Draw all messages of conversations that nobody ends.

    Args:
        matches: The pairs.
        habits: The habits of all people.
        affinity: Log-odds of going on of each pair, (k,).
        seed: Seed of the luck. What a pair writes depends on seed, pair, habits and affinity, and on no other pair.
    """
    luck = MessageLuck(matches, habits, affinity, seed)
    every = np.arange(len(matches.a), dtype=np.int64)
    last, rounds = SentMessages(every, np.zeros_like(every), np.full_like(every, -1), matches.matched_at), []
    while len(last.conversation) and _get_number(last) < MOST_MESSAGES:
        last = luck.draw_next(last)
        rounds.append(last)
        if _get_number(last) == 1:
            rounds.append(luck.draw_nudges(last))
    return _sort(rounds)


def _sort(rounds: list[SentMessages]) -> SentMessages:
    """Join messages, sorted by conversation and number."""
    names = SentMessages.__dataclass_fields__
    joined = SentMessages(
        *(np.concatenate([np.empty(0, _DTYPES[name]), *(vars(each)[name] for each in rounds)]) for name in names)
    )
    return joined.take(np.lexsort((joined.number, joined.conversation)))


_DTYPES = {"conversation": np.int64, "number": np.int64, "side": np.int64, "sent_at": np.float64}
