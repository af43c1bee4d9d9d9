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

from models.db.errors import OtherMake
from models.ml.features import HISTORY, nothing_is_known
from models.ml.history import Bools, Doubles, Ints
from models.ml.linear import Linear
from models.ml.people import Floats
from models.ml.quick_scorer import QuickScorer, quick_scorer
from models.ml.specification import Specification
from models.ml.tree_shap import Paths, paths
from models.ml.trees import Trees, trees

WITHOUT = "without"
VIEWERS, TREES = "viewers.npy", "trees.txt"
# Of trees that were saved before their hash was kept.
UNKNOWN = "unknown"
# Of the files below; another one when features or files change their meaning.
MAKE = 5
PRIOR_LIKE_RATE = 0.3
PRIOR_STRENGTH = 20.0
# What is believed before anybody decided anything: likes go a little more to people of like taste, age and place.
PRIOR_WEIGHTS = {"interests.cosine": 1.0, "texts.cosine": 1.0, "age.distance": -0.05, "distance.log_km": -0.1}


@dataclass(frozen=True)
class Ranker:
    """A fitted ranker. Its features are those that `models.ml.features.build` makes from its own specification."""

    specification: Specification
    cold: Linear
    """On the features of the two profiles alone; a decision's surprise is measured from it."""
    linear: Linear
    """On all features."""
    means: Doubles
    """Of each feature in training: what a contribution is measured from."""
    slope: float
    """Platt's calibration: the log-odds of linear part and trees times this, plus `shift`."""
    shift: float
    booster: lgb.Booster | None
    """None where too few decisions were known: then the linear part is the prior."""
    cold_calibration: tuple[float, float] | None = None
    """Slope and shift for pairs of whose likes nothing is known; None if they are the same as for others."""

    def log_odds(self, features: Floats) -> Doubles:
        """Calibrated log-odds of a like, float64 (n,), from features float32 (n, features)."""
        raw = self.linear.log_odds(features)
        if self.booster is not None:
            raw = raw + self._scorer.predict(features)
        slope, shift = self._calibration(features)
        return np.asarray(slope * raw + shift)

    def p_like(self, features: Floats) -> Floats:
        """Probability of a like, float32 (n,), strictly between 0 and 1."""
        return np.clip(expit(self.log_odds(features)), 1e-6, 1 - 1e-6).astype(np.float32)

    def surprise(self, features: Floats, liked: Bools) -> Doubles:
        """Of n decisions: 1 or 0 less the probability that the profiles gave a like, from features of profiles (n, f).

        Source: residuals of decisions against a cross-fitted model, as in Kenny's social relations model.
        """
        return np.asarray(liked - expit(self.cold.log_odds(features)))

    def contributions(self, features: Floats) -> Doubles:
        """What each feature adds to the log-odds compared with an average pair, float64 (n, features).

        Linear terms exactly; trees by TreeSHAP (Lundberg et al. 2018).
        """
        added = (features - self.means) * self.linear.weights
        if self.booster is not None:
            added = added + self._paths.contributions(features)
        return np.asarray(self._calibration(features)[0][:, None] * added)

    @cached_property
    def _paths(self) -> Paths:
        return paths(self._trees)

    @cached_property
    def _scorer(self) -> QuickScorer:
        return quick_scorer(self._trees)

    @cached_property
    def _trees(self) -> Trees:
        if self.booster is None:
            raise ValueError("the ranker has no trees")
        return trees(self.booster)

    def _calibration(self, features: Floats) -> tuple[Doubles, Doubles]:
        """Slope and shift of each row, float64 (n,)."""
        slope, shift = np.full(len(features), self.slope), np.full(len(features), self.shift)
        if self.cold_calibration is not None:
            cold = nothing_is_known(features)
            slope[cold], shift[cold] = self.cold_calibration
        return slope, shift


