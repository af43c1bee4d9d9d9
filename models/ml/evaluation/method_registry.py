"""The methods of an evaluation: the ranker, its linear start, its null and its upper bound, and the baselines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.ml.arrays import Float64Array, Int64Array
from models.ml.evaluation import protocols
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores
from models.ml.evaluation.evaluation_data import EvaluationData
from models.ml.evaluation.permutation_baseline import shuffle_profiles
from models.ml.evaluation.protocols import Split
from models.ml.features.decision_history import Decisions, PairHistory
from models.ml.features.pair_features import Pairs, build_features, make_empty_history
from models.ml.features.training_pairs import assign_folds
from models.ml.ranker.calibration import MIN_ROWS
from models.ml.ranker.ranker_model import Ranker
from models.ml.ranker.residuals import compute_residuals
from models.ml.training.fit import has_enough_data
from models.ml.training.train import fit_on_decisions

RANKER, LINEAR = "ranker", "ranker_linear_start"
WITH_SENSITIVE = "ranker_using_race_and_ethnicity"
NULL, CEILING = "ranker_on_shuffled_profiles", "ranker_knowing_all_else"
# Methods that use history are evaluated in the warm protocol too.
RIDGE = "ridge_logistic"
WITH_HISTORY = ("popularity", "beta_binomial", "lfrr", "mf_with_biases", RIDGE)


@dataclass(frozen=True)
class FittedSplit:
    """The ranker of one split, and its residual of each decision, float64 (n,)."""

    ranker: Ranker
    residual: Float64Array


def fit_split(data: EvaluationData, split: Split) -> FittedSplit:
    """Fit the ranker on the training decisions of a split. Raises InputError if there are too few."""
    fold, learned = assign_folds(data.group[split.train_index]), data.take(split.train_index)
    if not has_enough_data(learned.liked, fold):
        raise InputError(
            f"{len(learned):,} decisions, {learned.liked.sum():,} of them likes, are too few to learn from: the "
            f"training part of each fold needs {MIN_ROWS} likes and as many passes; evaluate again with more decisions"
        )
    ranker = fit_on_decisions(data.specification, data.profiles, data.imputed_profiles, learned, fold, data.seed)[
        0
    ].rankers.full
    return FittedSplit(ranker, compute_residuals(ranker, data.profiles, data.decisions))


def predict_cold_start(data: EvaluationData, fitted: FittedSplit, split: Split) -> Iterator[tuple[str, BaselineScores]]:
    """Yield name and scores of each method, from profiles alone; only the upper bound has all other decisions."""
    yield RANKER, _predict_ranker(data, fitted, split)
    yield LINEAR, _predict_ranker(data, _remove_trees(fitted), split)
    yield (
        CEILING,
        _predict_scores(
            fitted.ranker,
            data,
            split,
            protocols.build_complete_history(data.decisions, fitted.residual, len(data.profiles), split.test_index),
        ),
    )
    if (other := data.with_sensitive) is not None:
        yield WITH_SENSITIVE, _predict_ranker(other, fit_split(other, split), split)
    people, answered = (
        shuffle_profiles(each, data.gender, data.seed) for each in (data.profiles, data.imputed_profiles)
    )
    null = replace(data, profiles=people, imputed_profiles=answered)
    yield NULL, _predict_ranker(null, fit_split(null, split), split)
    given = _build_baseline_input(data, split)
    for name, baseline in BASELINES.items():
        yield name, baseline(given)


def predict_warm_start(data: EvaluationData, fitted: FittedSplit, split: Split) -> Iterator[tuple[str, BaselineScores]]:
    """Yield name and scores of the methods that use history."""
    yield RANKER, _predict_ranker(data, fitted, split)
    yield LINEAR, _predict_ranker(data, _remove_trees(fitted), split)
    given = _build_baseline_input(data, split)
    for name in WITH_HISTORY:
        yield name, BASELINES[name](given)


def predict_learning_curve(data: EvaluationData, split: Split) -> Iterator[tuple[str, BaselineScores]]:
    """Yield name and scores of the ranker and of the plain ridge, trained on the split's share of the data."""
    yield RANKER, _predict_ranker(data, fit_split(data, split), split)
    yield RIDGE, BASELINES[RIDGE](_build_baseline_input(data, split))


def _remove_trees(fitted: FittedSplit) -> FittedSplit:
    return replace(fitted, ranker=replace(fitted.ranker, booster=None))


def _predict_ranker(data: EvaluationData, fitted: FittedSplit, split: Split) -> BaselineScores:
    known = protocols.build_observed_history(data.decisions, fitted.residual, len(data.profiles), split)
    return _predict_scores(fitted.ranker, data, split, known)


def _predict_scores(ranker: Ranker, data: EvaluationData, split: Split, known: PairHistory) -> BaselineScores:
    pairs = Pairs(data.profiles, data.decisions.actor[split.test_index], data.decisions.target[split.test_index], known)
    like = ranker.predict_p_like(build_features(data.specification, pairs)).astype(np.float64)
    back = ranker.predict_p_like(build_features(data.specification, pairs.reverse())).astype(np.float64)
    return BaselineScores(like, like * back, probabilities=True)


def _build_baseline_input(data: EvaluationData, split: Split) -> BaselineInput:
    """Build the input of a baseline; in the warm protocol it trains on second halves with as much history as the test.

    Without a model, the residual of a decision is a like less the share of likes.
    """
    base_rate = float(data.decisions.liked[split.train_index].mean())
    surprise = np.asarray(data.decisions.liked - base_rate, np.float64)
    if split.history_size == 0:
        learn, train_history = split.train_index, make_empty_history(len(split.train_index))
    else:
        second = protocols.find_second_half(data.decisions.time, data.group)[split.train_index]
        learn, first = split.train_index[second], split.train_index[~second]
        in_order = first[np.argsort(data.decisions.time[first], kind="stable")]
        before = replace(split, observed_index=in_order, test_index=learn)
        train_history = protocols.build_observed_history(data.decisions, surprise, len(data.profiles), before)
    decisions, asked = data.take(learn), data.take(split.test_index)
    known = protocols.build_observed_history(data.decisions, surprise, len(data.profiles), split)
    return BaselineInput(
        specification=data.specification,
        base_rate=base_rate,
        gender=data.gender,
        train=Pairs(data.profiles, decisions.actor, decisions.target, train_history),
        train_liked=decisions.liked,
        train_group=data.group[learn],
        test=Pairs(data.profiles, asked.actor, asked.target, known),
        events=data.take(np.concatenate([split.train_index, _select_observed(data.decisions, split)])),
        seed=data.seed,
    )


def _select_observed(decisions: Decisions, split: Split) -> Int64Array:
    """Select the observed decisions that are among the first `history_size` of their actor."""
    if split.history_size is None:
        return split.observed_index
    place = (
        pd.Series(decisions.actor[split.observed_index])
        .groupby(decisions.actor[split.observed_index])
        .cumcount()
        .to_numpy()
    )
    return split.observed_index[place < split.history_size]
