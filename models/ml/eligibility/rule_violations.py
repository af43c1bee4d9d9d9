"""Counts of listed pairs that break a rule."""

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Int64Array
from models.ml.eligibility import compiled_rule
from models.ml.eligibility.rules import EligibilityRules

PAIRS_PER_BATCH = 1_000_000
RULES = {
    "themselves": compiled_rule.THEMSELVES,
    "paused": compiled_rule.PAUSED,
    "genders": compiled_rule.GENDERS,
    "ages": compiled_rule.AGES,
    "distance": compiled_rule.DISTANCE,
}
"""Names of the rules, and their bits."""


def count_rule_violations(
    rules: EligibilityRules, decided: tuple[Int64Array, Int64Array], viewer: Int64Array, candidate: Int64Array
) -> "pd.Series[int]":
    """Count how many of k pairs of positions break each rule: a pair that breaks two rules counts twice.

    `decided` are pairs (viewer, candidate) of a decision: the candidate is not to be shown to the viewer again.
    """
    counts = dict.fromkeys(RULES, 0)
    for start in range(0, len(viewer), PAIRS_PER_BATCH):
        batch = slice(start, start + PAIRS_PER_BATCH)
        broken = rules.find_broken(viewer[batch], candidate[batch])
        for name, bit in RULES.items():
            counts[name] += int(np.count_nonzero(broken & bit))
    counts["liked or passed before"] = count_among(decided, viewer, candidate, len(rules.age))
    return pd.Series(counts)


def count_among(pairs: tuple[Int64Array, Int64Array], viewer: Int64Array, candidate: Int64Array, people: int) -> int:
    """Count the n pairs of positions that are among `pairs`, where -1 is an unknown person and matches nobody."""
    known = (pairs[0] >= 0) & (pairs[1] >= 0)
    codes = np.unique(pairs[0][known] * people + pairs[1][known])
    return int(_find_members(viewer * people + candidate, codes).sum())


def _find_members(numbers: Int64Array, known: Int64Array) -> BoolArray:
    """Which numbers are among the known ones, in order: found by halves, where numpy.isin sorts all of them."""
    at = np.searchsorted(known, numbers)
    return np.asarray(np.append(known, -1)[at] == numbers)