@dataclass(frozen=True)
class Rankers:
    """A ranker, and those of the same make that saw everything but one fold: what they say of it can be believed."""

    whole: Ranker
    by_fold: Mapping[int, Ranker]
    held_out: Mapping[int, Ints] = field(default_factory=dict)
    """By fold hashes of the viewers whose decisions the ranker without it did not see (see models.ml.held_out)."""

    def without(self, fold: int) -> Ranker:
        """The ranker that did not see a fold; the whole one if there was nothing in it."""
        return self.by_fold.get(fold, self.whole)


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
    linear = Linear(weights, float(logit(rate) - weights @ means))
    cold = Linear(weights[:-HISTORY], linear.intercept)
    return Ranker(specification, cold, linear, means, slope=1.0, shift=0.0, booster=None)


def save(rankers: Rankers, folder: Path) -> None:
    """Write the whole ranker's ranker.json and, if there are trees, trees.txt (LightGBM's own text form) into `folder`.

    The rankers without a fold go into `without/<fold>` below it, likewise, each with the hashes of whom it did not see.
    """
    if folder.exists():
        shutil.rmtree(folder)
    _save_one(rankers.whole, folder)
    for fold, ranker in rankers.by_fold.items():
        _save_one(ranker, folder / WITHOUT / str(fold))
        np.save(folder / WITHOUT / str(fold) / VIEWERS, rankers.held_out.get(fold, np.empty(0, np.int64)))


def load(folder: Path) -> Rankers:
    """Read what `save` wrote. Raises OtherMake for rankers that another version of this program wrote."""
    folds = {int(each.name): each for each in sorted(folder.glob(f"{WITHOUT}/*"))}
    by_fold = {fold: load_whole(each) for fold, each in folds.items()}
    return Rankers(load_whole(folder), by_fold, {fold: np.load(each / VIEWERS) for fold, each in folds.items()})


def _save_one(ranker: Ranker, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if ranker.booster is not None:
        ranker.booster.save_model(folder / TREES)
    numbers = {
        "make": MAKE,
        "trees_sha256": None if ranker.booster is None else _sha256(folder / TREES),
        "cold": _plain(ranker.cold),
        "linear": _plain(ranker.linear),
        "means": ranker.means.tolist(),
        "slope": ranker.slope,
        "shift": ranker.shift,
        "cold_calibration": ranker.cold_calibration,
    }
    specification = json.loads(ranker.specification.to_json())
    content = json.dumps({"specification": specification, **numbers}, ensure_ascii=False, indent=1)
    (folder / "ranker.json").write_text(content, encoding="utf-8")


def load_whole(folder: Path) -> Ranker:
    """Read only the whole ranker of what `save` wrote.

    Raises OtherMake for one that another version wrote, OSError or ValueError if a file is lost or damaged.
    """
    content = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
    if content.get("make") != MAKE:
        raise OtherMake(f"the ranker is of make {content.get('make', 1)} and this program reads make {MAKE}")
    return Ranker(
        specification=Specification.from_json(json.dumps(content["specification"])),
        cold=_linear(content["cold"]),
        linear=_linear(content["linear"]),
        means=np.array(content["means"]),
        slope=content["slope"],
        shift=content["shift"],
        cold_calibration=content["cold_calibration"] and tuple(content["cold_calibration"]),
        booster=_booster(folder / TREES, content.get("trees_sha256", UNKNOWN)),
    )


def _booster(path: Path, sha256: str | None) -> lgb.Booster | None:
    """The trees. LightGBM ends the whole process over a file that is cut short, so it is given none but what was saved.

    Raises OSError or ValueError if the file is lost or another one.
    """
    if sha256 is None or (sha256 == UNKNOWN and not path.exists()):
        return None
    if sha256 not in (UNKNOWN, _sha256(path)):
        raise ValueError(f"{TREES} is not what was saved")
    return lgb.Booster(model_file=path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(linear: Linear) -> dict[str, object]:
    return {"weights": linear.weights.tolist(), "intercept": linear.intercept}


def _linear(content: Mapping[str, Any]) -> Linear:
    return Linear(np.array(content["weights"]), content["intercept"])
