"""What makes a pair's chance: the ranker's contributions by feature, and summed by what the features are about."""

import numpy as np
import pandas as pd

from models.ml.features.pair_features import FeatureGroup, Pairs, build_features, list_feature_groups
from models.ml.ranker.ranker_model import Ranker

SUBJECTS: dict[FeatureGroup, str] = {
    "viewer": "who looks",
    "candidate": "who is looked at",
    "age": "ages",
    "distance": "distance",
    "interests": "interests",
    "texts": "answers",
    "traits": "traits alike",
    "facts": "facts alike",
    "wants": "what the viewer wants",
    "hidden": "what the candidate wants",
}
HISTORY_SUBJECT = "likes so far"


def compute_feature_contributions(ranker: Ranker, pairs: Pairs) -> pd.DataFrame:
    """What each feature adds to the log-odds of a like compared with an average pair: a row a pair, float64."""
    names = [name for name, _ in list_feature_groups(ranker.specification)]
    return pd.DataFrame(ranker.explain(build_features(ranker.specification, pairs)), columns=names)


def compute_subject_contributions(ranker: Ranker, pairs: Pairs) -> pd.DataFrame:
    """The same, summed by what the features are about: a column for each subject that the ranker has features of.

    What likes say of people beyond their profiles is a subject of its own. Subjects of the candidate that are nobody
    else's business, what they want and who liked them, are among these: they are for analysts, and never a reason.
    """
    features = compute_feature_contributions(ranker, pairs)
    of = [
        HISTORY_SUBJECT if name.startswith("history.") else SUBJECTS[group]
        for name, group in list_feature_groups(ranker.specification)
    ]
    subjects = [each for each in (*SUBJECTS.values(), HISTORY_SUBJECT) if each in of]
    return pd.DataFrame({each: features.loc[:, np.array(of) == each].sum(axis=1) for each in subjects})
