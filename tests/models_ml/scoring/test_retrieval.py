from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ml.arrays import Float64Array
from models.ml.eligibility.rules import find_eligible
from models.ml.features.decision_history import DecisionHistory
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from tests.bench.scale.town import arrays, frames, trained
from tests.models_ml.conftest import crowd, no_ledger
from tests.models_ml.scoring.contexts import SPEC, draw_people, make_context, make_ranker

NAMES = [name for name, _ in list_feature_groups(SPEC)]
# Only nearly right.
NEARLY = {"distance.log_km", "age.distance", "trait.warmth.distance", "trait.height.distance"}


def compute_tables(judge: Ranker, town: ProfileMatrix, history: DecisionHistory) -> tuple[Float64Array, Float64Array]:
    """Retrieval scores, and the log-odds of both ways, each less the viewer's mean."""
    vectors = build_retrieval_vectors(make_context(judge, town, history))
    viewer, candidate = (each.ravel() for each in np.indices((len(town), len(town))))
    pairs = Pairs(town, viewer, candidate, history.get_pair_history(viewer, candidate))
    there, back = (build_features(judge.specification, each) for each in (pairs, pairs.reverse()))
    table = (judge.predict_log_odds(there) + judge.predict_log_odds(back)).reshape(len(town), len(town))
    np.fill_diagonal(table, np.nan)
    found = np.where(np.isnan(table), np.nan, vectors.queries @ vectors.items.T)
    return found - np.nanmean(found, axis=1, keepdims=True), table - np.nanmean(table, axis=1, keepdims=True)


@example(14)  # values of 100
@given(st.integers(0, 2**32 - 1))
def test_scores_order_candidates_as_the_log_odds_of_both_ways(seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=len(NAMES))
    weights[[NAMES.index(name) for name in NEARLY | {"texts.about.cosine"}]] = 0  # single prompts are left out
    found, expected = compute_tables(make_ranker(weights, slope=1.3), *draw_people(seed))
    # Single precision rounds each of some 150 terms by as much as their size allows, also where they cancel.
    rounding = 150 * np.finfo(np.float32).eps * np.nanmax(np.abs(expected))
    np.testing.assert_allclose(found, expected, atol=rounding)


@pytest.mark.parametrize("name", sorted(NEARLY))
def test_distances_are_nearly_right(name: str) -> None:
    weights = np.zeros(len(NAMES))
    weights[NAMES.index(name)] = -1.0
    found, expected = compute_tables(make_ranker(weights), *draw_people(3))
    assert np.nanstd(found - expected) / np.nanstd(expected) < 0.1


def test_distances_between_a_few_values_are_exact() -> None:
    weights = np.zeros(len(NAMES))
    weights[NAMES.index("age.distance")] = 1.0
    town = crowd(24, SPEC, age=np.repeat([20, 21, 25, 26, 40, 70], 4))
    np.testing.assert_allclose(*compute_tables(make_ranker(weights), town, no_ledger(24)), atol=1e-3)


def test_ages_beyond_those_that_count_are_the_nearest_that_do() -> None:
    judge = make_ranker(np.random.default_rng(4).normal(size=len(NAMES)))
    judge = replace(judge, specification=replace(SPEC, ages=(30, 50)))
    town, history = draw_people(4)
    within = replace(town, age=np.clip(town.age, 30, 50).astype(np.float32))
    for one, other in zip(compute_tables(judge, town, history), compute_tables(judge, within, history), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("town", [crowd(0, SPEC), crowd(3, SPEC, place=[[np.nan, np.nan]] * 3)], ids=len)
def test_without_anything_to_compare_all_scores_are_equal(town: ProfileMatrix) -> None:
    vectors = build_retrieval_vectors(make_context(make_ranker(np.ones(len(NAMES))), town))
    assert len(vectors.queries) == len(vectors.items) == len(town)
    assert np.isfinite(scores := vectors.queries @ vectors.items.T).all()
    assert len(np.unique(scores)) == min(len(town), 1)


PEOPLE, MOST, BEST = 600, 15, 3


def test_the_best_of_the_ranker_itself_are_kept() -> None:
    """Of its best over all who are eligible, trees included: a fifth of those that are kept."""
    town = frames(PEOPLE)
    town = replace(town, interactions=town.interactions.sample(2_000, random_state=1))
    context = arrays(trained(town), replace(town, interactions=town.interactions.head(0)))
    viewers = np.arange(0, PEOPLE, 6)
    kept = select_candidates(context, build_retrieval_vectors(context), viewers, MOST)
    row, candidate = np.nonzero(find_eligible(context.pools.rules, viewers))
    scored = score_both_ways(context, viewers[row], candidate)
    shares = []
    for viewer in viewers:
        pool, p_match = scored.candidate[scored.viewer == viewer], scored.p_match[scored.viewer == viewer]
        if len(pool) > 2 * MOST:
            shares.append(np.isin(pool[np.argsort(-p_match)[:BEST]], kept[1][kept[0] == viewer]).mean())
    assert len(shares) > 50
    assert np.mean(shares) >= 0.9
