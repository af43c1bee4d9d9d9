"""Training on towns whose truth is known: it is found, noise is not, and the order of rows changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups, make_empty_history
from models.ml.features.training_pairs import build_training_pairs, read_decisions
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, save_rankers
from models.ml.training import fit, train
from models.ml.training.train import TrainingResult, fit_on_decisions, train_ranker
from models.ml.validation.gate import CHAMPION_COMPARISON, check_report
from models.ml.validation.holdout import predict_out_of_fold
from models.ml.validation.score_metrics import compute_within_viewer_auc
from tests.models_ml.conftest import interactions, somebody, tally, unknown
from tests.models_ml.planted import CIRCLES, PEOPLE, SIZE, Planted, circles, one_circle

TOWN, EVENINGS = one_circle(), circles()
# Of noise. With errors as if lists were independent something was learned in two of these, and in three.
NOISY = range(19, 25)


@pytest.fixture(scope="module")
def planted() -> TrainingResult:
    return train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(), seed=0)


@pytest.fixture(scope="module")
def met() -> TrainingResult:
    return train_ranker(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(), seed=0)


def files(rankers: CrossFittedRanker, folder: Path) -> dict[str, bytes]:
    save_rankers(rankers, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def is_prior(trained: TrainingResult) -> bool:
    return trained.report is None and trained.rankers.full.booster is None and not trained.rankers.by_fold


def failures(trained: TrainingResult) -> list[str]:
    assert trained.report is not None
    return [each.name for each in check_report(trained.report) if not each.passed]


def chances(ranker: Ranker, known: PairHistory, *rows: dict[str, object]) -> Float64Array:
    """Log-odds of the first person's likes of the others, of whom so much is known."""
    trio = build_profile_matrix(ranker.specification, pd.DataFrame(rows), NO_ANSWERS)
    others = np.arange(1, len(rows))
    return ranker.predict_log_odds(
        build_features(ranker.specification, Pairs(trio, np.zeros_like(others), others, known))
    )


def test_a_planted_truth_is_found(planted: TrainingResult) -> None:
    assert planted.report is not None
    possible = compute_within_viewer_auc(TOWN.viewer, TOWN.liked, TOWN.truth)
    assert planted.report["ranker"]["within_viewer_auc"] > possible - 0.04 > 0.7
    assert planted.report["random"]["within_viewer_auc"] == pytest.approx(0.5, abs=0.05)


def test_so_much_from_profiles_alone_raises_the_alarm_and_nothing_else(planted: TrainingResult) -> None:
    """Nobody's likes can be told so well from two questionnaires: in a town of real people it would be a leak."""
    assert failures(planted) == ["does_not_leak"]


def test_a_town_as_hard_to_tell_as_real_ones_passes_the_gate(met: TrainingResult) -> None:
    assert failures(met) == []


def test_what_was_found_is_what_was_planted(planted: TrainingResult) -> None:
    """Of two candidates, the warmer of the viewer's own age is liked more, by about as much as in truth."""
    rows = [somebody("a", age=35), somebody("b", age=35, traits={"warmth": 1.5}), somebody("c", age=55)]
    warm, old = chances(planted.rankers.full, make_empty_history(2), *rows)
    median = planted.rankers.full.specification.traits[0].median
    assert warm - old == pytest.approx(1.2 * (1.5 - median) + 0.12 * 20, rel=0.35)


def test_likes_that_are_known_shift_chances_the_right_way(met: TrainingResult) -> None:
    """Four more decisions than half expected: of the viewer's liking, of the candidate being liked."""
    rows = [somebody(name, age=40, traits={"warmth": 0.0}) for name in "ab"]
    ranker, none = met.rankers.full, unknown(1)
    (plain,) = chances(ranker, make_empty_history(1), *rows)
    likes, passes = tally([4], [4], [2.0]), tally([4], [0], [-2.0])
    for liked, passed in (
        (PairHistory(likes, none, none, none), PairHistory(passes, none, none, none)),
        (PairHistory(none, none, none, likes), PairHistory(none, none, none, passes)),
    ):
        (more,), (less,) = chances(ranker, liked, *rows), chances(ranker, passed, *rows)
        assert more > plain + 0.2
        assert less < plain - 0.2


def test_who_is_known_is_ranked_better_than_who_is_not(met: TrainingResult) -> None:
    """Looks are in nobody's profile: only from likes can they be told."""
    assert met.report is not None
    ours = met.report["ranker"]
    assert ours["within_viewer_auc"] > ours["cold_like_auc"] + 0.05
    assert ours["cold_like_auc"] > 0.55


