"""The column of the match lists that says who is withheld from each viewer: the people who passed on them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.history import Events
from models.ml.positions import positions

Ints = NDArray[np.int64]
WITHHELD = "withheld_ids"
NO_LIST = {"candidate_ids": [], "reasons": "[]", **dict.fromkeys(("p_like", "p_liked_back", "p_match"), [])}


def passed_on(decided: Events) -> tuple[Ints, Ints]:
    """Viewers and the people whose last decision about them is a pass: positions int64 (n,) each."""
    return decided.target[~decided.liked], decided.actor[~decided.liked]
