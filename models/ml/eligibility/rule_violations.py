"""Whether listed pairs keep the rules: asked pair by pair, otherwise than the candidates were found."""

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Int64Array
from models.ml.eligibility.rules import EligibilityRules
from models.ml.profiles.geography import compute_distance_km

# The candidates' distance goes by chords: at the very limit the two may differ by rounding.
ROUNDING_KM = 0.001
PAIRS_PER_BATCH = 1_000_000


def count_rule_violations(
    rules: EligibilityRules, decided: tuple[Int64Array, Int64Array], viewer: Int64Array, candidate: Int64Array
) -> "pd.Series[int]":
    """How many of n pairs of positions break each rule: a pair that breaks two counts twice.

    `decided` are the pairs (viewer, candidate) in which the viewer liked or passed the candidate before.
    """
    people = len(rules.age)
    seen = np.unique(decided[0] * people + decided[1])
    totals = [
        pd.Series(
            {
                rule: int(broken.sum())
                for rule, broken in _find_violations(rules, seen, viewer[rows], candidate[rows], people).items()
            }
        )
        for rows in (slice(at, at + PAIRS_PER_BATCH) for at in range(0, max(len(viewer), 1), PAIRS_PER_BATCH))
    ]
    return pd.concat(totals, axis=1).sum(axis=1)


def count_among(pairs: tuple[Int64Array, Int64Array], viewer: Int64Array, candidate: Int64Array, people: int) -> int:
    """Count the n pairs of positions that are among `pairs`, where -1 is an unknown person and matches nobody."""
    known = (pairs[0] >= 0) & (pairs[1] >= 0)
    codes = np.unique(pairs[0][known] * people + pairs[1][known])
    return int(_find_members(viewer * people + candidate, codes).sum())


def _find_violations(
    rules: EligibilityRules, seen: Int64Array, viewer: Int64Array, candidate: Int64Array, people: int
) -> dict[str, BoolArray]:
    apart = compute_distance_km(rules.place[viewer], rules.place[candidate]) - ROUNDING_KM
    return {
        "themselves": viewer == candidate,
        "paused": rules.paused[viewer] | rules.paused[candidate],
        "genders": ~(rules.seeks[viewer, rules.gender[candidate]] & rules.seeks[candidate, rules.gender[viewer]]),
        "ages": _find_unwanted_ages(rules, viewer, candidate) | _find_unwanted_ages(rules, candidate, viewer),
        "distance": (apart > rules.max_distance_km[viewer]) | (apart > rules.max_distance_km[candidate]),
        "liked or passed before": _find_members(viewer * people + candidate, seen),
    }


def _find_unwanted_ages(rules: EligibilityRules, viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    age = rules.age[candidate]
    return (age < rules.age_min[viewer]) | (age > rules.age_max[viewer])


def _find_members(numbers: Int64Array, known: Int64Array) -> BoolArray:
    """Which numbers are among the known ones, in order: found by halves, where numpy.isin sorts all of them."""
    at = np.searchsorted(known, numbers)
    return np.asarray(np.append(known, -1)[at] == numbers)
