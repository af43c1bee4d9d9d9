"""What conversations lead to: a contact, a plan, a meeting, a couple who leave together.

Who exchanges contacts does so after a number of messages with median CONTACT_MEDIAN, if the conversation gets there;
most contacts come within 20 messages (Zhang & Yasseri 2016). A plan follows a contact, and a meeting mostly a plan.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.simulation.after_the_like.exchanges import MatchedPairs, SentMessages
from models.simulation.after_the_like.purposes import (
    AGAIN,
    ASKED,
    CONTACT,
    CONTACT_AFTER,
    MEETING,
    MEETING_AFTER,
    PLAN,
    PLAN_AFTER,
    TOGETHER,
    TOGETHER_AFTER,
)
from models.simulation.luck import draw_uniform

CONTACT_WANTED, PLAN_WANTED, MEETS_AS_PLANNED, MEETS_WITHOUT_PLAN, WANTS_AGAIN, LEAVES = (
    0.8,
    0.6,
    0.65,
    0.15,
    0.55,
    0.15,
)
"""Shares for a conversation of affinity 0: wants to exchange contacts; of contacts, wants to plan; of plans and of
contacts without one, meets; of those who met, wants to again (each); of those who both do, leaves together."""
CONTACT_MEDIAN, CONTACT_SD = 11, 0.5
"""Median of the message with the contact, and the standard deviation of its logarithm."""
EARLIEST_CONTACT = 3
MEETING_HOURS, MEETING_SD = 72.0, 0.6
TOGETHER_HOURS, TOGETHER_SD = 21 * 24.0, 0.4
"""Median hours from contact or plan to the meeting, and on to leaving, with standard deviations of their logarithms."""
TELLS = 0.7
"""Share of people who say whether they met, when the app asks."""
ASKED_AFTER = 10 * 24.0
"""Hours after the exchange of contacts at which those are asked who did not meet."""


@dataclass(frozen=True)
class Milestones:
    """What each of k conversations led to.

    Attributes:
        contact_number, plan_number: Number of the message with the contact and with the plan, 0 for none, int64 (k,).
        met_at: Hours of the meeting, nan for none, float64 (k,).
        asked_at: Hours at which both are asked whether they met, nan if they are not, float64 (k,).
        tells: Whether a and b answer that, bool (k, 2).
        again: Whether a and b want to meet again, given that they met, bool (k, 2).
        together_at: Hours at which the two leave together, nan if they do not, float64 (k,).
    """

    contact_number: Int64Array
    plan_number: Int64Array
    met_at: Float64Array
    asked_at: Float64Array
    tells: BoolArray
    again: BoolArray
    together_at: Float64Array


def draw_milestones(matches: MatchedPairs, messages: SentMessages, affinity: Float64Array, seed: int) -> Milestones:
    """Draw what these messages lead to.

    Args:
        matches: k pairs.
        messages: Their messages, sorted by conversation and number.
        affinity: Log-odds of the pairs, (k,).
        seed: Seed of the luck.
    """
    draws = PairLuck(matches, affinity, seed)
    contact, contact_at = _find_sent(messages, draws.draw_contact_number())
    plan, plan_at = _find_sent(messages, np.where(contact > 0, contact + draws.draw_plan_delay(), 0))
    met_at = draws.draw_meeting(contact_at, plan_at)
    again = np.stack([draws.agrees(WANTS_AGAIN, AGAIN, side) for side in (0, 1)], axis=1)
    leaves = draws.agrees(LEAVES, TOGETHER) & again.all(axis=1)
    return Milestones(
        contact_number=contact,
        plan_number=plan,
        met_at=met_at,
        asked_at=np.where(np.isnan(met_at), contact_at + ASKED_AFTER, met_at),
        tells=np.stack([draws.draw(ASKED, side) < TELLS for side in (0, 1)], axis=1),
        again=again & ~np.isnan(met_at)[:, None],
        together_at=np.where(leaves, met_at + draws.draw_wait(TOGETHER_AFTER, TOGETHER_HOURS, TOGETHER_SD), np.nan),
    )


@dataclass(frozen=True)
class PairLuck:
    """The luck of pairs that is not of a message."""

    matches: MatchedPairs
    affinity: Float64Array
    seed: int

    def draw(self, purpose: int, *keys: int) -> Float64Array:
        """Draw a number in (0, 1) for each pair, (k,)."""
        return draw_uniform(self.seed, purpose, self.matches.a, self.matches.b, *keys)

    def agrees(self, share: float, purpose: int, *keys: int) -> BoolArray:
        """Draw what this share of the pairs of affinity 0 does, and more of those with a higher one, bool (k,)."""
        return np.asarray(self.draw(purpose, *keys) < expit(logit(share) + self.affinity))

    def draw_wait(self, purpose: int, median: float, sd: float) -> Float64Array:
        """Draw log-normal waits, (k,)."""
        return np.asarray(median * np.exp(sd * ndtri(self.draw(purpose))))

    def draw_contact_number(self) -> Int64Array:
        """Draw the number of the message with the contact, 0 for those who do not want to, int64 (k,)."""
        number = np.maximum(np.rint(self.draw_wait(CONTACT_AFTER, CONTACT_MEDIAN, CONTACT_SD)), EARLIEST_CONTACT)
        return np.where(self.agrees(CONTACT_WANTED, CONTACT), number, 0).astype(np.int64)

    def draw_plan_delay(self) -> Int64Array:
        """Draw how many messages a plan comes after the contact, beyond any conversation for no plan, int64 (k,)."""
        delay = 1 + np.floor(-4 * np.log(self.draw(PLAN_AFTER)))
        return np.where(self.agrees(PLAN_WANTED, PLAN), delay, np.iinfo(np.int32).max).astype(np.int64)

    def draw_meeting(self, contact_at: Float64Array, plan_at: Float64Array) -> Float64Array:
        """Draw when pairs meet, nan for never, (k,)."""
        planned = ~np.isnan(plan_at)
        share = np.where(planned, MEETS_AS_PLANNED, MEETS_WITHOUT_PLAN)
        meets = self.draw(MEETING) < expit(logit(share) + self.affinity)
        since = np.where(planned, plan_at, contact_at)
        return np.where(meets, since + self.draw_wait(MEETING_AFTER, MEETING_HOURS, MEETING_SD), np.nan)


def _find_sent(messages: SentMessages, number: Int64Array) -> tuple[Int64Array, Float64Array]:
    """Find which of these message numbers were sent, 0 for not, (k,), and when, nan for not, (k,)."""
    found = messages.take(messages.number == number[messages.conversation])
    sent, at = np.zeros_like(number), np.full(len(number), np.nan)
    sent[found.conversation], at[found.conversation] = found.number, found.sent_at
    return sent, at
