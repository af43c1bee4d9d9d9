"""Training on populations whose truth is known: it is found, noise is not, and the order of rows changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, PairHistory
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups
from models.ml.features.training_pairs import build_training_pairs, read_decisions
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, save_rankers
from models.ml.training.fit import FittedRanker, SearchSpace
from models.ml.training.train import TrainingResult, fit_on_decisions, train_ranker
from models.ml.validation.gate import CHAMPION_COMPARISON, GateReport, check_report
from models.ml.validation.holdout import predict_out_of_fold
from models.ml.validation.score_metrics import compute_within_viewer_auc
from tests.models_ml.conftest import interactions, positions, profiles, somebody, tally, unknown
from tests.models_ml.planted import CIRCLES, PEOPLE, SIZE, Planted, circles, one_circle, trained_circles

TOWN, EVENINGS = one_circle(), circles()
WARMTH = TOWN.profiles["traits"].map(lambda traits: traits["warmth"]).to_numpy()


@pytest.fixture(scope="module")
def planted() -> TrainingResult:
    return train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(), seed=0)


@pytest.fixture(scope="module")
def met() -> TrainingResult:
    return trained_circles()


def report(trained: TrainingResult) -> GateReport:
    assert trained.report is not None
    return trained.report


def files(rankers: CrossFittedRanker, folder: Path) -> dict[str, bytes]:
    save_rankers(rankers, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def is_prior(trained: TrainingResult) -> bool:
    return trained.report is None and trained.rankers.full.booster is None and not trained.rankers.by_fold


def failures(trained: TrainingResult) -> list[str]:
    return [each.name for each in check_report(report(trained)) if not each.passed]


def test_what_was_planted_is_found(planted: TrainingResult) -> None:
    """So well from profiles alone that among real people it would be a leak, and nothing else is wrong."""
    possible = compute_within_viewer_auc(TOWN.viewer, TOWN.liked, TOWN.truth)
    assert report(planted)["ranker"]["within_viewer_auc"] > possible - 0.04 > 0.7
    assert report(planted)["random"]["within_viewer_auc"] == pytest.approx(0.5, abs=0.05)
    assert failures(planted) == ["does_not_leak"]


def test_history_tells_what_is_in_no_profile(met: TrainingResult) -> None:
    """Four more likes than half expected, by the viewer or of the candidate, and the looks that profiles omit."""
    assert failures(met) == []
    ours = report(met)["ranker"]
    assert ours["within_viewer_auc"] > ours["cold_like_auc"] + 0.05
    assert ours["cold_like_auc"] > 0.55
    ranker, none = met.rankers.full, unknown(1)
    two = build_profile_matrix(ranker.specification, profiles({}, {}), NO_ANSWERS)

    def log_odds(*history: DecisionCounts) -> Float64Array:
        pairs = Pairs(two, positions(0), positions(1), PairHistory(*history))
        return ranker.predict_log_odds(build_features(ranker.specification, pairs))

    for sign, some in ((1, tally([4], [4], [2.0])), (-1, tally([4], [0], [-2.0]))):
        for history in ((some, none, none, none), (none, none, none, some)):
            assert sign * (log_odds(*history) - log_odds(none, none, none, none)) > 0.2


def test_only_the_seed_changes_the_ranker(planted: TrainingResult, tmp_path: Path) -> None:
    """The order of rows does not; another seed gives another ranker that is as good."""
    pairs = TOWN.decisions().sample(frac=1, random_state=1).reset_index(drop=True)
    shuffled = TOWN.profiles.sample(frac=1, random_state=2).reset_index(drop=True)
    said: list[str] = []
    again, other = (train_ranker(shuffled, NO_ANSWERS, pairs, seed=seed, say=said.append) for seed in (0, 1))
    assert again.report == planted.report
    once = files(planted.rankers, tmp_path / "once")
    assert files(again.rankers, tmp_path / "again") == once
    assert files(other.rankers, tmp_path / "other") != once
    one, two = (report(each)["ranker"]["within_viewer_auc"] for each in (planted, other))
    assert one == pytest.approx(two, abs=0.03)
    folds = len(planted.rankers.by_fold)
    assert [step for step in said if "without fold" in step] == [
        f"trees without fold {number} of {folds}" for number in range(1, folds + 1)
    ] * 2


def test_no_decision_of_a_fold_tells_of_it() -> None:
    """With opposite decisions of a fold, the ranker without it says the same of it.

    Except for what all folds choose together, and for the history that the fold's own decisions are.
    """
    decisions = EVENINGS.decisions().sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    spec = fit_feature_spec(EVENINGS.profiles, NO_ANSWERS)
    arrays, fold = build_profile_matrix(spec, EVENINGS.profiles, NO_ANSWERS), decisions["fold"].to_numpy(np.int64)
    decided = read_decisions(decisions, EVENINGS.ids)
    search = SearchSpace(cold=[1e-2], corrections=[1e-3], max_trees=1)
    one, holdout = fit_on_decisions(spec, arrays, arrays, decided, fold, seed=0, search=search)
    predicted = predict_out_of_fold(one.rankers, holdout, arrays)
    np.testing.assert_allclose(predicted, expit(one.held_out), atol=1e-5)
    features = build_features(spec, holdout.build_pairs(arrays, np.zeros(len(decided))))
    asked = fold[holdout.samples]
    for each in (0, 4):
        opposite = replace(decided, liked=decided.liked ^ (fold == each))
        other, _ = fit_on_decisions(spec, arrays, arrays, opposite, fold, seed=0, search=search)
        before, after = (uncalibrated(found.rankers.get_out_of_fold(each), features) for found in (one, other))
        np.testing.assert_array_equal(after, before)
        same, changed = holdout.cold & (asked == each), holdout.cold & (asked != each)
        np.testing.assert_allclose(held_out(other, same, asked), held_out(one, same, asked), atol=1e-9)
        assert np.abs(held_out(other, changed, asked) - held_out(one, changed, asked)).mean() > 0.01


def uncalibrated(ranker: Ranker, features: Float32Array) -> Float64Array:
    assert ranker.booster is not None
    return np.asarray(ranker.linear.log_odds(features) + np.asarray(ranker.booster.predict(features, raw_score=True)))


def held_out(fitted: FittedRanker, rows: BoolArray, fold: Int64Array) -> Float64Array:
    """Held-out log-odds before calibration, of rows without history."""
    before = np.full(len(rows), np.nan)
    for each, ranker in fitted.rankers.by_fold.items():
        slope, shift = ranker.cold_calibration or (ranker.slope, ranker.shift)
        here = rows & (fold == each)
        before[here] = (fitted.held_out[here] - shift) / slope
    return before[rows]


def test_decisions_not_sampled_still_count_as_history() -> None:
    """A third is trained on."""
    decisions = EVENINGS.decisions()
    spec, fold = fit_feature_spec(EVENINGS.profiles, NO_ANSWERS), decisions["fold"].to_numpy(np.int64)
    arrays, decided = build_profile_matrix(spec, EVENINGS.profiles, NO_ANSWERS), read_decisions(decisions, EVENINGS.ids)
    found, holdout = fit_on_decisions(spec, arrays, arrays, decided, fold, seed=0, max_decisions=700)
    assert len(np.unique(holdout.samples)) < 1_000
    assert compute_within_viewer_auc(holdout.lists, holdout.liked, found.held_out) > 0.6


def test_the_champion_predicts_unseen_users_though_folds_moved(met: TrainingResult) -> None:
    """A user whose id sorts first liked one of each evening: by today's folds the champion has seen most."""
    names = [f"!{circle:02d}" for circle in range(CIRCLES)]
    joined = pd.concat([pd.DataFrame([somebody(name) for name in names]), EVENINGS.profiles], ignore_index=True)
    before = EVENINGS.decisions()
    rows = [*zip(before["viewer_id"], before["candidate_id"], np.where(before["liked"], "like", "pass"), strict=True)]
    rows += [(name, other, "like") for name, other in zip(names, EVENINGS.ids[::SIZE], strict=True)]
    acts = interactions(*((*row, 1 + day) for day, row in enumerate(rows)))
    decisions = build_training_pairs(acts, pd.Index(joined["profile_id"]))
    moved = decisions.merge(before, on=["viewer_id", "candidate_id"])
    assert (moved["fold_x"] != moved["fold_y"]).mean() > 0.5
    again = report(train_ranker(joined, NO_ANSWERS, decisions, seed=0, champion=met.rankers))
    for name, close in (("cold_like_auc", 0.015), ("log_loss", 0.005)):
        assert again["champion"][name] == pytest.approx(report(met)["ranker"][name], abs=close)
    assert again[CHAMPION_COMPARISON] == pytest.approx(again["ranker"], abs=1e-5)


