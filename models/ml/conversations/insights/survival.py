"""How long the first answer takes, with those who are still waiting (Kaplan & Meier 1958)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.conversations.insights.cells import MIN_PEOPLE, Cell
from models.ml.conversations.insights.intervals import Z, number_people
from models.ml.validation.clustered_errors import estimate_dyadic_error

ANSWER_HOURS = (1, 3, 6, 12, 24, 48, 72, 168, 336)
HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True)
class SurvivalCurve:
    """The Kaplan-Meier curve of n waits, at the m distinct times at which something happened, ascending.

    Attributes:
        times: Hours, float64 (m,).
        survival: Share that still waits just after each time, float64 (m,).
        at_risk: Number that waits just before each time, int64 (m,).
        events: Number that ends at each time, int64 (m,).
    """

    times: Float64Array
    survival: Float64Array
    at_risk: Int64Array
    events: Int64Array

    def compute_survival(self, at: float) -> float:
        """Compute the share that still waits after `at` hours."""
        known = np.searchsorted(self.times, at, "right")
        return float(self.survival[known - 1]) if known else 1.0

    def compute_influence(self, waits: Float64Array, answered: BoolArray, at: float) -> Float64Array:
        """Compute what each of the n waits adds to the error of the survival at `at`, float64 (n,).

        The infinitesimal jackknife: the survival times the martingale residual of each wait, weighed by who is at risk.
        Without shared people the sum of squares is Greenwood's variance (1926) up to the order of 1 / n.
        """
        hazard = np.concatenate([[0.0], np.cumsum(self.events / self.at_risk**2)])
        expected = hazard[np.searchsorted(self.times, np.minimum(waits, at), "right")]
        index = np.minimum(np.searchsorted(self.times, waits), max(len(self.times) - 1, 0))
        observed = np.where(answered & (waits <= at), 1 / self.at_risk[index], 0.0) if len(self.times) else 0.0
        return np.asarray(self.compute_survival(at) * (expected - observed))


def estimate_survival(waits: Float64Array, answered: BoolArray) -> SurvivalCurve:
    """Estimate the survival curve of n waits; of one that was not answered, it is known that it lasted so long.

    Args:
        waits: Hours until the answer, or until the wait was no longer observed, float64 (n,), 0 or more.
        answered: Whether the wait ended with an answer, bool (n,).
    """
    times, events = np.unique(waits[answered], return_counts=True)
    at_risk = len(waits) - np.searchsorted(np.sort(waits), times, "left")
    survival = np.asarray(np.cumprod(1 - events / at_risk), np.float64)
    return SurvivalCurve(times, survival, at_risk.astype(np.int64), events.astype(np.int64))


def measure_first_answer(facts: pd.DataFrame, now: pd.Timestamp) -> list[Cell]:
    """Measure the share of openers that are answered within each of ANSWER_HOURS, with 95 % intervals.

    An opener without an answer is censored when the conversation is closed, or now. This takes closing to say nothing
    about the answer that would have come. Where people unmatch instead of answering, the true share is lower.

    Args:
        facts: The frame `conversation_facts`.
        now: When the facts were read.
    """
    opened = facts[facts["opener"] >= 0]
    waits, answered = observe_waits(opened, now)
    curve, person = estimate_survival(waits, answered), number_people(opened)
    cells = []
    for hours in ANSWER_HOURS:
        people = len(np.unique(person[answered | (waits >= hours)]))
        if people >= MIN_PEOPLE:
            value = 1 - curve.compute_survival(hours)
            half = Z * estimate_dyadic_error(curve.compute_influence(waits, answered, hours), person)
            low, high = max(value - half, 0.0), min(value + half, 1.0)
            cells.append(Cell(None, "answered_within", f"{hours} h", value, low, high, people))
    return cells


def judge_answers(pairs: pd.DataFrame, now: pd.Timestamp, within_h: float) -> Float64Array:
    """Judge whether openers were answered within some hours, 1 or 0, float64 (n,).

    An opener in a conversation that was closed has no answer. NaN for a match without an opener, and for one whose
    opener is younger: of those, only the answered ones would be known.
    """
    waits, answered = observe_waits(pairs, now)
    age = _count_hours(pairs, pairs["closed_at"].mask(np.ones(len(pairs), bool), now))
    return np.where(age >= within_h, (answered & (waits <= within_h)).astype(np.float64), np.nan)


def observe_waits(opened: pd.DataFrame, now: pd.Timestamp) -> tuple[Float64Array, BoolArray]:
    """Return the hours that each opener waited, float64 (n,), and whether it was answered, bool (n,)."""
    answer = opened["answered_after_h"].to_numpy(np.float64)
    end = opened["closed_at"].where(opened["closed_at"] < now, now)
    answered = ~np.isnan(answer)
    return np.where(answered, answer, np.maximum(_count_hours(opened, end), 0)), answered


def _count_hours(pairs: pd.DataFrame, end: pd.Series) -> Float64Array:
    """Count the hours from each opener to an end, float64 (n,), NaN without an opener."""
    since_match = (end - pairs["matched_at"]).to_numpy() / HOUR.to_timedelta64()
    return np.asarray(since_match - pairs["opened_after_h"].to_numpy(np.float64))
