"""How people's earlier conversations went, as far as it was known at a moment: counts, and shrunk rates.

An outcome of a conversation is known from a moment on: when the conversation is mature, or earlier where it cannot
change any more. A count at a moment sees what was known then and nothing later, so a feature made of it does not leak.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float64Array, Int64Array

MIN_STRENGTH, MAX_STRENGTH = 0.5, 200.0
"""Bounds of a prior's strength: with fewer conversations a rate is not shrunk enough, with more not at all learned."""


@dataclass(frozen=True)
class PastOutcomes:
    """n known outcomes of people's conversations, sorted by person, then by when they became known.

    Attributes:
        key: Person and moment as one number, int64 (n,), ascending.
        moments: All moments at which something became known, ascending, int64 (m,).
        successes: Running number of outcomes that are 1, float64 (n + 1,).
    """

    key: Int64Array
    moments: Int64Array
    successes: Float64Array

    def count(self, person: Int64Array, moment: Int64Array, most: int | None = None) -> tuple[Int64Array, Float64Array]:
        """Count what was known of people at moments.

        Args:
            person: Numbers of people, int64 (k,).
            moment: The moment of each count, in the unit of the outcomes, int64 (k,).
            most: Only the last so many known outcomes of a person count; None: all.

        Returns:
            The known outcomes, int64 (k,), and those of them that are 1, float64 (k,).
        """
        stride = len(self.moments) + 1
        first = np.searchsorted(self.key, person * stride)
        end = np.searchsorted(self.key, person * stride + np.searchsorted(self.moments, moment, "right"), "left")
        if most is not None:
            first = np.maximum(first, end - most)
        return np.asarray(end - first, np.int64), self.successes[end] - self.successes[first]


def collect_outcomes(person: Int64Array, known_at: Int64Array, outcome: Float64Array) -> PastOutcomes:
    """Collect the outcomes of n conversations of one side each, those that are not known left out.

    Args:
        person: Number of the person, int64 (n,), 0 or more.
        known_at: When the outcome is known, such as nanoseconds, int64 (n,).
        outcome: 1 or 0, float64 (n,); NaN: not known.
    """
    known = ~np.isnan(outcome)
    person, known_at, outcome = person[known], known_at[known], outcome[known]
    moments, index = np.unique(known_at, return_inverse=True)
    key = person * (len(moments) + 1) + index
    order = np.argsort(key, kind="stable")
    return PastOutcomes(key[order], moments, np.concatenate([[0.0], np.cumsum(outcome[order])]))


@dataclass(frozen=True)
class RatePrior:
    """The beta distribution of people's rates: its mean, 0 to 1, and its strength in conversations."""

    mean: float
    strength: float

    def shrink(self, trials: Int64Array, successes: Float64Array) -> Float64Array:
        """Shrink rates to the mean, as log odds less those of the mean, float64 (k,): 0 where nothing is known."""
        rate = (successes + self.mean * self.strength) / (trials + self.strength)
        return np.asarray(np.log(rate) - np.log1p(-rate) - np.log(self.mean) + np.log1p(-self.mean))


def fit_prior(trials: Int64Array, successes: Float64Array) -> RatePrior:
    """Fit the prior of rates to the counts of people by the method of moments of the beta-binomial distribution.

    Kleinman, JASA 68 (1973). A person weighs by their conversations. Without a spread beyond chance the strength is
    MAX_STRENGTH, and with less than two conversations of anybody the prior is that of nothing known.

    Args:
        trials: Known conversations of each person, int64 (people,).
        successes: Those that went well, float64 (people,).
    """
    counted = trials > 0
    n, x = trials[counted].astype(np.float64), successes[counted]
    total = n.sum()
    mean = float((x.sum() + 0.5) / (total + 1))
    spread = float((n * (x / np.maximum(n, 1) - mean) ** 2).sum())
    room = float(total - (n**2).sum() / total) if total else 0.0
    freedom = len(n) - 1
    if room <= 0 or freedom <= 0 or total <= len(n):
        return RatePrior(mean, MAX_STRENGTH)
    # E(spread) = mean (1 - mean) (freedom + (room - freedom) r), where r is the correlation of two conversations.
    correlation = (spread / (mean * (1 - mean)) - freedom) / (room - freedom)
    strength = 1 / correlation - 1 if correlation > 0 else MAX_STRENGTH
    return RatePrior(mean, float(np.clip(strength, MIN_STRENGTH, MAX_STRENGTH)))
