"""Supply and demand: whom people ask for, and how much they are asked for themselves."""

from itertools import pairwise

import numpy as np
import pandas as pd

from models.ml.eligibility import Matrix, Rules
from models.ml.geography import distance_km
from models.ml.history import Ints

VIEWERS_AT_ONCE = 1024
# Lower bounds of the age bands that people are counted in, completed years.
BANDS = (18, 25, 30, 35, 40, 50, 60)


def wanted(rules: Rules, viewers: Ints) -> Matrix:
    """Who of all n people is what each viewer asks for, whatever they ask for themselves: bool (viewers, n).

    Two people are eligible for each other if each is what the other asks for. Who is paused asks for nobody, and nobody
    for them.
    """
    viewer = viewers[:, None]
    fits: Matrix = rules.seeks[viewers][:, rules.gender]
    fits &= (rules.age >= rules.age_min[viewer]) & (rules.age <= rules.age_max[viewer])
    fits &= ~(rules.paused | rules.paused[viewer])
    fits[np.arange(len(viewers)), viewers] = False
    row, column = np.nonzero(fits)
    apart = distance_km(rules.place[viewers[row]], rules.place[column])
    fits[row, column] = np.isnan(apart) | (apart <= rules.max_distance_km[viewers[row]])
    return fits


def supply_and_demand(rules: Rules) -> pd.DataFrame:
    """A row a person, in their order.

    asks_for: how many people are what they ask for; asked_for_by: how many ask for somebody like them; demand: those
    people's attention, where everybody spreads one unit evenly over all they ask for. A demand of 2 is twice as much
    attention as somebody has to give.
    """
    n = len(rules.gender)
    asks_for, asked_for_by, demand = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
    for start in range(0, n, VIEWERS_AT_ONCE):
        viewers = np.arange(start, min(start + VIEWERS_AT_ONCE, n))
        fits = wanted(rules, viewers)
        asks_for[viewers] = fits.sum(axis=1)
        asked_for_by += fits.sum(axis=0)
        demand += (1 / np.maximum(asks_for[viewers], 1)) @ fits
    return pd.DataFrame({"asks_for": asks_for, "asked_for_by": asked_for_by, "demand": demand})


def age_band(age: pd.Series) -> pd.Series:
    """The band of each age, such as 18-24, an ordered category; the last has no end."""
    names = [*(f"{low}-{high - 1}" for low, high in pairwise(BANDS)), f"{BANDS[-1]} and up"]
    return pd.cut(age, [*BANDS, np.inf], right=False, labels=names)
