"""Scored candidates: who is left of those eligible, exactly, and chances that are the same from both sides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml import candidates as module
from models.ml.candidates import candidates, score
from models.ml.eligibility import Rules
from models.ml.features import HISTORY, names_and_groups
from models.ml.history import Ledger, Tally
from models.ml.linear import Linear
from models.ml.people import Floats, People
from models.ml.ranker import Ranker, prior
from tests.models_ml.conftest import crowd, direction, no_ledger, positions, specification

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]

NOTHING = (positions(), positions())
INTERESTS = specification(interests={f"{number}": 1.0 for number in range(4)})


def everybody_fits(count: int) -> Rules:
    """All of one gender that all look for, of one age, at one place."""
    zeros = np.zeros(count)
    return Rules(
        gender=np.zeros(count, np.int64),
        seeks=np.ones((count, 1), bool),
        age=zeros,
        age_min=zeros,
        age_max=zeros,
        place=np.zeros((count, 2)),
        max_distance_km=zeros,
        paused=np.zeros(count, bool),
    )


def found(people: People, closed: tuple[Ints, Ints] = NOTHING, viewers: Ints | None = None) -> list[tuple[int, int]]:
    everybody = np.arange(len(people))
    viewer, candidate = candidates(
        everybody_fits(len(people)), people, closed, everybody if viewers is None else viewers
    )
    assert viewer.dtype == candidate.dtype == np.int64
    return list(zip(viewer.tolist(), candidate.tolist(), strict=True))


def test_a_small_pool_is_scored_whole_in_order_of_viewer_then_candidate() -> None:
    assert found(crowd(3)) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert found(crowd(3), viewers=positions(2, 0)) == [(2, 0), (2, 1), (0, 1), (0, 2)]


def test_closed_pairs_do_not_come_back() -> None:
    """One way only: whoever closed it. Closing what is not eligible anyway, or twice, changes nothing."""
    closed = (positions(0, 2, 1, 1), positions(1, 0, 1, 1))
    assert found(crowd(3), closed) == [(0, 2), (1, 0), (1, 2), (2, 1)]
    assert found(crowd(3), closed, viewers=positions(2)) == [(2, 1)]


def test_three_hundred_are_scored_of_a_larger_pool() -> None:
    pairs = found(crowd(310), viewers=positions(7, 300))
    assert [who for who, _ in pairs] == [7] * 300 + [300] * 300
    assert len(set(pairs)) == 600


def test_nobody_has_candidates_in_an_empty_or_lonely_town() -> None:
    assert found(crowd(0)) == []
    assert found(crowd(1)) == []
    assert found(crowd(3), viewers=positions()) == []


@pytest.fixture
def at_most_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CANDIDATES", 3)


@pytest.mark.usefixtures("at_most_three")
def test_the_nearest_of_a_large_pool_by_hand() -> None:
    """Texts and interests count alike. The means of both are zero. 0 is like 1 and 2 in both, like 3 in one of them."""
    here, there = direction(1), direction(-1)
    texts = [[here], [here], [here], [there], [there], [there], [there], [here]]
    interests = np.array([1, 1, 1, 1, -1, -1, -1, -1])[:, None] * np.eye(4)[0]
    people = crowd(8, INTERESTS, texts=texts, interests=interests)
    chosen = found(people, viewers=positions(0))
    assert chosen[:2] == [(0, 1), (0, 2)]
    assert chosen[2] in [(0, 3), (0, 7)]
    assert len(chosen) == 3
    # Once 1 is closed, both who are half alike come in, for nobody else is more.
    assert found(people, (positions(0), positions(1)), positions(0)) == [(0, 2), (0, 3), (0, 7)]


eighth = st.integers(-8, 8).map(lambda number: number / 8)


@settings(max_examples=60)
@given(
    half=st.lists(st.tuples(eighth, eighth), min_size=1, max_size=12),
    shut=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), max_size=60),
    size=st.integers(1, 6),
)
def test_the_nearest_are_those_of_brute_force_whatever_the_block(
    half: list[tuple[float, float]], shut: list[tuple[int, int]], size: int
) -> None:
    """Everybody has their opposite in the town, so that the mean is zero, and products of eighths are exact."""
    tastes = np.array([*half, *(-np.array(half))])
    count = len(tastes)
    shut = [(one % count, two % count) for one, two in shut]
    texts = np.zeros((count, 1, 384))
    texts[:, 0, :2] = tastes
    closed = (positions(*(one for one, _ in shut)), positions(*(two for _, two in shut)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_CANDIDATES", 3)
        pairs = found(crowd(count, texts=texts), closed)
        patch.setattr(module, "VIEWERS_AT_ONCE", size)
        assert found(crowd(count, texts=texts), closed) == pairs
    alike = tastes @ tastes.T
    for viewer in range(count):
        chosen = {candidate for who, candidate in pairs if who == viewer}
        pool = set(range(count)) - {viewer} - {two for one, two in shut if one == viewer}
        assert chosen <= pool
        assert len(chosen) == min(3, len(pool))
        left = [alike[viewer, candidate] for candidate in pool - chosen]
        assert min((alike[viewer, candidate] for candidate in chosen), default=9) >= max(left, default=-9)


@pytest.mark.usefixtures("at_most_three")
def test_where_nobody_says_anything_everybody_is_a_candidate_as_often() -> None:
    """Of 200 people each gets 3; were ties settled by position, three people would be everybody's candidates."""
    pairs = found(crowd(200))
    assert pairs == found(crowd(200))
    seen = np.bincount([candidate for _, candidate in pairs], minlength=200)
    assert seen.sum() == 600
    assert seen.max() <= 12
    assert (seen == 0).mean() < 0.15  # by chance e⁻³ = 0.05 are nobody's


