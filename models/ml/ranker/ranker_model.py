"""The ranker: p_like by ridge logistic regression, trees boosted on top of it, and calibration.

On a few thousand pairs the linear part does the ranking and the trees add little; with more data the trees matter.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from scipy.special import expit, logit

from models.db.errors import IncompatibleModelError
from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.pair_features import HISTORY_FEATURES, has_no_history
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.quick_scorer import QuickScorer, build_quick_scorer
from models.ml.ranker.tree_arrays import TreeArrays, extract_trees
from models.ml.ranker.tree_shap import TreePaths, build_paths

BY_FOLD_FOLDER = "without"
VIEWERS_FILE, TREES = "viewers.npy", "trees.txt"
# Stands for the hash of trees saved before hashes were stored.
UNKNOWN = "unknown"
# Increase it when the meaning of features or files changes.
FORMAT_VERSION = 5
PRIOR_LIKE_RATE = 0.3
PRIOR_STRENGTH = 20.0
# Weights before there are decisions: users slightly prefer others with similar interests, answers, age and place.
PRIOR_WEIGHTS = {"interests.cosine": 1.0, "texts.cosine": 1.0, "age.distance": -0.05, "distance.log_km": -0.1}


@dataclass(frozen=True)
class Ranker:
    """A fitted ranker, for features that `build_features` makes with the ranker's own feature spec."""

    specification: FeatureSpec
    cold: LinearModel
    """Ridge on the features of the two profiles alone; residuals are measured from it."""
    linear: LinearModel
    """Ridge on all features."""
    means: Float64Array
    """Mean of each feature in training; contributions are measured from it."""
    slope: float
    """Platt's calibration: factor on the log-odds of ridge and trees."""
    shift: float
    """Platt's calibration: added to the scaled log-odds."""
    booster: lgb.Booster | None
    """None if there were too few decisions; the linear part is then the prior."""
    cold_calibration: tuple[float, float] | None = None
    """Slope and shift for pairs without history; None if they are the same as for others."""

    def predict_log_odds(self, features: Float32Array) -> Float64Array:
        """Predict calibrated log-odds of a like, float64 (n,), from features float32 (n, features)."""
        raw = self.linear.log_odds(features)
        if self.booster is not None:
            raw = raw + self._scorer.predict(features)
        slope, shift = self._select_calibration(features)
        return np.asarray(slope * raw + shift)

    def predict_p_like(self, features: Float32Array) -> Float32Array:
        """Predict the probability of a like, float32 (n,), strictly between 0 and 1."""
        return np.clip(expit(self.predict_log_odds(features)), 1e-6, 1 - 1e-6).astype(np.float32)

    def explain(self, features: Float32Array) -> Float64Array:
        """Compute what each feature adds to the log-odds over an average pair, float64 (n, features).

        The linear terms are exact; trees are explained by TreeSHAP (Lundberg et al. 2018).
        """
        added = (features - self.means) * self.linear.weights
        if self.booster is not None:
            added = added + self._paths.compute_contributions(features)
        return np.asarray(self._select_calibration(features)[0][:, None] * added)

    @cached_property
    def _paths(self) -> TreePaths:
        return build_paths(self._trees)

    @cached_property
    def _scorer(self) -> QuickScorer:
        return build_quick_scorer(self._trees)

    @cached_property
    def _trees(self) -> TreeArrays:
        if self.booster is None:
            raise ValueError("the ranker has no trees")
        return extract_trees(self.booster)

    def _select_calibration(self, features: Float32Array) -> tuple[Float64Array, Float64Array]:
        """Return the slope and shift of each row, float64 (n,) each."""
        slope, shift = np.full(len(features), self.slope), np.full(len(features), self.shift)
        if self.cold_calibration is not None:
            cold = has_no_history(features)
            slope[cold], shift[cold] = self.cold_calibration
        return slope, shift


@dataclass(frozen=True)
class CrossFittedRanker:
    """A ranker, and one fitted without each fold, whose predictions for that fold are out of sample."""

    full: Ranker
    by_fold: Mapping[int, Ranker]
    held_out_viewers: Mapping[int, Int64Array] = field(default_factory=dict)
    """Hashes of the viewers in each fold, whose decisions the fold's ranker did not see (see
    models.ml.validation.fold_assignments).
    """

    def get_out_of_fold(self, fold: int) -> Ranker:
        """Return the ranker fitted without a fold, or the full one if the fold was empty."""
        return self.by_fold.get(fold, self.full)


