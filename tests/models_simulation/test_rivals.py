import sys
from dataclasses import replace

import numpy as np
import pytest

from models.db.errors import InputError
from models.ml.arrays import Float64Array, Int64Array
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.arms.arm_registry import RIVALS, ArmChoice, FirstNight, build_arms
from models.simulation.arms.product import Product
from models.simulation.arms.rivals import Oracle, Rival, make_als_score, score_popularity, score_randomly
from models.simulation.behaviour import NO_CARDS, CardViews
from models.simulation.event_log import LIKE, open_log
from models.simulation.nightly_lists import train_tonight
from models.simulation.nights import simulate_arms
from models.simulation.world import World
from tests.models_simulation.conftest import make_world


@pytest.fixture(scope="module")
def ranker(small_world: World) -> CrossFittedRanker:
    return train_tonight(open_log(small_world), None)


def score_all_pairs(people: int) -> ScoredPairs:
    viewer, candidate = np.nonzero(~np.eye(people, dtype=bool))
    nothing = np.zeros(len(viewer), np.float32)
    return ScoredPairs(viewer.astype(np.int64), candidate.astype(np.int64), nothing, nothing, nothing)


def like_alike(viewer: Int64Array, candidate: Int64Array) -> Float64Array:
    """People like those whose number leaves the same rest by three, and nobody else."""
    return np.asarray(viewer % 3 == candidate % 3, np.float64)


def test_als_finds_both_directions_of_a_planted_taste() -> None:
    """Three circles like each other inside; half of the likes are known, and the other half is ranked first."""
    pytest.importorskip("implicit", reason="needs the package implicit, of the extra `rivals`")
    people = 60
    log, scored = open_log(make_world(people, like_alike)), score_all_pairs(people)
    known = np.random.default_rng(0).random((people, people)) < 0.5
    alike = np.subtract.outer(np.arange(people), np.arange(people)) % 3 == 0
    log.decided[known & alike] = LIKE
    affinity = np.zeros((people, people))
    affinity[scored.viewer, scored.candidate] = make_als_score()(log, scored)
    np.testing.assert_allclose(affinity, affinity.T)
    unknown = ~known & ~known.T & ~np.eye(people, dtype=bool)
    assert np.quantile(affinity[unknown & alike], 0.1) > 3 * np.quantile(affinity[unknown & ~alike], 0.9)


def test_als_without_its_package_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(InputError, match=r"pip install '\.\[rivals\]'"):
        ArmChoice(rivals=["als"]).check()


def test_equal_scores_are_in_random_order_that_differs_by_night(small_world: World, ranker: CrossFittedRanker) -> None:
    log = open_log(small_world)
    popular = Rival(score_popularity, ranker).make_lists(log).cards
    likes = (log.decided == LIKE).sum(axis=0)[popular.candidate]
    same_list = np.diff(popular.viewer) == 0
    assert (np.diff(likes)[same_list] <= 0).all()
    tied = same_list & (np.diff(likes) == 0)
    assert 0.3 < (np.diff(popular.candidate)[tied] > 0).mean() < 0.7
    rival, nothing = (
        Rival(score_randomly, ranker),
        CardViews(NO_CARDS, *(np.empty(0, np.int64),) * 2, np.empty(0, bool)),
    )
    nights = [replace(log, days=[nothing] * day) for day in (0, 0, 5)]
    one, again, later = (rival.make_lists(night).cards.candidate[: len(popular.viewer)].tolist() for night in nights)
    assert one == again != later


@pytest.mark.parametrize("likes", ["secret", "told"])
def test_the_oracle_says_the_truth(small_world: World, ranker: CrossFittedRanker, likes: str) -> None:
    log, know = open_log(small_world), small_world.compute_p_like
    night = FirstNight(ArmChoice(likes="told" if likes == "told" else "secret"), ranker, len(log.interactions))
    oracle = RIVALS["oracle"](night)
    assert isinstance(oracle, Oracle)
    made = oracle.make_lists(log)
    viewer, candidate = made.cards.viewer, made.cards.candidate
    np.testing.assert_allclose(made.p_match, know(viewer, candidate) * know(candidate, viewer), rtol=1e-5)
    received = know(made.likes.viewer, made.likes.candidate)
    assert (np.diff(received)[np.diff(made.likes.viewer) == 0] <= 0).all()
    assert oracle.ranker is ranker


def test_arms_are_compared_with_the_first_on_the_same_luck(small_world: World, ranker: CrossFittedRanker) -> None:
    def make(*names: str) -> dict[str, Rival]:
        scores = {"random": score_randomly, "popularity": score_popularity}
        return {name: Rival(scores[name], ranker) for name in names}

    said: list[tuple[str, int]] = []
    both = simulate_arms(small_world, make("random", "popularity"), 3, lambda arm, day: said.append((arm, day)))
    assert said == [(arm, day) for arm in ("random", "popularity") for day in range(3)]
    assert list(zip(both["arm"], both["day"], strict=True)) == said
    alone = simulate_arms(small_world, make("popularity"), 3)
    own = [name for name in both if not str(name).startswith("gain")]
    assert both[both["arm"] == "popularity"][own].reset_index(drop=True).equals(alone[own])
    first, second = (both[both["arm"] == arm].iloc[-1] for arm in ("random", "popularity"))
    assert (first["gain"], first["gain_low"], first["gain_high"]) == (0, 0, 0)
    assert second["gain"] == pytest.approx(second["matches"] / first["matches"] - 1)
    for name in ("matches", "with_match", "views_gini", "likes_waiting"):
        assert second[f"{name}_low"] < second[f"{name}_high"]
        assert second[f"{name}_low"] <= second[name] <= second[f"{name}_high"]
        assert both[both["day"] < 2][f"{name}_low"].isna().all()
    assert both["p_match_said"].isna().all()
    assert both["p_match_seen"].between(0, 1).all()


def test_a_choice_builds_its_arms_on_one_ranker(small_world: World) -> None:
    choice = ArmChoice(["best_response", "product"], ["unweighted", "random", "oracle"], "told", 0.25)
    arms, outlook = build_arms(choice, open_log(small_world))
    assert outlook is None  # nobody asked what follows a match
    assert list(arms) == ["best_response", "product", "unweighted", "random", "oracle"]
    assert len({id(arm.ranker) for arm in arms.values() if isinstance(arm, Product | Rival)}) == 1
    products = [arm for arm in arms.values() if isinstance(arm, Product)]
    assert [arm.weighs for arm in products] == [True, True, False, True]
    assert {arm.trained_on for arm in products} == {len(small_world.earlier)}
    assert {arm.likes for arm in arms.values() if isinstance(arm, Product | Rival)} == {"told"}
    assert {arm.most_telling for arm in products} == {0.25}
