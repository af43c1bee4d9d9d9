"""Supply and demand: how many users each user asks for, and how many ask for that user."""

from itertools import pairwise

import numpy as np
import pandas as pd

from models.ml.eligibility.rules import EligibilityRules

VIEWERS_PER_BATCH = 1024
# Lower bounds of the age bands, in completed years.
AGE_BANDS = (18, 25, 30, 35, 40, 50, 60)


def compute_supply_and_demand(rules: EligibilityRules, viewers_per_batch: int = VIEWERS_PER_BATCH) -> pd.DataFrame:
    """Compute supply and demand, a frame with a row for each user by position.

    Args:
        rules: The rules of all users.
        viewers_per_batch: The number of viewers in a batch, which bounds memory.

    Returns:
        asks_for: The number of users who have what the user asks for.
        asked_for_by: The number of users who ask for what the user has.
        demand: The attention that the user gets if each user spreads one unit evenly over all users asked for. A
        demand of 2 is twice as much attention as one user has to give.
    """
    n = len(rules.gender)
    asks_for, asked_for_by, demand = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    for start in range(0, n, viewers_per_batch):
        viewers = np.arange(start, min(start + viewers_per_batch, n))
        fits = rules.match_preferences(viewers)
        asks_for[viewers] = fits.sum(axis=1)
        asked_for_by += fits.sum(axis=0)
        demand += (1 / np.maximum(asks_for[viewers], 1)) @ fits
    return pd.DataFrame({"asks_for": asks_for, "asked_for_by": asked_for_by, "demand": demand})


def assign_age_band(age: pd.Series) -> pd.Series:
    """Assign each age to its band, such as 18-24, an ordered category. The last band has no end."""
    names = [*(f"{low}-{high - 1}" for low, high in pairwise(AGE_BANDS)), f"{AGE_BANDS[-1]} and up"]
    return pd.cut(age, [*AGE_BANDS, np.inf], right=False, labels=names)
