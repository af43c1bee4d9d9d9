"""Scoring contexts put together from their parts."""

import numpy as np

from models.ml.eligibility.rules import EligibilityRules, build_pools
from models.ml.features.decision_history import DecisionHistory
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring.scoring_context import ScoringContext
from tests.models_ml.conftest import crowd, no_ledger, positions, specification

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

NOTHING = (positions(), positions())


def everybody_fits(count: int) -> EligibilityRules:
    """All of one gender that all look for, of one age, at one place."""
    zeros = np.zeros(count)
    return EligibilityRules(
        gender=np.zeros(count, np.int64),
        seeks=np.ones((count, 1), bool),
        age=zeros,
        age_min=zeros,
        age_max=zeros,
        place=np.zeros((count, 2)),
        max_distance_km=zeros,
        paused=np.zeros(count, bool),
    )


def make_context(ranker: Ranker, people: ProfileMatrix, history: DecisionHistory | None = None) -> ScoringContext:
    """People who are all eligible for each other, in the pools in order of position."""
    pools = build_pools(everybody_fits(len(people)))
    return ScoringContext(ranker, people, pools, history or no_ledger(len(people)), NOTHING, NOTHING)


def make_context_of_rules(rules: EligibilityRules, excluded_pairs: tuple[Ints, Ints] = NOTHING) -> ScoringContext:
    """People of whom nothing is known but their rules."""
    people, spec = len(rules.age), specification()
    prior = build_prior(spec, [name for name, _ in list_feature_groups(spec)], np.zeros(0, bool))
    return ScoringContext(prior, crowd(people), build_pools(rules), no_ledger(people), excluded_pairs, NOTHING)
