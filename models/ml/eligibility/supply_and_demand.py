"""Supply and demand: whom people ask for, and how much they are asked for themselves."""

from itertools import pairwise

import numpy as np
import pandas as pd

from models.ml.eligibility.rules import EligibilityRules

VIEWERS_PER_BATCH = 1024
# Lower bounds of the age bands that people are counted in, completed years.
AGE_BANDS = (18, 25, 30, 35, 40, 50, 60)


def compute_supply_and_demand(rules: EligibilityRules) -> pd.DataFrame:
    """A row a person, in their order.

    asks_for: how many people are what they ask for; asked_for_by: how many ask for somebody like them; demand: those
    people's attention, where everybody spreads one unit evenly over all they ask for. A demand of 2 is twice as much
    attention as somebody has to give.
    """
    n = len(rules.gender)
    asks_for, asked_for_by, demand = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    for start in range(0, n, VIEWERS_PER_BATCH):
        viewers = np.arange(start, min(start + VIEWERS_PER_BATCH, n))
        fits = rules.match_preferences(viewers)
        asks_for[viewers] = fits.sum(axis=1)
        asked_for_by += fits.sum(axis=0)
        demand += (1 / np.maximum(asks_for[viewers], 1)) @ fits
    return pd.DataFrame({"asks_for": asks_for, "asked_for_by": asked_for_by, "demand": demand})


def assign_age_band(age: pd.Series) -> pd.Series:
    """The band of each age, such as 18-24, an ordered category; the last has no end."""
    names = [*(f"{low}-{high - 1}" for low, high in pairwise(AGE_BANDS)), f"{AGE_BANDS[-1]} and up"]
    return pd.cut(age, [*AGE_BANDS, np.inf], right=False, labels=names)
