"""The column of propensities of the match lists, where some lists are partly random."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float32Array
from models.ml.scoring.list_frames import PROPENSITIES


def add_propensities(lists: pd.DataFrame, propensity: Float32Array) -> pd.DataFrame:
    """Return the match lists with the column propensities (float32 arrays).

    Args:
        lists: A frame of `models.ml.scoring.list_frames`, whose every row is a list.
        propensity: Probability that each candidate stands at its position, in the order of the lists, float32 (k,).
    """
    ends = np.cumsum(lists["candidate_ids"].map(len).to_numpy(np.int64))[:-1]
    cells = np.split(propensity, ends) if len(lists) else []
    return lists.assign(**{PROPENSITIES: pd.Series(cells, lists.index, dtype=object)})
