"""The samples of a holdout set as a frame: one row each, with the scores of the ranker and of the simple baselines."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.features.pair_features import Pairs
from models.ml.validation import simple_scores
from models.ml.validation.holdout import HoldoutSet

ALL_KNOWN = -1


def tabulate_samples(
    holdout: HoldoutSet, pairs: Pairs, p_like: Mapping[str, Float64Array], base_rate: float, seed: int
) -> pd.DataFrame:
    """Tabulate the q samples of a holdout set.

    Args:
        holdout: The holdout set.
        pairs: The pairs of the samples, with their history.
        p_like: Predictions float64 (q,) of the `ranker` and of its `linear start`.
        base_rate: Share of likes, which popularity is shrunk to, 0 to 1.
        seed: Seed of the random scores.

    Returns:
        One row per sample. `decision` is the row of the decision. `viewer` and `candidate` are numbers for the two
        users. `list` is a number for the samples of one viewer with the same history. `known` is how many decisions
        given and received are visible of each user, -1 for half of all. `liked` is the label. Then follow the scores.
    """
    known = np.array([ALL_KNOWN if draw.history_size is None else draw.history_size for draw in holdout.splits])
    return pd.DataFrame(
        {
            "decision": holdout.samples,
            "viewer": pairs.viewer,
            "candidate": pairs.candidate,
            "list": holdout.lists,
            "known": known[holdout.split],
            "liked": holdout.liked,
            **p_like,
            "popularity": simple_scores.score_popularity(pairs, base_rate),
            "interest cosine": simple_scores.score_interest_cosine(pairs),
            "random": simple_scores.score_at_random(pairs, seed),
        }
    )
