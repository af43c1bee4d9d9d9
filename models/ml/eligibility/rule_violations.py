"""Counts of pairs that break a rule."""

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
"""Names of the rules, and their bits in `compiled_rule`."""


def count_rule_violations(
    rules: EligibilityRules, decided: tuple[Int64Array, Int64Array], viewer: Int64Array, candidate: Int64Array
) -> "pd.Series[int]":
    """Count the pairs that break each rule. A pair that breaks two rules counts twice.

    Args:
        rules: The rules of all users.
        decided: Viewers and candidates of earlier decisions, which are not shown again, positions (d,) each.
        viewer: Positions, (k,).
        candidate: Positions, (k,).
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
    """Count the pairs of positions that are among `pairs`, in which -1 is an unknown user and matches nobody."""
    known = (pairs[0] >= 0) & (pairs[1] >= 0)
    codes = np.unique(pairs[0][known] * people + pairs[1][known])
    return int(_find_members(viewer * people + candidate, codes).sum())


def _find_members(numbers: Int64Array, known: Int64Array) -> BoolArray:
    """Find the numbers that are in `known`, which is sorted: numpy.isin would sort all numbers."""
    at = np.searchsorted(known, numbers)
    return np.asarray(np.append(known, -1)[at] == numbers)
