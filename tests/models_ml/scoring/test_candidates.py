from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.eligibility.rules import VIEWERS_PER_BATCH, find_eligible
from models.ml.features.pair_features import list_feature_groups
from models.ml.ranker.ranker_model import build_prior
from models.ml.scoring.candidates import MAX_CANDIDATES, ScoredPairs, score_both_ways, select_candidates
from models.ml.scoring.retrieval import RetrievalVectors
from tests.models_ml.conftest import crowd, draw_rules, positions, specification
from tests.models_ml.scoring.contexts import (
    COUNT,
    NOTHING,
    SPEC,
    Ints,
    draw_people,
    everybody_fits,
    make_context,
    make_context_of_rules,
    make_ranker,
)


def equal(count: int) -> RetrievalVectors:
    """Nobody has a better score than others."""
    return RetrievalVectors(np.ones((count, 1), np.float32), np.ones((count, 1), np.float32))


def select_of_equals(
    count: int, viewers: Ints | None = None, excluded: tuple[Ints, Ints] = NOTHING, most: int = MAX_CANDIDATES
) -> list[tuple[int, int]]:
    context = make_context_of_rules(everybody_fits(count), excluded)
    viewers = np.arange(count) if viewers is None else viewers
    viewer, candidate = select_candidates(context, equal(count), viewers, most)
    assert viewer.dtype == candidate.dtype == np.int64
    return list(zip(viewer.tolist(), candidate.tolist(), strict=True))


def test_a_small_pool_is_scored_whole_but_for_excluded_pairs() -> None:
    assert select_of_equals(3) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert select_of_equals(3, positions(2, 0)) == [(2, 0), (2, 1), (0, 1), (0, 2)]
    # One way only; excluding a pair that is not eligible, or twice, changes nothing.
    excluded = (positions(0, 2, 1, 1), positions(1, 0, 1, 1))
    assert select_of_equals(3, excluded=excluded) == [(0, 2), (1, 0), (1, 2), (2, 1)]
    assert select_of_equals(0) == select_of_equals(1) == select_of_equals(3, positions()) == []


def test_the_absent_are_nobodys_candidates_and_have_their_own() -> None:
    context = replace(make_context_of_rules(everybody_fits(3)), absent=np.array([False, True, False]))
    viewer, candidate = select_candidates(context, equal(3), np.arange(3))
    assert list(zip(viewer.tolist(), candidate.tolist(), strict=True)) == [(0, 2), (1, 0), (1, 2), (2, 0)]


@pytest.mark.parametrize("shuffled", [False, True])
def test_rows_of_pairs_are_found(shuffled: bool) -> None:
    rng = np.random.default_rng(0)
    viewer, candidate = np.nonzero(rng.random((20, 30)) < 0.5)
    order = rng.permutation(len(viewer)) if shuffled else np.arange(len(viewer))
    chance = np.zeros(len(viewer), np.float32)
    scored = ScoredPairs(viewer[order], candidate[order], chance, chance, chance)
    row_of = {
        pair: row for row, pair in enumerate(zip(*(each[order].tolist() for each in (viewer, candidate)), strict=True))
    }
    wanted = rng.integers(-1, 40, (2, 500))
    assert scored.find_rows(*wanted).tolist() == [row_of.get((one, other), -1) for one, other in wanted.T.tolist()]
    nobody = np.empty(0, np.int64)
    assert len(scored.find_rows(nobody, nobody)) == 0
    none = ScoredPairs(nobody, nobody, chance[:0], chance[:0], chance[:0])
    assert none.find_rows(*wanted[:, :2]).tolist() == [-1, -1]


def test_three_hundred_are_scored_of_a_larger_pool() -> None:
    pairs = select_of_equals(310, positions(7, 300))
    assert [who for who, _ in pairs] == [7] * 300 + [300] * 300
    assert len(set(pairs)) == 600


def test_equals_are_candidates_about_equally_often() -> None:
    """Of 200 users each gets 3; ordered by position, three users would be everybody's candidates."""
    seen = np.bincount([candidate for _, candidate in select_of_equals(200, most=3)], minlength=200)
    assert seen.sum() == 600
    assert seen.max() <= 12
    assert (seen == 0).mean() < 0.15  # by chance e⁻³ = 0.05 are nobody's