def build_prior(spec: FeatureSpec, names: Sequence[str], liked: BoolArray) -> Ranker:
    """Build the ranker for too few decisions: it slightly prefers similar users.

    A pair with default values gets the rate of likes, shrunk to PRIOR_LIKE_RATE.

    Args:
        spec: The feature spec.
        names: Names of all features, in order.
        liked: Labels of the decisions, bool (n,).
    """
    ordinary = spec.ordinary
    mean = {
        "interests.cosine": ordinary.interests_cosine,
        "texts.cosine": ordinary.texts_cosine[0],
        "age.distance": ordinary.age_gap,
        "distance.log_km": np.log1p(ordinary.distance_km),
    }
    weights = np.array([PRIOR_WEIGHTS.get(name, 0.0) for name in names])
    means = np.array([mean.get(name, 0.0) for name in names])
    rate = float((liked.sum() + PRIOR_STRENGTH * PRIOR_LIKE_RATE) / (len(liked) + PRIOR_STRENGTH))
    linear = LinearModel(weights, float(logit(rate) - weights @ means))
    cold = LinearModel(weights[:-HISTORY_FEATURES], linear.intercept)
    return Ranker(spec, cold, linear, means, slope=1.0, shift=0.0, booster=None)


def save_rankers(rankers: CrossFittedRanker, folder: Path) -> None:
    """Write rankers into `folder`, which is replaced.

    The full ranker is ranker.json and, if there are trees, trees.txt in LightGBM's text format. The ranker without fold
    i goes into `without/<i>`, with the hashes of its held-out viewers.
    """
    if folder.exists():
        shutil.rmtree(folder)
    _save_ranker(rankers.full, folder)
    for fold, ranker in rankers.by_fold.items():
        _save_ranker(ranker, folder / BY_FOLD_FOLDER / str(fold))
        np.save(
            folder / BY_FOLD_FOLDER / str(fold) / VIEWERS_FILE,
            rankers.held_out_viewers.get(fold, np.empty(0, np.int64)),
        )


def load_rankers(folder: Path) -> CrossFittedRanker:
    """Load what `save_rankers` wrote. Raises IncompatibleModelError for another format version."""
    folds = {int(each.name): each for each in sorted(folder.glob(f"{BY_FOLD_FOLDER}/*"))}
    by_fold = {fold: load_full(each) for fold, each in folds.items()}
    return CrossFittedRanker(
        load_full(folder), by_fold, {fold: np.load(each / VIEWERS_FILE) for fold, each in folds.items()}
    )


def _save_ranker(ranker: Ranker, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if ranker.booster is not None:
        ranker.booster.save_model(folder / TREES)
    numbers = {
        "make": FORMAT_VERSION,
        "trees_sha256": None if ranker.booster is None else _hash_file(folder / TREES),
        "cold": _serialise_linear(ranker.cold),
        "linear": _serialise_linear(ranker.linear),
        "means": ranker.means.tolist(),
        "slope": ranker.slope,
        "shift": ranker.shift,
        "cold_calibration": ranker.cold_calibration,
    }
    specification = json.loads(ranker.specification.serialise())
    content = json.dumps({"specification": specification, **numbers}, ensure_ascii=False, indent=1)
    (folder / "ranker.json").write_text(content, encoding="utf-8")


def load_full(folder: Path) -> Ranker:
    """Load only the full ranker that `save_rankers` wrote.

    Raises:
        IncompatibleModelError: It has another format version.
        OSError: A file is missing.
        ValueError: A file is damaged.
    """
    content = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
    if content.get("make") != FORMAT_VERSION:
        raise IncompatibleModelError(
            f"the ranker is of make {content.get('make', 1)} and this program reads make {FORMAT_VERSION}"
        )
    return Ranker(
        specification=FeatureSpec.parse(json.dumps(content["specification"])),
        cold=_parse_linear(content["cold"]),
        linear=_parse_linear(content["linear"]),
        means=np.array(content["means"]),
        slope=content["slope"],
        shift=content["shift"],
        cold_calibration=content["cold_calibration"] and tuple(content["cold_calibration"]),
        booster=_load_booster(folder / TREES, content.get("trees_sha256", UNKNOWN)),
    )


def _load_booster(path: Path, sha256: str | None) -> lgb.Booster | None:
    """Load the trees after checking their hash, because LightGBM ends the process if the file is truncated.

    Raises OSError or ValueError if the file is missing or is not the saved one.
    """
    if sha256 is None or (sha256 == UNKNOWN and not path.exists()):
        return None
    if sha256 not in (UNKNOWN, _hash_file(path)):
        raise ValueError(f"{TREES} is not the file that was saved; restore it or train a new ranker")
    return lgb.Booster(model_file=path)


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _serialise_linear(linear: LinearModel) -> dict[str, object]:
    return {"weights": linear.weights.tolist(), "intercept": linear.intercept}


def _parse_linear(content: Mapping[str, Any]) -> LinearModel:
    return LinearModel(np.array(content["weights"]), content["intercept"])
