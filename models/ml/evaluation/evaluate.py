"""The evaluation: the ranker side by side with everything it has to beat, on people that neither has seen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.embeddings import Answers
from models.ml.evaluation import protocols
from models.ml.evaluation.baselines import BASELINES, Baseline, Scores, Setting
from models.ml.evaluation.nulls import shuffled
from models.ml.evaluation.protocols import Ask
from models.ml.evaluation.summary import summary
from models.ml.evaluation.variance import Explained, Split, explained, split
from models.ml.features import Pairs, build, of_profiles
from models.ml.exam import cold_pairs
from models.ml.history import Doubles, Events, History, Ints
from models.ml.pairs import events_of, folds
from models.ml.people import People, people
from models.ml.ranker import Ranker
from models.ml.specification import Specification, learn
from models.ml.training import fit_town

RANKER, LINEAR, NULL, CEILING = "ranker", "ranker_linear_start", "ranker_on_shuffled_profiles", "ranker_knowing_all_else"
# The methods that use what is known of people's likes, asked in the warm protocol too.
WITH_HISTORY = ("popularity", "beta_binomial", "lfrr", "mf_with_biases", "ridge_logistic", "lightgbm_product")


@dataclass(frozen=True)
class Evaluation:
    """What was found: one row a protocol, amount known, method, target (like or match) and fold; and the variance split."""

    figures: pd.DataFrame
    """protocol, amount (-1: all), method, target, fold, and the metrics of `summary`."""
    split: Split
    explained: Explained
    """By the ranker's cold predictions."""


@dataclass(frozen=True)
class _Town:
    specification: Specification
    people: People
    gender: Ints
    events: Events
    group: Ints
    circle: Ints
    seed: int

    @property
    def reciprocal(self) -> Ints:
        """The row of the other's decision about the viewer, -1 if there is none, (n,)."""
        forth = self.events.actor * len(self.people) + self.events.target
        back = self.events.target * len(self.people) + self.events.actor
        return pd.Index(forth).get_indexer(pd.Index(back)).astype(np.int64)
