"""Contributions of features to the ranker's log-odds, for each feature and for each subject."""

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
    """Compute what each feature adds to the log-odds of a like over an average pair: one row per pair, float64."""
    names = [name for name, _ in list_feature_groups(ranker.specification)]
    return pd.DataFrame(ranker.explain(build_features(ranker.specification, pairs)), columns=names)


def compute_subject_contributions(ranker: Ranker, pairs: Pairs) -> pd.DataFrame:
    """Sum the contributions by subject: one row per pair, one column for each subject that the ranker has features of.

    History, which goes beyond the profiles, is a subject of its own. Some subjects are private to the candidate: their
    wants and who liked them. They are for analysts and must never become a reason.
    """
    features = compute_feature_contributions(ranker, pairs)
    of = [
        HISTORY_SUBJECT if name.startswith("history.") else SUBJECTS[group]
        for name, group in list_feature_groups(ranker.specification)
    ]
    subjects = [each for each in (*SUBJECTS.values(), HISTORY_SUBJECT) if each in of]
    return pd.DataFrame({each: features.loc[:, np.array(of) == each].sum(axis=1) for each in subjects})
