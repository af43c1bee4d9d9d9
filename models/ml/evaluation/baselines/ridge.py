"""Ridge logistic regression (le Cessie & van Houwelingen 1992) on the ranker's own features."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.ml.evaluation.baselines.learning import Features, both_ways, features, one_sided, splits, training_rows
from models.ml.evaluation.baselines.setting import Bools, Doubles, Ints, Scores, Setting

# Inverse strengths of the penalty to choose from, by log loss on held-out groups; the first where nothing is held out.
STRENGTHS = (3e-4, 1e-4, 1e-3, 3e-3, 1e-2)


@dataclass(frozen=True)
class Line:
    """Log-odds that are linear in the features."""

    weights: Doubles
    intercept: float

    def log_odds(self, features: Features) -> Doubles:
        """Log-odds of a like, (n,) from features (n, features)."""
        # Not by matrix product: that rounds a row by its place among the others.
        return np.asarray(np.einsum("ij,j->i", features, self.weights) + self.intercept)


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


def fit(features: Features, liked: Bools, strength: float) -> Line:
    """The line of n decisions: features float32 (n, features), standardised for the penalty, liked (n,)."""
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-6] = np.inf  # a constant feature gets no weight
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200)
    model.fit((features - mean) / scale, liked)
    weights = model.coef_[0] / scale
    return Line(weights, float(model.intercept_[0] - mean @ weights))


def _strength(features: Features, liked: Bools, splits: list[tuple[Ints, Ints]]) -> float:
    def loss(strength: float) -> float:
        return sum(
            _loss(fit(features[train], liked[train], strength).log_odds(features[held]), liked[held])
            for train, held in splits
        )

    return min(STRENGTHS, key=loss)


def _loss(log_odds: Doubles, liked: Bools) -> float:
    """The summed negative log likelihood, in nats."""
    return float(np.logaddexp(0.0, np.where(liked, -log_odds, log_odds)).sum())
