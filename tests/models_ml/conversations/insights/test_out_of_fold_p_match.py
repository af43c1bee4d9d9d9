"""p_match of matches: each like by the ranker that has not seen it, and none where all have."""

import numpy as np
import pandas as pd
import pytest

from models.ml.conversations.insights.out_of_fold_p_match import compute_out_of_fold_p_match, find_like_folds
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups, make_empty_history
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, build_prior
from tests.models_ml.conftest import draw_profiles


def test_each_like_is_predicted_without_its_fold() -> None:
    profiles = draw_profiles(30)
    spec = fit_feature_spec(profiles, NO_ANSWERS)
    people = build_profile_matrix(spec, profiles, NO_ANSWERS)
    names = [name for name, _ in list_feature_groups(spec)]
    rare, often = (build_prior(spec, names, np.full(200, liked)) for liked in (False, True))
    rankers = CrossFittedRanker(rare, {0: rare, 1: often})
    pairs = pd.DataFrame({"person_a": ["0000", "0001", "0002"], "person_b": ["0003", "0004", "0005"]})
    decided = pd.DataFrame(
        {
            "viewer_id": ["0000", "0003", "0001", "0004", "0002"],
            "candidate_id": ["0003", "0000", "0004", "0001", "0005"],
        }
    )
    folds = find_like_folds(pairs, decided, np.array([0, 1, 1, -1, 0]))
    assert folds.tolist() == [[0, 1], [1, -1], [0, -1]]
    person = np.array([[0, 3], [1, 4], [2, 5]])
    found = compute_out_of_fold_p_match(rankers, people, person, folds)
    assert np.isnan(found).tolist() == [False, True, True]

    def predict(ranker: Ranker, viewer: int, candidate: int) -> float:
        pair = Pairs(people, np.array([viewer]), np.array([candidate]), make_empty_history(1))
        return float(ranker.predict_p_like(build_features(spec, pair))[0])

    assert found[0] == pytest.approx(predict(rare, 0, 3) * predict(often, 3, 0), rel=1e-6)
    assert np.isnan(compute_out_of_fold_p_match(rankers, people, np.array([[0, -1]]), folds[:1])).all()
