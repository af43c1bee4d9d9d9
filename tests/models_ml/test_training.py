"""Training on a town whose truth is known: it is found, noise is not, and the order of rows changes nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.ml.embeddings import NO_ANSWERS
from models.ml.features import Pairs, build, names_and_groups
from models.ml.gate import check
from models.ml.metrics import within_viewer_auc
from models.ml.pairs import history_of, training_pairs
from models.ml.people import people
from models.ml.ranker import Ranker, save
from models.ml.training import Trained, train
from tests.models_ml.conftest import interactions, somebody

PEOPLE, SHOWN = 100, 25
RANDOM = np.random.default_rng(11)
WARMTH = RANDOM.normal(size=PEOPLE)
AGE = RANDOM.integers(20, 60, PEOPLE)
TOWN = pd.DataFrame(
    [somebody(f"{who:03d}", age=int(AGE[who]), traits={"warmth": WARMTH[who]}) for who in range(PEOPLE)]
)
IDS = pd.Index(TOWN["profile_id"])
VIEWER = np.repeat(np.arange(PEOPLE), SHOWN)
CANDIDATE = np.concatenate(
    [RANDOM.choice(np.delete(np.arange(PEOPLE), who), SHOWN, replace=False) for who in range(PEOPLE)]
)
# Everybody prefers warm people of about their age.
TRUTH = 1.2 * WARMTH[CANDIDATE] - 0.12 * np.abs(AGE[CANDIDATE] - AGE[VIEWER]) + 0.8
LIKED = RANDOM.random(len(TRUTH)) < expit(TRUTH)
DAY = RANDOM.permutation(len(TRUTH)) + 1


def decisions(liked: np.ndarray, rows: slice = slice(None)) -> pd.DataFrame:
    """The training pairs of everybody's decisions."""
    kinds = np.where(liked, "like", "pass")
    acts = zip(IDS[VIEWER], IDS[CANDIDATE], kinds, DAY, strict=True)
    return training_pairs(interactions(*list(acts)[rows]), IDS)


@pytest.fixture(scope="module")
def planted() -> Trained:
    return train(TOWN, NO_ANSWERS, decisions(LIKED), seed=0)


def files(ranker: Ranker, folder: Path) -> list[bytes]:
    save(ranker, folder)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def is_prior(trained: Trained) -> bool:
    return trained.report is None and trained.ranker.booster is None


def test_a_planted_truth_is_found_and_passes_the_gate(planted: Trained) -> None:
    assert planted.report is not None
    possible = within_viewer_auc(VIEWER, LIKED, TRUTH)
    assert planted.report["ranker"]["within_viewer_auc"] > possible - 0.04 > 0.7
    assert planted.report["random"]["within_viewer_auc"] == pytest.approx(0.5, abs=0.05)
    assert [each.name for each in check(planted.report) if not each.passed] == []


def test_within_viewer_figures_are_of_one_viewer_s_candidates_in_one_period(planted: Trained) -> None:
    """The baseline of popularity, from the tallies: likes received, shrunk by three decisions at the base rate."""
    pairs = decisions(LIKED)
    received = pairs["candidate_received_likes"] + 3 * LIKED.mean()
    popularity = received / (pairs["candidate_received_decisions"] + 3)
    lists = pairs["viewer_id"] + pairs["period"].astype(str)
    assert planted.report is not None
    expected = within_viewer_auc(lists, pairs["liked"], popularity)
    assert planted.report["popularity"]["within_viewer_auc"] == pytest.approx(expected)


def test_what_was_found_is_what_was_planted(planted: Trained) -> None:
    """Of two candidates, the warmer of the viewer's own age is liked more, by about as much as in truth."""
    ranker = planted.ranker
    rows = [somebody("a", age=35), somebody("b", age=35, traits={"warmth": 1.5}), somebody("c", age=55)]
    trio = people(ranker.specification, pd.DataFrame(rows), NO_ANSWERS)
    nothing = history_of(decisions(LIKED, slice(0, 2)))
    features = build(ranker.specification, ranker.base_rate, Pairs(trio, np.array([0, 0]), np.array([1, 2]), nothing))
    warm, old = ranker.log_odds(features)
    median = float(np.median(WARMTH))
    assert warm - old == pytest.approx(1.2 * (1.5 - median) + 0.12 * 20, rel=0.35)


def test_the_order_of_rows_changes_nothing(planted: Trained, tmp_path: Path) -> None:
    pairs = decisions(LIKED).sample(frac=1, random_state=1).reset_index(drop=True)
    again = train(TOWN, NO_ANSWERS, pairs, seed=0)
    assert again.report == planted.report
    assert files(again.ranker, tmp_path / "again") == files(planted.ranker, tmp_path / "once")


def test_another_seed_gives_another_ranker_that_is_as_good(planted: Trained, tmp_path: Path) -> None:
    other = train(TOWN, NO_ANSWERS, decisions(LIKED), seed=1)
    assert other.report is not None
    assert planted.report is not None
    assert files(other.ranker, tmp_path / "other") != files(planted.ranker, tmp_path / "once")
    reached = [each.report["ranker"]["within_viewer_auc"] for each in (planted, other) if each.report]
    assert reached[0] == pytest.approx(reached[1], abs=0.02)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_from_noise_nothing_is_learned(seed: int) -> None:
    liked = np.random.default_rng(seed).random(len(TRUTH)) < 0.4
    trained = train(TOWN, NO_ANSWERS, decisions(liked), seed)
    assert is_prior(trained)
    assert trained.ranker.base_rate == pytest.approx(0.4, abs=0.02)


def test_what_turns_round_from_group_to_group_is_not_learned() -> None:
    """Half of the viewers like warm people, the others cold ones, and each half is held out from the other.

    A calibration that turned the scores round would look perfect.
    """
    warm = VIEWER % 2 == 0
    pairs = decisions(np.where(warm, WARMTH[CANDIDATE] > 0, WARMTH[CANDIDATE] < 0))
    pairs["group"] = IDS.get_indexer(pd.Index(pairs["viewer_id"])) % 2
    assert is_prior(train(TOWN, NO_ANSWERS, pairs, seed=0))


@pytest.mark.parametrize(
    ("liked", "rows"),
    [
        (LIKED, slice(0, 0)),
        (LIKED, slice(0, 1)),
        (LIKED, slice(0, 30)),
        (np.ones(len(TRUTH), bool), slice(None)),
        (np.zeros(len(TRUTH), bool), slice(None)),
    ],
    ids=["none", "one", "thirty", "only likes", "only passes"],
)
def test_too_little_to_learn_from_is_the_prior(liked: np.ndarray, rows: slice) -> None:
    trained = train(TOWN, NO_ANSWERS, decisions(liked, rows), seed=0)
    assert is_prior(trained)
    count = len(liked[rows])
    assert trained.ranker.base_rate == pytest.approx((liked[rows].sum() + 6) / (count + 20))
    assert len(trained.ranker.weights) == len(names_and_groups(trained.ranker.specification))


def test_a_town_that_says_nothing_of_itself_still_learns_whom_it_likes() -> None:
    """No traits, texts, interests or places, all of one age: what is left is who was liked before."""
    silent = pd.DataFrame([somebody(profile_id) for profile_id in IDS])
    popular = np.random.default_rng(5).random(len(TRUTH)) < expit(2.5 * WARMTH[CANDIDATE])
    trained = train(silent, NO_ANSWERS, decisions(popular), seed=0)
    assert trained.report is not None
    assert trained.report["ranker"]["within_viewer_auc"] > 0.6
