"""Viewers that each cross-fitted ranker has not seen, so that later holdout sets can use that ranker for them.

Fold assignments change. A group's fold comes from its first id, and a new user's id may sort before it. In a population
of few groups, an additional group shifts the others, and groups can merge. Rankers therefore store the viewers they
held out, as hashes from which no id can be recovered.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.ml.features.training_pairs import hash_ids

IN_TRAINING = -1


def group_viewers_by_fold(decisions: pd.DataFrame) -> dict[int, Int64Array]:
    """Return the hashes of the viewers in each fold of a training-pairs frame, int64, ascending."""
    viewers = decisions["viewer_id"].drop_duplicates()
    hashes, fold = hash_ids(viewers), decisions["fold"].loc[viewers.index].to_numpy(np.int64)
    return {int(each): np.sort(hashes[fold == each]) for each in np.unique(fold)}


def find_folds_at_training(held_out: Mapping[int, Int64Array], decisions: pd.DataFrame) -> Int64Array:
    """Find the fold of each decision in the training of rankers that held out these viewers, int64 (n,).

    A group has the fold of its viewers that the rankers held out. This includes new members of the group, since the
    ranker without that fold saw nothing of the group. A group without such viewers keeps today's fold, as no ranker saw
    anything of it. A group whose viewers were in several folds has IN_TRAINING.

    Args:
        held_out: Hashes of the held-out viewers by fold.
        decisions: A training-pairs frame of n decisions.
    """
    fold_of = {viewer: fold for fold, viewers in held_out.items() for viewer in viewers.tolist()}
    of_viewer = pd.Series(hash_ids(decisions["viewer_id"]), decisions.index).map(fold_of).astype(np.float64)
    of_group = of_viewer.groupby(decisions["group"])
    lowest, highest = of_group.transform("min"), of_group.transform("max")
    then = lowest.where(lowest == highest, IN_TRAINING).where(lowest.notna(), decisions["fold"])
    return then.to_numpy(np.int64)