def test_the_order_of_rows_changes_nothing(planted: TrainingResult, tmp_path: Path) -> None:
    pairs = TOWN.decisions().sample(frac=1, random_state=1).reset_index(drop=True)
    profiles = TOWN.profiles.sample(frac=1, random_state=2).reset_index(drop=True)
    again = train_ranker(profiles, NO_ANSWERS, pairs, seed=0)
    assert again.report == planted.report
    assert files(again.rankers, tmp_path / "again") == files(planted.rankers, tmp_path / "once")


def test_another_seed_gives_another_ranker_that_is_as_good(planted: TrainingResult, tmp_path: Path) -> None:
    other = train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(), seed=1)
    assert files(other.rankers, tmp_path / "other") != files(planted.rankers, tmp_path / "once")
    reached = [each.report["ranker"]["within_viewer_auc"] for each in (planted, other) if each.report]
    assert reached[0] == pytest.approx(reached[1], abs=0.03)


def test_no_decision_of_a_fold_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were all decisions of a fold the opposite, the ranker without it would say the same of it as before.

    But for what the folds choose together: ridge strength, number of trees and calibration. And where something is
    known of the people asked about, it is what they decided, with which their own chances change.
    """
    monkeypatch.setattr("models.ml.ranker.cold_start.RIDGE_STRENGTHS", (1e-2,))
    monkeypatch.setattr(fit, "CORRECTION_STRENGTHS", (1e-3,))
    monkeypatch.setattr(fit, "_choose_rounds", lambda *_: 1)
    decisions = EVENINGS.decisions().sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    spec = fit_feature_spec(EVENINGS.profiles, NO_ANSWERS)
    arrays, fold = build_profile_matrix(spec, EVENINGS.profiles, NO_ANSWERS), decisions["fold"].to_numpy(np.int64)
    decided = read_decisions(decisions, EVENINGS.ids)
    one, holdout = fit_on_decisions(spec, arrays, arrays, decided, fold, seed=0)
    features = build_features(spec, holdout.build_pairs(arrays, np.zeros(len(decided))))
    asked = fold[holdout.samples]
    for each in range(5):
        opposite = replace(decided, liked=decided.liked ^ (fold == each))
        other, _ = fit_on_decisions(spec, arrays, arrays, opposite, fold, seed=0)
        before, after = (raw(found.rankers.get_out_of_fold(each), features) for found in (one, other))
        np.testing.assert_array_equal(after, before)
        same, changed = holdout.cold & (asked == each), holdout.cold & (asked != each)
        np.testing.assert_allclose(of_cold(other, same, asked), of_cold(one, same, asked), atol=1e-9)
        assert np.abs(of_cold(other, changed, asked) - of_cold(one, changed, asked)).mean() > 0.01


def raw(ranker: Ranker, features: np.ndarray) -> Float64Array:
    """Log-odds before calibration."""
    assert ranker.booster is not None
    return np.asarray(ranker.linear.log_odds(features) + np.asarray(ranker.booster.predict(features, raw_score=True)))


def of_cold(fitted: fit.FittedRanker, rows: BoolArray, fold: Int64Array) -> Float64Array:
    """Held-out log-odds before calibration, of rows of whom nothing is known."""
    before = np.full(len(rows), np.nan)
    for each, ranker in fitted.rankers.by_fold.items():
        slope, shift = ranker.cold_calibration or (ranker.slope, ranker.shift)
        here = rows & (fold == each)
        before[here] = (fitted.held_out[here] - shift) / slope
    return before[rows]


def test_the_champion_sits_the_same_exam(met: TrainingResult) -> None:
    """One of the same make, trained on the same evenings, gives the same answers and reaches the same."""
    assert met.report is not None
    again = train_ranker(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(), seed=0, champion=met.rankers)
    assert again.report is not None
    for name, value in again.report["champion"].items():
        assert value == pytest.approx(met.report["ranker"][name], abs=1e-6)
    assert failures(again) == []


def with_newcomers(circles: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The profiles and decisions of the evenings after somebody whose id sorts first liked one person of each."""
    names = [f"!{circle:02d}" for circle in range(circles)]
    profiles = pd.concat([pd.DataFrame([somebody(name) for name in names]), EVENINGS.profiles], ignore_index=True)
    first = EVENINGS.ids[np.arange(circles) * SIZE]
    before = EVENINGS.decisions()
    acts = [*zip(before["viewer_id"], before["candidate_id"], before["liked"], strict=True)]
    acts += [(name, other, True) for name, other in zip(names, first, strict=True)]
    rows = [(one, other, "like" if liked else "pass", 1 + day) for day, (one, other, liked) in enumerate(acts)]
    return profiles, build_training_pairs(interactions(*rows), pd.Index(profiles["profile_id"]))