def test_a_ranker_is_as_good_as_its_twin(planted: TrainingResult) -> None:
    """Where all have met, the history of a viewer holds decisions of other folds: both must see the same of it."""
    again = report(train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(), seed=0, champion=planted.rankers))
    assert again["champion"] == again[CHAMPION_COMPARISON]
    assert again["ranker"] == report(planted)["ranker"]


def test_a_champion_is_compared_only_on_what_it_has_not_seen(met: TrainingResult) -> None:
    """Evenings that became one were in several of its folds: the first two folds, then all."""
    decisions = EVENINGS.decisions()
    merged = decisions.assign(group=decisions["group"].where(decisions["fold"] > 1, 0))
    again = train_ranker(EVENINGS.profiles, NO_ANSWERS, merged, seed=0, champion=met.rankers)
    compared = report(again)[CHAMPION_COMPARISON]
    assert {name: compared[name] for name in report(again)["champion"]} == pytest.approx(
        report(again)["champion"], abs=1e-6
    )
    assert compared["log_loss"] != pytest.approx(report(again)["ranker"]["log_loss"], abs=1e-4)
    assert failures(again) == []
    all_seen = train_ranker(EVENINGS.profiles, NO_ANSWERS, decisions.assign(group=0), seed=0, champion=met.rankers)
    assert "champion" not in report(all_seen)
    assert failures(all_seen) == []


