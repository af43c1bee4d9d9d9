"""Users, rankers and scoring contexts put together from their parts."""

from dataclasses import replace

import numpy as np

from models.ml.arrays import Float64Array
from models.ml.eligibility.rules import EligibilityRules, build_pools
from models.ml.features.decision_history import DecisionHistory
from models.ml.features.pair_features import HISTORY_FEATURES, list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.encoders.encoder import normalise_rows
from models.ml.profiles.feature_spec import CategoricalFeature
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring.scoring_context import ScoringContext
from tests.models_ml.conftest import FULL_SPEC, crowd, events, no_ledger, positions, specification, tally

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


COUNT = 30
SPEC = replace(FULL_SPEC, facts=(*FULL_SPEC.facts, CategoricalFeature("pets", ("cat",), (0.4,))))


def draw_people(seed: int) -> tuple[ProfileMatrix, DecisionHistory]:
    """COUNT users by SPEC, of whom much is known and much is not."""
    random = np.random.default_rng(seed)
    has_trait = random.random((COUNT, 2)) < 0.8
    interests, texts = (
        normalise_rows(random.normal(size=shape).astype(np.float32)) * (random.random((shape[0], 1)) < 0.8)
        for shape in ((COUNT, 2), (2 * COUNT, NO_ANSWERS.dimensions))
    )
    people = crowd(
        COUNT,
        SPEC,
        gender=random.integers(-1, 2, COUNT),
        age=random.integers(20, 60, COUNT),
        place=np.where(random.random((COUNT, 1)) < 0.2, np.nan, random.uniform(50, 53, (COUNT, 2))),
        traits=random.normal(size=(COUNT, 2)) * has_trait,
        has_trait=has_trait,
        wants=random.normal(size=(COUNT, 3)),
        facts=random.integers(-1, 3, (COUNT, 2)).clip(max=[2, 1]),
        interests=np.abs(interests),
        texts=texts.reshape(COUNT, 2, NO_ANSWERS.dimensions),
    )
    counts, residuals = random.integers(0, 9, (2, COUNT)).tolist(), random.normal(size=(2, COUNT)).tolist()
    return people, DecisionHistory(*(tally(n, n, each) for n, each in zip(counts, residuals, strict=True)))


def make_ranker(weights: Float64Array, slope: float = 1.0) -> Ranker:
    """A ranker of a linear part alone, by SPEC."""
    linear, cold = LinearModel(weights, -0.2), LinearModel(weights[:-HISTORY_FEATURES], -0.2)
    return Ranker(SPEC, cold, linear, np.zeros(len(weights)), slope=slope, shift=0.05, booster=None)


def make_context(ranker: Ranker, people: ProfileMatrix, history: DecisionHistory | None = None) -> ScoringContext:
    """People who are all eligible for each other, in the pools in order of position."""
    pools = build_pools(everybody_fits(len(people)))
    absent = np.zeros(len(people), bool)
    return ScoringContext(ranker, people, pools, history or no_ledger(len(people)), NOTHING, events(), absent)


def make_context_of_rules(rules: EligibilityRules, excluded_pairs: tuple[Ints, Ints] = NOTHING) -> ScoringContext:
    """People of whom nothing is known but their rules."""
    people, spec = len(rules.age), specification()
    prior = build_prior(spec, [name for name, _ in list_feature_groups(spec)], np.zeros(0, bool))
    absent = np.zeros(people, bool)
    return ScoringContext(prior, crowd(people), build_pools(rules), no_ledger(people), excluded_pairs, events(), absent)