def test_the_champion_is_asked_about_whom_it_had_not_seen_though_folds_moved(met: TrainingResult) -> None:
    """By today's folds it would be asked about evenings that it learned from, and reach more than it can."""
    profiles, decisions = with_newcomers(CIRCLES)
    moved = decisions.merge(EVENINGS.decisions(), on=["viewer_id", "candidate_id"])
    assert (moved["fold_x"] != moved["fold_y"]).mean() > 0.5
    again = train_ranker(profiles, NO_ANSWERS, decisions, seed=0, champion=met.rankers)
    blind = train_ranker(profiles, NO_ANSWERS, decisions, seed=0, champion=replace(met.rankers, held_out_viewers={}))
    assert met.report is not None
    assert again.report is not None
    assert blind.report is not None
    reached = met.report["ranker"]
    for name, close in (("cold_like_auc", 0.015), ("log_loss", 0.005)):
        assert again.report["champion"][name] == pytest.approx(reached[name], abs=close)
    assert blind.report["champion"]["cold_like_auc"] > reached["cold_like_auc"] + 0.02
    assert again.report[CHAMPION_COMPARISON] == again.report["ranker"]


def test_a_champion_that_has_seen_everybody_is_not_compared(met: TrainingResult) -> None:
    """All evenings have become one, and all that it held out together are in several folds."""
    decisions = EVENINGS.decisions().assign(group=0)
    again = train_ranker(EVENINGS.profiles, NO_ANSWERS, decisions, seed=0, champion=met.rankers)
    assert again.report is not None
    assert "champion" not in again.report
    assert failures(again) == []


def test_a_champion_that_has_seen_some_is_compared_on_the_others(met: TrainingResult) -> None:
    decisions = EVENINGS.decisions()
    decisions["group"] = decisions["group"].where(decisions["fold"] > 1, 0)
    again = train_ranker(EVENINGS.profiles, NO_ANSWERS, decisions, seed=0, champion=met.rankers)
    assert again.report is not None
    for name, value in again.report["champion"].items():
        assert value == pytest.approx(again.report[CHAMPION_COMPARISON][name], abs=1e-6)
    assert again.report[CHAMPION_COMPARISON]["log_loss"] != pytest.approx(again.report["ranker"]["log_loss"], abs=1e-4)


def test_the_answers_of_the_exam_are_the_held_out_ones() -> None:
    decisions = EVENINGS.decisions().sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    spec = fit_feature_spec(EVENINGS.profiles, NO_ANSWERS)
    arrays = build_profile_matrix(spec, EVENINGS.profiles, NO_ANSWERS)
    decided = read_decisions(decisions, EVENINGS.ids)
    fitted, holdout = fit_on_decisions(spec, arrays, arrays, decided, decisions["fold"].to_numpy(np.int64), seed=0)
    np.testing.assert_allclose(predict_out_of_fold(fitted.rankers, holdout, arrays), expit(fitted.held_out), atol=1e-5)


def test_a_challenger_that_knows_less_is_refused(met: TrainingResult) -> None:
    """Two thirds of the decisions that the champion learned from are lost."""
    few = EVENINGS.decisions().sample(frac=0.3, random_state=2)
    challenger = train_ranker(EVENINGS.profiles, NO_ANSWERS, few, seed=0, champion=met.rankers)
    assert failures(challenger) == ["is_no_worse_than_the_champion"]
    assert failures(train_ranker(EVENINGS.profiles, NO_ANSWERS, few, seed=0)) == []


@pytest.mark.parametrize("town", [TOWN, EVENINGS], ids=["one circle", "circles"])
def test_from_noise_hardly_ever_anything_is_learned(town: Planted) -> None:
    """Two standard errors are passed by chance once in 44; of six towns by more than one once in 130."""
    learned = 0
    for seed in NOISY:
        liked = np.random.default_rng(seed).random(len(town.truth)) < 0.4
        learned += not is_prior(train_ranker(town.profiles, NO_ANSWERS, town.decisions(liked), seed))
    assert learned <= 1


def test_of_shuffled_likes_nothing_is_learned() -> None:
    """As many likes as before, and each of somebody's: but whose is by lot."""
    assert is_prior(train_ranker(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(shuffled(EVENINGS)), seed=0))


def shuffled(town: Planted) -> BoolArray:
    return np.asarray(np.random.default_rng(4).permutation(town.liked))


