"""The ranker: p_like from a pair's features by ridge logistic regression, boosted by LightGBM from there, calibrated.

On a few thousand pairs the linear part carries the ranking and the trees add little; with more data they take over.
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
# Of trees that were saved before their hash was kept.
UNKNOWN = "unknown"
# Of the files below; another one when features or files change their meaning.
FORMAT_VERSION = 5
PRIOR_LIKE_RATE = 0.3
PRIOR_STRENGTH = 20.0
# What is believed before anybody decided anything: likes go a little more to people of like taste, age and place.
PRIOR_WEIGHTS = {"interests.cosine": 1.0, "texts.cosine": 1.0, "age.distance": -0.05, "distance.log_km": -0.1}


@dataclass(frozen=True)
class Ranker:
    """A fitted ranker. Its features are those that `models.ml.features.pair_features.build_features` makes from its
    own specification.
    """

    specification: FeatureSpec
    cold: LinearModel
    """On the features of the two profiles alone; a decision's surprise is measured from it."""
    linear: LinearModel
    """On all features."""
    means: Float64Array
    """Of each feature in training: what a contribution is measured from."""
    slope: float
    """Platt's calibration: the log-odds of linear part and trees times this, plus `shift`."""
    shift: float
    booster: lgb.Booster | None
    """None where too few decisions were known: then the linear part is the prior."""
    cold_calibration: tuple[float, float] | None = None
    """Slope and shift for pairs of whose likes nothing is known; None if they are the same as for others."""

    def predict_log_odds(self, features: Float32Array) -> Float64Array:
        """Calibrated log-odds of a like, float64 (n,), from features float32 (n, features)."""
        raw = self.linear.log_odds(features)
        if self.booster is not None:
            raw = raw + self._scorer.predict(features)
        slope, shift = self._select_calibration(features)
        return np.asarray(slope * raw + shift)

    def predict_p_like(self, features: Float32Array) -> Float32Array:
        """Probability of a like, float32 (n,), strictly between 0 and 1."""
        return np.clip(expit(self.predict_log_odds(features)), 1e-6, 1 - 1e-6).astype(np.float32)

    def explain(self, features: Float32Array) -> Float64Array:
        """What each feature adds to the log-odds compared with an average pair, float64 (n, features).

        Linear terms exactly; trees by TreeSHAP (Lundberg et al. 2018).
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
        """Slope and shift of each row, float64 (n,)."""
        slope, shift = np.full(len(features), self.slope), np.full(len(features), self.shift)
        if self.cold_calibration is not None:
            cold = has_no_history(features)
            slope[cold], shift[cold] = self.cold_calibration
        return slope, shift


@dataclass(frozen=True)
class CrossFittedRanker:
    """A ranker, and those of the same make that saw everything but one fold: what they say of it can be believed."""

    full: Ranker
    by_fold: Mapping[int, Ranker]
    held_out_viewers: Mapping[int, Int64Array] = field(default_factory=dict)
    """By fold hashes of the viewers whose decisions the ranker without it did not see (see
    models.ml.validation.fold_assignments).
    """

    def get_out_of_fold(self, fold: int) -> Ranker:
        """The ranker that did not see a fold; the whole one if there was nothing in it."""
        return self.by_fold.get(fold, self.full)


def build_prior(spec: FeatureSpec, names: Sequence[str], liked: BoolArray) -> Ranker:
    """The ranker of a town with too few decisions: a mild taste for like people.

    An ordinary pair gets the share of likes, shrunk to 0.3.
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
    """Write the whole ranker's ranker.json and, if there are trees, trees.txt (LightGBM's own text form) into `folder`.

    The rankers without a fold go into `without/<fold>` below it, likewise, each with the hashes of whom it did not see.
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
    """Read what `save_rankers` wrote. Raises OtherMake for rankers that another version of this program wrote."""
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
    """Read only the whole ranker of what `save_rankers` wrote.

    Raises OtherMake for one that another version wrote, OSError or ValueError if a file is lost or damaged.
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
    """The trees. LightGBM ends the whole process over a file that is cut short, so it is given none but what was saved.

    Raises OSError or ValueError if the file is lost or another one.
    """
    if sha256 is None or (sha256 == UNKNOWN and not path.exists()):
        return None
    if sha256 not in (UNKNOWN, _hash_file(path)):
        raise ValueError(f"{TREES} is not what was saved")
    return lgb.Booster(model_file=path)


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _serialise_linear(linear: LinearModel) -> dict[str, object]:
    return {"weights": linear.weights.tolist(), "intercept": linear.intercept}


def _parse_linear(content: Mapping[str, Any]) -> LinearModel:
    return LinearModel(np.array(content["weights"]), content["intercept"])
