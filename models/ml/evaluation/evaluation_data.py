"""The population that is evaluated."""

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
    """The data of an evaluation; `truth` has the true probability of each decision, float64 (n,), if known."""

    specification: FeatureSpec
    profiles: ProfileMatrix
    imputed_profiles: ProfileMatrix
    """The same users with imputed values, to train trees on (see models.ml.training.imputation)."""
    gender: Int64Array
    decisions: Decisions
    group: Int64Array
    seed: int
    truth: Float64Array | None
    with_sensitive: EvaluationData | None
    """The same with traits, facts and wants about race or ethnicity; None if there are none or they are used anyway."""

    def take(self, rows: Int64Array) -> Decisions:
        """Return some of the decisions."""
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
    """Build the evaluation data; the order of rows does not matter.

    Args:
        profiles: A profiles frame.
        answers: The embedded answers.
        decisions: A training-pairs frame.
        seed: Seed of everything random.
        sensitive: Use traits, facts and wants about race or ethnicity.
        truth: Returns the true probability of each row of a training-pairs frame.
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
    """Assign each decision its component for the variance split: its group, or one for all if groups are viewers."""
    by_viewer = pd.Series(actor).groupby(group).nunique().max() <= 1
    return np.zeros(len(group), np.int64) if by_viewer else group