def test_viewers_who_seek_the_same_users_follow_each_other() -> None:
    """Men and women in turn, who seek each other."""
    count = 2 * VIEWERS_PER_BATCH
    gender = np.arange(count) % 2
    seeks = gender[:, None] != np.arange(2)
    context = make_context_of_rules(replace(everybody_fits(count), gender=gender, seeks=seeks))
    viewer, candidate = select_candidates(context, equal(count), np.arange(count))
    assert np.count_nonzero(np.diff(viewer)) == count - 1
    assert np.count_nonzero(np.diff(gender[viewer])) == 1
    assert (np.diff(candidate)[np.diff(viewer) == 0] > 0).all()


@settings(max_examples=40)
@given(st.integers(1, 2**32 - 1), st.integers(2, 60), st.integers(1, 5))
def test_the_best_of_those_eligible_as_by_brute_force(seed: int, count: int, most: int) -> None:
    random, rules = np.random.default_rng(seed), draw_rules(seed, count)
    one, other = random.integers(0, count, (2, count))
    context = make_context_of_rules(rules, (one, other))
    queries, items = random.integers(-8, 9, (2, count, 3)).astype(np.float32)
    vectors = RetrievalVectors(queries, items[context.pools.order])
    viewers = random.permutation(count)[: random.integers(1, count + 1)]
    viewer, candidate = select_candidates(context, vectors, viewers, most)
    eligible = find_eligible(rules, np.arange(count))
    eligible[one, other] = False
    assert eligible[viewer, candidate].all()
    for who in viewers.tolist():
        chosen = candidate[viewer == who].tolist()
        scores = items @ queries[who]
        assert chosen == sorted(set(chosen))
        assert sorted(scores[chosen])[::-1] == sorted(scores[eligible[who]])[::-1][:most]
    alone = select_candidates(context, vectors, viewers[:1], most)[1]
    assert alone.tolist() == candidate[viewer == viewers[0]].tolist()


def test_p_match_is_the_same_from_both_sides_to_the_bit() -> None:
    """Every feature counts, in directions that differ from side to side."""
    weights = np.random.default_rng(3).normal(0, 0.05, len(list_feature_groups(SPEC)))
    context = make_context(make_ranker(weights, slope=1.1), *draw_people(1))
    viewer, candidate = np.nonzero(~np.eye(COUNT, dtype=bool))
    scored = score_both_ways(context, viewer, candidate)
    np.testing.assert_array_equal([scored.viewer, scored.candidate], [viewer, candidate])

    def tabulate(probabilities: Float32Array) -> Float32Array:
        table = np.zeros((COUNT, COUNT), np.float32)
        table[viewer, candidate] = probabilities
        return table

    p_like, back, p_match = map(tabulate, (scored.p_like, scored.p_liked_back, scored.p_match))
    np.testing.assert_array_equal(p_match, p_match.T)
    np.testing.assert_array_equal(p_like, back.T)
    np.testing.assert_array_equal(p_match, p_like * back)
    assert (p_like != p_like.T).sum() == COUNT * (COUNT - 1)
    assert scored.p_match.dtype == np.float32
    for size in (7, 869):
        in_batches = score_both_ways(context, viewer, candidate, pairs_per_batch=size)
        for name, values in vars(scored).items():
            np.testing.assert_array_equal(getattr(in_batches, name), values)
    assert [len(values) for values in vars(score_both_ways(context, *NOTHING)).values()] == [0] * 5


def test_a_probability_by_hand() -> None:
    """The prior, of two users of whom nothing is known: the rate of 0.3 at no gap and no distance."""
    spec = specification()
    ranker = build_prior(spec, [name for name, _ in list_feature_groups(spec)], np.zeros(0, bool))
    scored = score_both_ways(make_context(ranker, crowd(2)), positions(0), positions(1))
    chance = 1 / (1 + np.exp(-(np.log(3 / 7) + 0.05 * 4 + 0.1 * np.log(11))))
    assert [scored.p_like[0], scored.p_liked_back[0], scored.p_match[0]] == pytest.approx([chance, chance, chance**2])