def test_what_turns_round_from_fold_to_fold_is_not_learned() -> None:
    """Half of the viewers like warm people, the others cold ones, and each half is held out from the other.

    A calibration that turned the scores round would look perfect.
    """
    warmth = TOWN.profiles["traits"].map(lambda traits: traits["warmth"]).to_numpy()[TOWN.candidate]
    pairs = TOWN.decisions(np.where(TOWN.viewer % 2 == 0, warmth > 0, warmth < 0))
    pairs["fold"] = TOWN.ids.get_indexer(pd.Index(pairs["viewer_id"])) % 2
    assert is_prior(train_ranker(TOWN.profiles, NO_ANSWERS, pairs, seed=0))


@pytest.mark.parametrize("folds", [2, 3])
def test_a_town_of_few_circles_is_learned_from(folds: int) -> None:
    pairs = EVENINGS.decisions()
    pairs["fold"] = pairs["fold"] % folds
    trained = train_ranker(EVENINGS.profiles, NO_ANSWERS, pairs, seed=0)
    assert trained.report is not None
    assert set(trained.rankers.by_fold) == set(range(folds))
    assert trained.report["ranker"]["within_viewer_auc"] > 0.6


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
    ranker, count = trained.rankers.full, len(liked[rows])
    rate = (liked[rows].sum() + 6) / (count + 20)
    assert expit(ranker.linear.log_odds(ranker.means[None])) == pytest.approx([rate])
    assert len(ranker.linear.weights) == len(list_feature_groups(ranker.specification))


def test_a_town_that_says_nothing_of_itself_still_learns_whom_it_likes() -> None:
    """No traits, texts, interests or places, all of one age: what is left is who was liked before."""
    silent = pd.DataFrame([somebody(profile_id) for profile_id in TOWN.ids])
    warmth = TOWN.profiles["traits"].map(lambda traits: traits["warmth"]).to_numpy()
    popular = np.random.default_rng(5).random(len(TOWN.truth)) < expit(2.5 * warmth[TOWN.candidate])
    trained = train_ranker(silent, NO_ANSWERS, TOWN.decisions(popular), seed=0)
    assert trained.report is not None
    assert trained.report["ranker"]["within_viewer_auc"] > 0.6
    assert trained.report["ranker"]["cold_like_auc"] == pytest.approx(0.5, abs=0.03)


def test_what_concerns_race_is_found_only_where_it_is_switched_on() -> None:
    """Everybody prefers people of their own."""
    race = np.array(["one", "other"])[np.arange(PEOPLE) % 2]
    town = pd.DataFrame([somebody(name, facts={"race": word}) for name, word in zip(TOWN.ids, race, strict=True)])
    same = race[TOWN.viewer] == race[TOWN.candidate]
    pairs = TOWN.decisions(np.random.default_rng(6).random(len(same)) < np.where(same, 0.7, 0.4))
    assert is_prior(train_ranker(town, NO_ANSWERS, pairs, seed=0))
    switched_on = train_ranker(town, NO_ANSWERS, pairs, seed=0, sensitive=True)
    assert switched_on.report is not None
    assert switched_on.report["ranker"]["cold_like_auc"] > 0.6


def test_more_decisions_than_are_learned_from_still_count_as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third is learned from; the others' likes are known all the same."""
    monkeypatch.setattr(train, "MAX_DECISIONS", 700)
    trained = train_ranker(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(), seed=0)
    assert trained.report is not None
    assert trained.report["ranker"]["within_viewer_auc"] > 0.6


def silent_where(asked: BoolArray, kind: str) -> pd.DataFrame:
    """A town in which only some answered a question, whose answer says nothing."""
    random = np.random.default_rng(7)
    rows = []
    for name, answered in zip(TOWN.ids, asked, strict=True):
        value = str(random.choice(["no", "yes"])) if kind == "facts" else float(random.random())
        rows.append(somebody(name, **{kind: {"humour": value} if answered else {}}))
    return pd.DataFrame(rows)


@pytest.mark.parametrize("kind", ["facts", "wants", "traits"])
def test_that_somebody_did_not_answer_says_nothing(kind: str) -> None:
    """Those who did not are liked far more."""
    asked = np.random.default_rng(8).random(PEOPLE) < 0.6
    liked = np.random.default_rng(9).random(len(TOWN.truth)) < expit(np.where(asked[TOWN.candidate], -1.0, 1.0))
    trained = train_ranker(silent_where(asked, kind), NO_ANSWERS, TOWN.decisions(liked), seed=0)
    assert trained.report is not None
    assert trained.report["ranker"]["cold_like_auc"] == pytest.approx(0.5, abs=0.06)
    assert trained.report["ridge"]["cold_like_auc"] == pytest.approx(0.5, abs=0.06)
