"""The outcome head: the probability that a conversation goes on, from what is known before the match.

A ridge logistic regression on the past rates of both people, shrunk to the mean, and on what is known of the pair. The
rates of a pair are added, so it does not matter who is first. A new person, and one who has opted out, counts as the
mean of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit

from models.ml.arrays import Float64Array, Int64Array
from models.ml.conversations.head.outcome_inputs import MatchSample
from models.ml.conversations.head.past_rates import PastOutcomes, RatePrior, fit_prior
from models.ml.ranker.linear import LinearModel, fit_ridge

STRENGTH = 1.0
"""Inverse of the ridge penalty."""
Past = Mapping[str, PastOutcomes]


@dataclass(frozen=True)
class OutcomeHead:
    """A fitted head.

    Attributes:
        priors: The prior of people's rates, by outcome.
        linear: Log odds from the features of `build_features`.
        mean: Share of the conversations that went on in training.
    """

    priors: Mapping[str, RatePrior]
    linear: LinearModel
    mean: float

    def predict(self, rates: Float64Array, context: Float64Array) -> Float64Array:
        """Predict the probability that the conversation of each pair goes on, float64 (n,).

        Args:
            rates: Shrunk rates of both people together, (n, outcomes); see `rate_people`.
            context: What else is known of the pairs, (n, f).
        """
        return np.asarray(expit(self.linear.log_odds(np.hstack([rates, context]))))

    def predict_matches(self, past: Past, matches: MatchSample, most: int | None = None) -> Float64Array:
        """Predict each match from what was known at its moment, float64 (n,); see `rate_people` for `most`."""
        return self.predict(_rate_pairs(self.priors, past, matches, most), matches.context)


def rate_people(
    priors: Mapping[str, RatePrior], past: Past, person: Int64Array, moment: Int64Array, most: int | None = None
) -> Float64Array:
    """Return the shrunk past rates of people as they were known at moments, float64 (..., outcomes).

    Args:
        priors: The prior of each outcome, in the order of the result.
        past: What is known of people's conversations.
        person: Numbers of people, of any shape.
        moment: When, in a shape that fits.
        most: Only the last so many known conversations of a person count; None: all.
    """
    found, moment = np.empty((*person.shape, len(priors))), np.broadcast_to(moment, person.shape)
    for number, (name, prior) in enumerate(priors.items()):
        found[..., number] = prior.shrink(*past[name].count(person, moment, most))
    return found


def _rate_pairs(priors: Mapping[str, RatePrior], past: Past, matches: MatchSample, most: int | None) -> Float64Array:
    """Return the rates of both people of each match together, (n, outcomes): it does not matter who is first."""
    rates = rate_people(priors, past, matches.person, matches.moment[:, None], most)
    return np.asarray(rates[:, 0] + rates[:, 1])


def fit_head(
    past: Past, matches: MatchSample, until: int, outcomes: Sequence[str], most: int | None = None
) -> OutcomeHead:
    """Fit a head on the matches whose outcome was known at a moment.

    Args:
        past: What is known of people's conversations.
        matches: The matches, whose later outcomes are not used.
        until: The moment.
        outcomes: The past outcomes to use.
        most: See `rate_people`.
    """
    known = matches.take(matches.known & (matches.known_at <= until))
    everybody = np.unique(matches.person)
    at = np.full(len(everybody), until)
    priors = {name: fit_prior(*past[name].count(everybody, at)) for name in outcomes}
    went_on = known.outcome > 0
    linear = fit_ridge(np.hstack([_rate_pairs(priors, past, known, most), known.context]), went_on, STRENGTH)
    return OutcomeHead(priors, linear, float((went_on.sum() + 0.5) / (len(went_on) + 1)))


@dataclass(frozen=True)
class ForwardPredictions:
    """Predictions of matches by heads that knew only what was known before them: k matches, (k,) each.

    Attributes:
        rows: The matches, int64.
        p_on: Probabilities by the head.
        constant: The share of earlier conversations that went on.
    """

    rows: Int64Array
    p_on: Float64Array
    constant: Float64Array


def predict_forward(
    past: Past, matches: MatchSample, cuts: Sequence[float], outcomes: Sequence[str], most: int | None = None
) -> ForwardPredictions:
    """Split the matches by time, and predict each part after a cut with a head fitted on what was known at the cut.

    Args:
        past: What is known of people's conversations.
        matches: The matches, in order of time, all with a known outcome.
        cuts: Where the parts begin, as shares of the matches, ascending, 0 to 1.
        outcomes: The past outcomes to use.
        most: See `rate_people`.
    """
    bounds = [int(cut * len(matches)) for cut in cuts] + [len(matches)]
    p_on, constant = np.empty((2, len(matches) - bounds[0]))
    for first, last in pairwise(bounds):
        part, here = matches.take(np.arange(first, last)), slice(first - bounds[0], last - bounds[0])
        head = fit_head(past, matches, int(part.moment[0]) - 1 if len(part) else 0, outcomes, most)
        p_on[here], constant[here] = head.predict_matches(past, part, most), head.mean
    return ForwardPredictions(np.arange(bounds[0], len(matches)), p_on, constant)
