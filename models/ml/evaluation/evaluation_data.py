"""The town that an evaluation asks about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.training_pairs import read_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.feature_spec import FeatureSpec, fit_feature_spec
from models.ml.profiles.profile_matrix import ProfileMatrix, build_profile_matrix
from models.ml.training.imputation import impute_missing


@dataclass(frozen=True)
class EvaluationData:
    """Everything that the evaluation asks about; `truth` are true probabilities of each decision, where known, (n,)."""

    specification: FeatureSpec
    profiles: ProfileMatrix
    imputed_profiles: ProfileMatrix
    """The same with nothing missing, to grow trees on (see models.ml.training.imputation)."""
    gender: Int64Array
    decisions: Decisions
    group: Int64Array
    seed: int
    truth: Float64Array | None
    with_sensitive: EvaluationData | None
    """The same with what says something of race or ethnicity; None if nothing does, or it is used anyway."""

    def take(self, rows: Int64Array) -> Decisions:
        """Some of the decisions."""
        return self.decisions.take(rows)


def build_evaluation_data(
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    decisions: pd.DataFrame,
    seed: int,
    *,
    sensitive: bool = False,
    truth: Callable[[pd.DataFrame], Float64Array] | None = None,
) -> EvaluationData:
    """What is evaluated, from a profiles frame, its answers and a training-pairs frame; the order of rows is nothing.

    `truth` gives the true probability of each row of such a frame.
    """
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    spec, everything = (fit_feature_spec(profiles, answers, sensitive=each) for each in (sensitive, True))
    made = EvaluationData(
        spec,
        build_profile_matrix(spec, profiles, answers),
        build_profile_matrix(spec, *impute_missing(spec, profiles, answers, seed)),
        pd.factorize(profiles["gender"], sort=True)[0].astype(np.int64),
        read_decisions(decisions, pd.Index(profiles["profile_id"])),
        decisions["group"].to_numpy(np.int64),
        seed,
        None if truth is None else truth(decisions),
        None,
    )
    if everything == spec:
        return made
    other = replace(
        made,
        specification=everything,
        profiles=build_profile_matrix(everything, profiles, answers),
        imputed_profiles=build_profile_matrix(everything, *impute_missing(everything, profiles, answers, seed)),
    )
    return replace(made, with_sensitive=other)


def assign_components(actor: Int64Array, group: Int64Array) -> Int64Array:
    """The circle of each decision for the variance split: its group, or the whole town where groups are viewers."""
    by_viewer = pd.Series(actor).groupby(group).nunique().max() <= 1
    return np.zeros(len(group), np.int64) if by_viewer else group
