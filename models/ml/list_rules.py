"""Whether listed pairs keep the rules: asked pair by pair, otherwise than the candidates were found."""

import numpy as np
import pandas as pd

from models.ml.eligibility import Rules
from models.ml.geography import distance_km
from models.ml.history import Bools, Ints

# The candidates' distance goes by chords: at the very limit the two may differ by rounding.
ROUNDING_KM = 0.001
PAIRS_AT_ONCE = 1_000_000


def broken_rules(rules: Rules, decided: tuple[Ints, Ints], viewer: Ints, candidate: Ints) -> "pd.Series[int]":
    """How many of n pairs of positions break each rule: a pair that breaks two counts twice.

    `decided` are the pairs (viewer, candidate) in which the viewer liked or passed the candidate before.
    """
    people = len(rules.age)
    seen = np.unique(decided[0] * people + decided[1])
    totals = [
        pd.Series(
            {
                rule: int(broken.sum())
                for rule, broken in _broken(rules, seen, viewer[rows], candidate[rows], people).items()
            }
        )
        for rows in (slice(at, at + PAIRS_AT_ONCE) for at in range(0, max(len(viewer), 1), PAIRS_AT_ONCE))
    ]
    return pd.concat(totals, axis=1).sum(axis=1)


def count_among(pairs: tuple[Ints, Ints], viewer: Ints, candidate: Ints, people: int) -> int:
    """Count the n pairs of positions that are among `pairs`, where -1 is an unknown person and matches nobody."""
    known = (pairs[0] >= 0) & (pairs[1] >= 0)
    codes = np.unique(pairs[0][known] * people + pairs[1][known])
    return int(_among(viewer * people + candidate, codes).sum())


def _broken(rules: Rules, seen: Ints, viewer: Ints, candidate: Ints, people: int) -> dict[str, Bools]:
    apart = distance_km(rules.place[viewer], rules.place[candidate]) - ROUNDING_KM
    return {
        "themselves": viewer == candidate,
        "paused": rules.paused[viewer] | rules.paused[candidate],
        "genders": ~(rules.seeks[viewer, rules.gender[candidate]] & rules.seeks[candidate, rules.gender[viewer]]),
        "ages": _age_unwanted(rules, viewer, candidate) | _age_unwanted(rules, candidate, viewer),
        "distance": (apart > rules.max_distance_km[viewer]) | (apart > rules.max_distance_km[candidate]),
        "liked or passed before": _among(viewer * people + candidate, seen),
    }


def _age_unwanted(rules: Rules, viewer: Ints, candidate: Ints) -> Bools:
    age = rules.age[candidate]
    return (age < rules.age_min[viewer]) | (age > rules.age_max[viewer])


def _among(numbers: Ints, known: Ints) -> Bools:
    """Which numbers are among the known ones, in order: found by halves, where numpy.isin sorts all of them."""
    at = np.searchsorted(known, numbers)
    return np.asarray(np.append(known, -1)[at] == numbers)
