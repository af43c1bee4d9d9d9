"""Scored candidates: who is left of those eligible, exactly, and chances that are the same from both sides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.eligibility import rules
from models.ml.eligibility.rules import VIEWERS_PER_BATCH, EligibilityRules
from models.ml.features.decision_history import DecisionCounts, DecisionHistory
from models.ml.features.pair_features import HISTORY_FEATURES, list_feature_groups
from models.ml.profiles.geography import compute_distance_km
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring import candidates as module
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.retrieval import RetrievalVectors
from tests.models_ml.conftest import crowd, direction, positions, specification
from tests.models_ml.scoring.contexts import NOTHING, Ints, everybody_fits, make_context, make_context_of_rules

INTERESTS = specification(interests={f"{number}": 1.0 for number in range(4)})


def found(
    promising: RetrievalVectors, closed: tuple[Ints, Ints] = NOTHING, viewers: Ints | None = None
) -> list[tuple[int, int]]:
    people = len(promising.items)
    everybody = np.arange(people)
    context = make_context_of_rules(everybody_fits(people), closed)
    viewer, candidate = select_candidates(context, promising, everybody if viewers is None else viewers)
    assert viewer.dtype == candidate.dtype == np.int64
    return list(zip(viewer.tolist(), candidate.tolist(), strict=True))


def equal(count: int) -> RetrievalVectors:
    """Nobody is more promising than others."""
    return RetrievalVectors(np.ones((count, 1), np.float32), np.ones((count, 1), np.float32))


def test_a_small_pool_is_scored_whole_a_viewer_s_together_and_in_order() -> None:
    assert found(equal(3)) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert found(equal(3), viewers=positions(2, 0)) == [(2, 0), (2, 1), (0, 1), (0, 2)]


def test_viewers_who_look_for_the_same_people_follow_each_other() -> None:
    """Men and women in turn, who look for each other: the order is theirs, and nobody's rows are torn apart."""
    count = 2 * VIEWERS_PER_BATCH
    gender = np.arange(count) % 2
    seeks = gender[:, None] != np.arange(2)
    context = make_context_of_rules(replace(everybody_fits(count), gender=gender, seeks=seeks))
    viewer, candidate = select_candidates(context, equal(count), np.arange(count))
    changes = np.flatnonzero(np.diff(viewer))
    assert len(changes) == count - 1
    assert np.count_nonzero(np.diff(gender[viewer])) == 1
    assert (np.diff(candidate)[np.diff(viewer) == 0] > 0).all()


def test_closed_pairs_do_not_come_back() -> None:
    """One way only: whoever closed it. Closing what is not eligible anyway, or twice, changes nothing."""
    closed = (positions(0, 2, 1, 1), positions(1, 0, 1, 1))
    assert found(equal(3), closed) == [(0, 2), (1, 0), (1, 2), (2, 1)]
    assert found(equal(3), closed, viewers=positions(2)) == [(2, 1)]


def test_three_hundred_are_scored_of_a_larger_pool() -> None:
    pairs = found(equal(310), viewers=positions(7, 300))
    assert [who for who, _ in pairs] == [7] * 300 + [300] * 300
    assert len(set(pairs)) == 600


def test_nobody_has_candidates_in_an_empty_or_lonely_town() -> None:
    assert found(equal(0)) == []
    assert found(equal(1)) == []
    assert found(equal(3), viewers=positions()) == []


@pytest.fixture
def at_most_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CANDIDATES", 3)


eighth = st.integers(-8, 8).map(lambda number: number / 8)


