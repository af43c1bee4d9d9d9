"""The ranker: p_like from a pair's features by ridge logistic regression, boosted by LightGBM from there, calibrated.

On a few thousand pairs the linear part carries the ranking and the trees add little; with more data they take over.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from models.ml.people import Floats
from models.ml.specification import Specification

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

PRIOR_LIKE_RATE = 0.3
PRIOR_STRENGTH = 20.0
# What is believed before anybody decided anything: likes go a little more to people of like taste, age and place.
PRIOR_WEIGHTS = {"interests.cosine": 1.0, "texts.cosine": 1.0, "age.distance": -0.05, "distance.log_km": -0.1}


@dataclass(frozen=True)
class Ranker:
    """A fitted ranker. Its features are those that `models.ml.features.build` makes from its own specification."""

    specification: Specification
    base_rate: float
    """Share of likes among decisions; history is shrunk to it."""
    weights: Doubles
    """Of the linear part, one a feature, on the features as they are."""
    means: Doubles
    """Of each feature in training: what a contribution is measured from."""
    intercept: float
    slope: float
    """Platt's calibration: the log-odds of linear part and trees times this, plus `shift`."""
    shift: float
    booster: lgb.Booster | None
    """None where too few decisions were known: then the linear part is the prior."""

    def log_odds(self, features: Floats) -> Doubles:
        """Calibrated log-odds of a like, float64 (n,), from features float32 (n, features)."""
        # Not by matrix product: that rounds a row by its place among the others, and p_match must be symmetric.
        raw = np.einsum("ij,j->i", features, self.weights) + self.intercept
        if self.booster is not None:
            raw = raw + np.asarray(self.booster.predict(features, raw_score=True))
        return np.asarray(self.slope * raw + self.shift)

    def p_like(self, features: Floats) -> Floats:
        """Probability of a like, float32 (n,), strictly between 0 and 1."""
        return np.clip(expit(self.log_odds(features)), 1e-6, 1 - 1e-6).astype(np.float32)

    def contributions(self, features: Floats) -> Doubles:
        """What each feature adds to the log-odds compared with an average pair, float64 (n, features).

        Linear terms exactly; trees by TreeSHAP (Lundberg et al. 2018).
        """
        added = (features - self.means) * self.weights
        if self.booster is not None and len(features):  # LightGBM explains no empty block
            added = added + np.asarray(self.booster.predict(features, pred_contrib=True))[:, :-1]
        return np.asarray(self.slope * added)


def prior(specification: Specification, names: Sequence[str], liked: Bools) -> Ranker:
    """The ranker of a town with too few decisions: a mild taste for like people.

    An ordinary pair gets the share of likes, shrunk to 0.3.
    """
    ordinary = specification.ordinary
    mean = {
        "interests.cosine": ordinary.interests_cosine,
        "texts.cosine": ordinary.texts_cosine[0],
        "age.distance": ordinary.age_gap,
        "distance.log_km": np.log1p(ordinary.distance_km),
    }
    weights = np.array([PRIOR_WEIGHTS.get(name, 0.0) for name in names])
    means = np.array([mean.get(name, 0.0) for name in names])
    rate = float((liked.sum() + PRIOR_STRENGTH * PRIOR_LIKE_RATE) / (len(liked) + PRIOR_STRENGTH))
    intercept = float(logit(rate) - weights @ means)
    return Ranker(specification, rate, weights, means, intercept, slope=1.0, shift=0.0, booster=None)


def save(ranker: Ranker, folder: Path) -> None:
    """Write ranker.json and, if there are trees, trees.txt (LightGBM's own text form) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {
        "base_rate": ranker.base_rate,
        "weights": ranker.weights.tolist(),
        "means": ranker.means.tolist(),
        "intercept": ranker.intercept,
        "slope": ranker.slope,
        "shift": ranker.shift,
    }
    specification = json.loads(ranker.specification.to_json())
    content = json.dumps({"specification": specification, **numbers}, ensure_ascii=False, indent=1)
    (folder / "ranker.json").write_text(content, encoding="utf-8")
    trees = folder / "trees.txt"
    trees.unlink(missing_ok=True)
    if ranker.booster is not None:
        ranker.booster.save_model(trees)


def load(folder: Path) -> Ranker:
    """Read what `save` wrote."""
    content = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
    trees = folder / "trees.txt"
    return Ranker(
        specification=Specification.from_json(json.dumps(content["specification"])),
        base_rate=content["base_rate"],
        weights=np.array(content["weights"]),
        means=np.array(content["means"]),
        intercept=content["intercept"],
        slope=content["slope"],
        shift=content["shift"],
        booster=lgb.Booster(model_file=trees) if trees.exists() else None,
    )
