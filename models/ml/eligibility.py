"""Who may be shown to whom: the hard two-way rules, for blocks of viewers against everybody.

The database's `matching.is_eligible` is the same rule; a test holds them equal.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.geography import distance_km

Matrix = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """What eligibility asks of n people, by position."""

    gender: NDArray[np.int64]
    """The number of their gender, (n,)."""
    seeks: Matrix
    """Whether they look for each gender, (n, genders)."""
    age: NDArray[np.float64]
    age_min: NDArray[np.float64]
    age_max: NDArray[np.float64]
    place: NDArray[np.float64]
    """Latitude and longitude in degrees, (n, 2); NaN where unknown."""
    max_distance_km: NDArray[np.float64]
    """Infinite where there is no limit."""
    paused: Matrix


def rules(profiles: pd.DataFrame) -> Rules:
    """The rules of a profiles frame (see models.ml.frames)."""
    gender, genders = pd.factorize(profiles["gender"])

    def number(name: str, unknown: float) -> NDArray[np.float64]:
        return pd.to_numeric(profiles[name]).fillna(unknown).to_numpy(np.float64)

    return Rules(
        gender=gender,
        seeks=np.array([[each in cell for each in genders] for cell in profiles["seeks"]], bool).reshape(
            len(gender), -1
        ),
        age=profiles["age"].to_numpy(np.float64),
        age_min=number("age_min", 0),
        age_max=number("age_max", np.inf),
        place=profiles[["latitude", "longitude"]].to_numpy(dtype=np.float64, na_value=np.nan),
        max_distance_km=number("max_distance_km", np.inf),
        paused=profiles["paused"].to_numpy(bool),
    )


def eligible(rules: Rules, viewers: NDArray[np.int64]) -> Matrix:
    """Which of all n people are eligible for each viewer, and the viewer for them: bool (viewers, n)."""
    viewer = viewers[:, None]
    fits: Matrix = rules.seeks[viewers][:, rules.gender]
    fits &= rules.seeks[:, rules.gender[viewers]].T
    fits &= (rules.age >= rules.age_min[viewer]) & (rules.age <= rules.age_max[viewer])
    fits &= (rules.age[viewer] >= rules.age_min) & (rules.age[viewer] <= rules.age_max)
    fits &= ~(rules.paused | rules.paused[viewer])
    fits[np.arange(len(viewers)), viewers] = False
    # Trigonometry is dear: only for pairs that the other rules left.
    row, column = np.nonzero(fits)
    person = viewers[row]
    apart = distance_km(rules.place[person], rules.place[column])
    limit = np.minimum(rules.max_distance_km[person], rules.max_distance_km[column])
    fits[row, column] = np.isnan(apart) | (apart <= limit)
    return fits
