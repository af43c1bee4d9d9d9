"""What the baselines that learn from features share: rows in an order of their own, splits that keep groups whole."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml import pairs as decisions
from models.ml.evaluation.baselines.setting import Bools, Doubles, Ints, Setting
from models.ml.features import Pairs, build

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """n training decisions in order of viewer: whose, what they said, who is held out together, each (n,)."""

    pairs: Pairs
    liked: Bools
    group: Ints


def training_rows(setting: Setting) -> Rows:
    """The decisions to learn from, the same whatever order they came in."""
    tallies = [numbers for tally in vars(setting.train.history).values() for numbers in (tally.decisions, tally.likes)]
    order = np.lexsort((*tallies, setting.train_liked, setting.train.candidate, setting.train.viewer))
    return Rows(setting.train.part(order), setting.train_liked[order], setting.train_group[order])


def features(setting: Setting, pairs: Pairs) -> Features:
    """The features that the ranker has too, float32 (n, features)."""
    return build(setting.specification, pairs)


def both_ways(setting: Setting, predict: Callable[[Features], Doubles]) -> tuple[Doubles, Doubles]:
    """A prediction from features, of the test pairs and of the same pairs seen from the other side, (m,) each."""
    return predict(features(setting, setting.test)), predict(features(setting, setting.test.reversed()))


def splits(label: Bools, group: Ints) -> list[tuple[Ints, Ints]]:
    """Splits by group into (train, held out) rows whose training part has both labels."""
    return [(train, held) for train, held in decisions.splits(decisions.folds(group)) if not one_sided(label[train])]


def one_sided(label: Bools) -> bool:
    """Whether there are not both labels, so that nothing can be learned."""
    return len(np.unique(label)) < 2