@pytest.mark.parametrize("town", [TOWN, EVENINGS], ids=["one circle", "circles"])
def test_from_shuffled_likes_nothing_is_learned(town: Planted) -> None:
    """By chance something is, once in 44."""
    liked = np.random.default_rng(4).permutation(town.liked)
    assert is_prior(train_ranker(town.profiles, NO_ANSWERS, town.decisions(liked), seed=0))


def test_what_turns_round_from_fold_to_fold_is_not_learned() -> None:
    """Half of the viewers like warm people, the others cold ones, each half held out from the other.

    A calibration that turned the scores round would look perfect.
    """
    warmth = WARMTH[TOWN.candidate]
    pairs = TOWN.decisions(np.where(TOWN.viewer % 2 == 0, warmth > 0, warmth < 0))
    pairs["fold"] = TOWN.ids.get_indexer(pd.Index(pairs["viewer_id"])) % 2
    assert is_prior(train_ranker(TOWN.profiles, NO_ANSWERS, pairs, seed=0))


@pytest.mark.parametrize(
    ("liked", "rows"),
    [
        (TOWN.liked, slice(0, 0)),
        (TOWN.liked, slice(0, 1)),
        (TOWN.liked, slice(0, 30)),
        (np.ones(len(TOWN.truth), bool), slice(None)),
        (np.zeros(len(TOWN.truth), bool), slice(None)),
    ],
    ids=["none", "one", "thirty", "only likes", "only passes"],
)
def test_too_little_to_learn_from_is_the_prior(liked: BoolArray, rows: slice) -> None:
    trained = train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(liked, rows), seed=0)
    assert is_prior(trained)
    ranker = trained.rankers.full
    rate = (liked[rows].sum() + 6) / (len(liked[rows]) + 20)
    assert expit(ranker.linear.log_odds(ranker.means[None])) == pytest.approx([rate])
    assert len(ranker.linear.weights) == len(list_feature_groups(ranker.specification))


def test_empty_profiles_still_tell_who_was_liked() -> None:
    """No traits, texts, interests or places, all of one age."""
    silent = pd.DataFrame([somebody(profile_id) for profile_id in TOWN.ids])
    popular = np.random.default_rng(5).random(len(TOWN.truth)) < expit(2.5 * WARMTH[TOWN.candidate])
    ours = report(train_ranker(silent, NO_ANSWERS, TOWN.decisions(popular), seed=0))["ranker"]
    assert ours["within_viewer_auc"] > 0.6
    assert ours["cold_like_auc"] == pytest.approx(0.5, abs=0.03)


def test_race_counts_only_where_it_is_switched_on() -> None:
    """All prefer people of their own."""
    race = np.array(["one", "other"])[np.arange(PEOPLE) % 2]
    town = pd.DataFrame([somebody(name, facts={"race": word}) for name, word in zip(TOWN.ids, race, strict=True)])
    same = race[TOWN.viewer] == race[TOWN.candidate]
    pairs = TOWN.decisions(np.random.default_rng(6).random(len(same)) < np.where(same, 0.7, 0.4))
    assert is_prior(train_ranker(town, NO_ANSWERS, pairs, seed=0))
    switched_on = train_ranker(town, NO_ANSWERS, pairs, seed=0, sensitive=True)
    assert report(switched_on)["ranker"]["cold_like_auc"] > 0.6


@pytest.mark.parametrize("kind", ["facts", "wants", "traits"])
def test_a_missing_answer_says_nothing(kind: str) -> None:
    """Those who did not answer are liked far more; the answers say nothing."""
    random, answered = np.random.default_rng(7), np.random.default_rng(8).random(PEOPLE) < 0.6
    rows = []
    for name, has in zip(TOWN.ids, answered, strict=True):
        value = str(random.choice(["no", "yes"])) if kind == "facts" else float(random.random())
        rows.append(somebody(name, **{kind: {"humour": value} if has else {}}))
    liked = np.random.default_rng(9).random(len(TOWN.truth)) < expit(np.where(answered[TOWN.candidate], -1.0, 1.0))
    found = report(train_ranker(pd.DataFrame(rows), NO_ANSWERS, TOWN.decisions(liked), seed=0))
    assert found["ranker"]["cold_like_auc"] == pytest.approx(0.5, abs=0.06)
    assert found["ridge"]["cold_like_auc"] == pytest.approx(0.5, abs=0.06)
