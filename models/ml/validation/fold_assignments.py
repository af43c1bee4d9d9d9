"""Whom each ranker without a fold has not seen, so that a later exam asks it about them.

Folds move: a circle goes by its first person's id, and whoever joins may sort before; of few groups another one shifts
the rest; circles become one. So rankers keep whom they held out, by hashes: no id can be had from them.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.ml.features.training_pairs import hash_ids

IN_TRAINING = -1


def group_viewers_by_fold(decisions: pd.DataFrame) -> dict[int, Int64Array]:
    """Of each fold of a training-pairs frame the hashes of its viewers, int64, ascending."""
    viewers = decisions["viewer_id"].drop_duplicates()
    hashes, fold = hash_ids(viewers), decisions["fold"].loc[viewers.index].to_numpy(np.int64)
    return {int(each): np.sort(hashes[fold == each]) for each in np.unique(fold)}


def find_folds_at_training(held_out: Mapping[int, Int64Array], decisions: pd.DataFrame) -> Int64Array:
    """The fold of each decision, (n,), in the training of rankers that held out these viewers by fold.

    A group's is that of those of its viewers whom the rankers knew, newcomers included: the ranker without that fold
    saw nothing of the group. Of a group that they knew nothing of it is today's, as none of them saw anything of it;
    NOT_HELD_OUT for a group whose viewers were in several folds then.
    """
    fold_of = {viewer: fold for fold, viewers in held_out.items() for viewer in viewers.tolist()}
    of_viewer = pd.Series(hash_ids(decisions["viewer_id"]), decisions.index).map(fold_of).astype(np.float64)
    of_group = of_viewer.groupby(decisions["group"])
    lowest, highest = of_group.transform("min"), of_group.transform("max")
    then = lowest.where(lowest == highest, IN_TRAINING).where(lowest.notna(), decisions["fold"])
    return then.to_numpy(np.int64)