@pytest.mark.usefixtures("at_most_three")
def test_who_says_nothing_is_neither_near_nor_far() -> None:
    """Everybody's texts have much in common. 0 is less like 1 to 3 than two people are on the average."""
    texts = [direction(4, *around) for around in ((3, 0), (-3, 1), (-3, 0), (-3, -1), (3, 1), (3, 0))]
    silent = np.zeros(384)
    people = crowd(9, texts=[[each] for each in (*texts, silent, silent, silent)])
    chosen = {candidate for _, candidate in found(people, viewers=positions(0))}
    assert {4, 5} < chosen
    assert chosen & {6, 7, 8}
    # All are equally far from one who says nothing.
    assert len(found(people, viewers=positions(6))) == 3


@pytest.mark.usefixtures("at_most_three")
def test_an_interest_that_everybody_has_brings_nobody_nearer() -> None:
    pairs = found(crowd(100, INTERESTS, interests=np.tile([1, 0, 0, 0], (100, 1))))
    assert np.bincount([candidate for _, candidate in pairs], minlength=100).max() <= 12


@pytest.fixture(scope="module")
def town() -> People:
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
def ledger() -> Ledger:
    random = np.random.default_rng(2)
    given, received = random.integers(0, 9, (2, 40))
    return Ledger(
        Tally(given, given // 2, random.normal(size=40)), Tally(received, received // 3, random.normal(size=40))
    )


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    """A ranker for which every feature counts, in directions that differ from side to side."""
    names = [name for name, _ in names_and_groups(INTERESTS)]
    weights = np.random.default_rng(3).normal(0, 0.05, len(names))
    linear, cold = Linear(weights, -0.2), Linear(weights[:-HISTORY], -0.2)
    return Ranker(INTERESTS, cold, linear, np.zeros(len(names)), slope=1.1, shift=0.05, booster=None)


def all_pairs(count: int) -> tuple[Ints, Ints]:
    viewer, candidate = np.nonzero(~np.eye(count, dtype=bool))
    return viewer, candidate


def test_a_match_is_the_same_chance_from_both_sides_to_the_bit(ranker: Ranker, town: People, ledger: Ledger) -> None:
    viewer, candidate = all_pairs(40)
    scored = score(ranker, town, ledger, viewer, candidate)
    np.testing.assert_array_equal([scored.viewer, scored.candidate], [viewer, candidate])

    def table(chances: Floats) -> Floats:
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
    ranker: Ranker, town: People, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = score(ranker, town, ledger, *all_pairs(40))
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", size)
    blocks = score(ranker, town, ledger, *all_pairs(40))
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(getattr(blocks, name), values)


def test_nothing_to_score(town: People, ledger: Ledger, ranker: Ranker) -> None:
    scored = score(ranker, town, ledger, *NOTHING)
    assert [len(values) for values in vars(scored).values()] == [0] * 5


def test_a_chance_by_hand() -> None:
    """The prior, of two people of whom nothing is known: the rate of 0.3 at no gap and no distance."""
    made = specification()
    ranker = prior(made, [name for name, _ in names_and_groups(made)], np.zeros(0, bool))
    scored = score(ranker, crowd(2), no_ledger(2), positions(0), positions(1))
    log_odds = np.log(3 / 7) + 0.05 * 4 + 0.1 * np.log(11)
    chance = 1 / (1 + np.exp(-log_odds))
    assert [scored.p_like[0], scored.p_liked_back[0], scored.p_match[0]] == pytest.approx([chance, chance, chance**2])
