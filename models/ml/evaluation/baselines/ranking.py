"""Lambdarank (Burges, Ragno & Le 2006) by LightGBM: trees that learn the order within each viewer's list."""

import lightgbm as lgb
import numpy as np
from scipy.special import expit

from models.ml.evaluation.baselines.boosting import USUAL_TREES, parameters, predict
from models.ml.evaluation.baselines.learning import both_ways, features, one_sided, training_rows
from models.ml.evaluation.baselines.setting import Scores, Setting


def lambdarank(setting: Setting) -> Scores:
    """A like by the raw score; a match by the product of the logistic function of both directions'.

    Lambdarank takes the logistic function of the difference of two scores for the chance that one candidate is
    preferred to the other; so that of a score is the chance to be preferred to a candidate who scores 0. The number of
    trees is fixed: on a few thousand pairs held-out NDCG chose anything from 2 to 120.
    """
    rows = training_rows(setting)
    if one_sided(rows.liked):
        return Scores(np.zeros(len(setting.test)), np.zeros(len(setting.test)), probabilities=False)
    lists = np.unique(rows.pairs.viewer, return_counts=True)[1]
    data = lgb.Dataset(features(setting, rows.pairs), rows.liked.astype(np.int8), group=lists)
    booster = lgb.train(parameters("lambdarank", len(rows.liked), setting.seed), data, USUAL_TREES)
    like, back = both_ways(setting, lambda pairs: predict(booster, pairs))
    return Scores(like, expit(like) * expit(back), probabilities=False)
