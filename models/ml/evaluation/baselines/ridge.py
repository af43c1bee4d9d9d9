"""Ridge logistic regression (le Cessie & van Houwelingen 1992) on the ranker's own features."""

import numpy as np
from scipy.special import expit

from models.ml.evaluation.baselines.learning import Features, both_ways, features, one_sided, splits, training_rows
from models.ml.evaluation.baselines.setting import Bools, Ints, Scores, Setting
from models.ml.linear import fit, log_loss_of

# Inverse strengths of the penalty to choose from, by log loss on held-out groups; the first where nothing is held out.
STRENGTHS = (3e-4, 1e-4, 1e-3, 3e-3, 1e-2)


def ridge(setting: Setting) -> Scores:
    """p_like by ridge logistic regression, its strength chosen on held-out groups; p_match is the product."""
    rows = training_rows(setting)
    if one_sided(rows.liked):
        constant = np.full(len(setting.test), setting.base_rate)
        return Scores(constant, constant * constant, probabilities=True)
    x = features(setting, rows.pairs)
    line = fit(x, rows.liked, _strength(x, rows.liked, splits(rows.liked, rows.group)))
    like, back = both_ways(setting, lambda pairs: expit(line.log_odds(pairs)))
    return Scores(like, like * back, probabilities=True)


def _strength(features: Features, liked: Bools, splits: list[tuple[Ints, Ints]]) -> float:
    def loss(strength: float) -> float:
        return sum(
            len(held) * log_loss_of(fit(features[train], liked[train], strength).log_odds(features[held]), liked[held])
            for train, held in splits
        )

    return min(STRENGTHS, key=loss)