@settings(max_examples=60)
@given(
    queries=st.lists(st.tuples(eighth, eighth), min_size=24, max_size=24),
    keys=st.lists(st.tuples(eighth, eighth), min_size=1, max_size=24),
    shut=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), max_size=60),
    size=st.integers(1, 6),
)
def test_the_most_promising_are_those_of_brute_force_whatever_the_block(
    queries: list[tuple[float, float]],
    keys: list[tuple[float, float]],
    shut: list[tuple[int, int]],
    size: int,
) -> None:
    """Products of eighths are exact."""
    count = len(keys)
    promising = RetrievalVectors(np.array(queries[:count], np.float32), np.array(keys, np.float32))
    shut = [(one % count, two % count) for one, two in shut]
    closed = (positions(*(one for one, _ in shut)), positions(*(two for _, two in shut)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_CANDIDATES", 3)
        pairs = found(promising, closed)
        patch.setattr(rules, "VIEWERS_PER_BATCH", size)
        assert found(promising, closed) == pairs
    table = promising.queries @ promising.items.T
    for viewer in range(count):
        chosen = {candidate for who, candidate in pairs if who == viewer}
        pool = set(range(count)) - {viewer} - {two for one, two in shut if one == viewer}
        assert chosen <= pool
        assert len(chosen) == min(3, len(pool))
        left = [table[viewer, candidate] for candidate in pool - chosen]
        assert min((table[viewer, candidate] for candidate in chosen), default=9) >= max(left, default=-9)


@settings(max_examples=40)
@given(st.integers(1, 2**32 - 1), st.integers(2, 60), st.integers(1, 5))
def test_of_those_eligible_the_most_promising_as_by_brute_force(seed: int, count: int, most: int) -> None:
    """Genders, ages, places and pauses at random."""
    random = np.random.default_rng(seed)
    rules = EligibilityRules(
        gender=random.integers(0, 3, count),
        seeks=random.random((count, 3)) < 0.6,
        age=random.integers(20, 40, count).astype(float),
        age_min=random.integers(0, 30, count).astype(float),
        age_max=np.where(random.random(count) < 0.3, np.inf, random.integers(25, 45, count)),
        place=np.where(random.random((count, 2)) < 0.1, np.nan, random.uniform(50, 52, (count, 2))),
        max_distance_km=random.choice([50, 150, np.inf], count),
        paused=random.random(count) < 0.1,
    )
    context, (queries, keys) = make_context_of_rules(rules), random.integers(-8, 9, (2, count, 3)).astype(np.float32)
    viewers = random.permutation(count)[: random.integers(1, count + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_CANDIDATES", most)
        vectors = RetrievalVectors(queries, keys[context.pools.order])
        viewer, candidate = select_candidates(context, vectors, viewers)
    matrix = fits(rules)
    assert matrix[viewer, candidate].all()
    for who in viewers.tolist():
        chosen = candidate[viewer == who].tolist()
        table = keys @ queries[who]
        assert chosen == sorted(set(chosen))
        assert sorted(table[chosen])[::-1] == sorted(table[matrix[who]])[::-1][:most]


def fits(rules: EligibilityRules) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """The rules, one pair after the other, by the formula of the database."""

    def one_way(viewer: int, other: int) -> bool:
        apart = compute_distance_km(rules.place[viewer], rules.place[other])
        return bool(
            viewer != other
            and rules.seeks[viewer, rules.gender[other]]
            and rules.age_min[viewer] <= rules.age[other] <= rules.age_max[viewer]
            and not rules.paused[viewer]
            and not apart > rules.max_distance_km[viewer]
        )

    count = range(len(rules.age))
    return np.array([[one_way(one, other) and one_way(other, one) for other in count] for one in count])


@pytest.mark.usefixtures("at_most_three")
def test_where_nobody_says_anything_everybody_is_a_candidate_as_often() -> None:
    """Of 200 people each gets 3; were ties settled by position, three people would be everybody's candidates."""
    pairs = found(equal(200))
    assert pairs == found(equal(200))
    seen = np.bincount([candidate for _, candidate in pairs], minlength=200)
    assert seen.sum() == 600
    assert seen.max() <= 12
    assert (seen == 0).mean() < 0.15  # by chance e⁻³ = 0.05 are nobody's


@pytest.fixture(scope="module")
def town() -> ProfileMatrix:
    random = np.random.default_rng(1)
    return crowd(
        40,
        INTERESTS,
        age=random.integers(20, 50, 40),
        place=random.uniform(50, 53, (40, 2)),
        interests=random.dirichlet(np.ones(4), 40),
        texts=[[direction(*random.normal(size=9))] for _ in range(40)],
    )


@pytest.fixture(scope="module")
def ledger() -> DecisionHistory:
    random = np.random.default_rng(2)
    given, received = random.integers(0, 9, (2, 40))
    return DecisionHistory(
        DecisionCounts(given, given // 2, random.normal(size=40), given.astype(float)),
        DecisionCounts(received, received // 3, random.normal(size=40), received.astype(float)),
    )


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    """A ranker for which every feature counts, in directions that differ from side to side."""
    names = [name for name, _ in list_feature_groups(INTERESTS)]
    weights = np.random.default_rng(3).normal(0, 0.05, len(names))
    linear, cold = LinearModel(weights, -0.2), LinearModel(weights[:-HISTORY_FEATURES], -0.2)
    return Ranker(INTERESTS, cold, linear, np.zeros(len(names)), slope=1.1, shift=0.05, booster=None)


def all_pairs(count: int) -> tuple[Ints, Ints]:
    viewer, candidate = np.nonzero(~np.eye(count, dtype=bool))
    return viewer, candidate


def test_a_match_is_the_same_chance_from_both_sides_to_the_bit(
    ranker: Ranker, town: ProfileMatrix, ledger: DecisionHistory
) -> None:
    viewer, candidate = all_pairs(40)
    scored = score_both_ways(make_context(ranker, town, ledger), viewer, candidate)
    np.testing.assert_array_equal([scored.viewer, scored.candidate], [viewer, candidate])

    def table(chances: Float32Array) -> Float32Array:
        square = np.zeros((40, 40), np.float32)
        square[viewer, candidate] = chances
        return square

    p_like, back, p_match = table(scored.p_like), table(scored.p_liked_back), table(scored.p_match)
    np.testing.assert_array_equal(p_match, p_match.T)
    np.testing.assert_array_equal(p_like, back.T)
    np.testing.assert_array_equal(p_match, p_like * back)
    assert (p_like != p_like.T).sum() == 40 * 39
    assert scored.p_match.dtype == np.float32


@pytest.mark.parametrize("size", [1, 7, 1_559])
def test_blocks_change_no_chance(
    ranker: Ranker, town: ProfileMatrix, ledger: DecisionHistory, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = score_both_ways(make_context(ranker, town, ledger), *all_pairs(40))
    monkeypatch.setattr(module, "PAIRS_PER_BATCH", size)
    blocks = score_both_ways(make_context(ranker, town, ledger), *all_pairs(40))
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(getattr(blocks, name), values)


def test_nothing_to_score(town: ProfileMatrix, ledger: DecisionHistory, ranker: Ranker) -> None:
    scored = score_both_ways(make_context(ranker, town, ledger), *NOTHING)
    assert [len(values) for values in vars(scored).values()] == [0] * 5


def test_a_chance_by_hand() -> None:
    """The prior, of two people of whom nothing is known: the rate of 0.3 at no gap and no distance."""
    made = specification()
    ranker = build_prior(made, [name for name, _ in list_feature_groups(made)], np.zeros(0, bool))
    scored = score_both_ways(make_context(ranker, crowd(2)), positions(0), positions(1))
    log_odds = np.log(3 / 7) + 0.05 * 4 + 0.1 * np.log(11)
    chance = 1 / (1 + np.exp(-log_odds))
    assert [scored.p_like[0], scored.p_liked_back[0], scored.p_match[0]] == pytest.approx([chance, chance, chance**2])
