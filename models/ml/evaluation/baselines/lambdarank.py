"""LambdaRank (Burges, Ragno & Le 2006) by LightGBM: trees that learn the order within each viewer's list."""

import lightgbm as lgb
import numpy as np
from scipy.special import expit

from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores
from models.ml.evaluation.baselines.boosting import DEFAULT_TREES, make_parameters, predict_trees
from models.ml.evaluation.baselines.fit_helpers import (
    build_baseline_features,
    build_training_rows,
    has_one_label,
    predict_both_ways,
)


def score_lambdarank(given: BaselineInput) -> BaselineScores:
    """Score a like by the raw score; a match by the product of the logistic function of both directions.

    LambdaRank takes the logistic function of the difference of two scores as the probability that one candidate is
    preferred. That of a single score is thus the probability of being preferred to a candidate with score 0. The number
    of trees is fixed: on a few thousand pairs, held-out NDCG chose anything from 2 to 120.
    """
    rows = build_training_rows(given)
    if has_one_label(rows.liked):
        return BaselineScores(np.zeros(len(given.test)), np.zeros(len(given.test)), probabilities=False)
    lists = np.unique(rows.pairs.viewer, return_counts=True)[1]
    data = lgb.Dataset(build_baseline_features(given, rows.pairs), rows.liked.astype(np.int8), group=lists)
    booster = lgb.train(make_parameters("lambdarank", len(rows.liked), given.seed), data, DEFAULT_TREES)
    like, back = predict_both_ways(given, lambda pairs: predict_trees(booster, pairs))
    return BaselineScores(like, expit(like) * expit(back), probabilities=False)
