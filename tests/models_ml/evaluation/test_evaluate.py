"""The evaluation on a small planted town: what comes out, in which rows, and that it is told by no order of rows."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import spearmanr

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from models.ml.evaluation import method_registry, protocols
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.baseline_input import BaselineScores
from models.ml.evaluation.evaluate import (
    ALL_FOLDS,
    ALL_HISTORY,
    Evaluation,
    _Prediction,
    compute_figures,
    evaluate_methods,
)
from models.ml.evaluation.evaluation_data import EvaluationData, assign_components, build_evaluation_data
from models.ml.evaluation.metric_summary import summarise_scores
from models.ml.evaluation.result_tables import METRICS, tabulate_by_history, tabulate_by_method
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from tests.models_ml import planted
from tests.models_ml.conftest import events, somebody

EVENINGS = planted.circles()
TRUTH = dict(zip(EVENINGS.ids[EVENINGS.viewer] + EVENINGS.ids[EVENINGS.candidate], expit(EVENINGS.truth), strict=True))
ASKED = ("random", "popularity", "ridge_logistic")
WARM, SHARES, FOLDS = (0, None), (0.5,), 3
COLD_METHODS = {
    *("ranker", "ranker_linear_start", "ranker_knowing_all_else", "ranker_on_shuffled_profiles"),
    *("ranker_using_race_and_ethnicity", *ASKED),
}
WARM_METHODS = {"ranker", "ranker_linear_start", "popularity", "ridge_logistic"}
COLUMNS = ["protocol", "amount", "method", "fold", "target", *summarise_scores([], [], [], probability=True)]


def true_chance(decisions: pd.DataFrame) -> Float64Array:
    return np.array([TRUTH[pair] for pair in decisions["viewer_id"] + decisions["candidate_id"]])


def with_race(profiles: pd.DataFrame) -> pd.DataFrame:
    """Of which nothing comes."""
    facts = profiles["profile_id"].map(lambda name: {"race": "one" if int(name) % 2 else "other"})
    return profiles.assign(facts=facts)


def made(order: int | None = None) -> EvaluationData:
    """The evenings, their rows in an order of their own."""
    frames = [with_race(EVENINGS.profiles), EVENINGS.decisions()]
    if order is not None:
        frames = [frame.sample(frac=1, random_state=order).reset_index(drop=True) for frame in frames]
    return build_evaluation_data(frames[0], NO_ANSWERS, frames[1], 0, truth=true_chance)


def test_too_few_decisions_to_learn_from_are_told() -> None:
    """No ranker is trained on so few either: the prior stands."""
    few = build_evaluation_data(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions().head(30), 0)
    with pytest.raises(InputError, match=r"\d+ decisions, \d+ of them likes, are too few to learn from"):
        evaluate_methods(few)


@pytest.fixture(scope="module")
def short() -> Iterator[None]:
    """Fewer folds, amounts and baselines than in earnest: each is asked the same way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "FOLDS", FOLDS)
        patch.setattr(protocols, "WARM_HISTORY_SIZES", WARM)
        patch.setattr(protocols, "TRAINING_SHARES", SHARES)
        patch.setattr(method_registry, "BASELINES", {name: BASELINES[name] for name in ASKED})
        patch.setattr(method_registry, "WITH_HISTORY", ("popularity", "ridge_logistic"))
        yield


@pytest.fixture(scope="module")
def evaluation(short: None) -> Evaluation:
    return evaluate_methods(made())


def reached(evaluation: Evaluation, protocol: str, amount: int) -> dict[str, float]:
    """Within-viewer AUC of likes of each method, all folds together."""
    rows = evaluation.figures.query("fold == @ALL_HISTORY and target == 'like'").to_dict("records")
    asked = [row for row in rows if (row["protocol"], row["amount"]) == (protocol, amount)]
    return {str(row["method"]): float(row["within_viewer_auc"]) for row in asked}


def test_there_is_a_row_for_each_method_target_and_fold(evaluation: Evaluation) -> None:
    found = evaluation.figures
    assert list(found.columns) == [*COLUMNS, "truth_rank_correlation"]
    learned = len(EVENINGS.liked) * (FOLDS - 1) / FOLDS
    expected = {("cold", 0, method) for method in COLD_METHODS}
    expected |= {("warm", amount, method) for amount in (0, ALL_FOLDS) for method in WARM_METHODS}
    expected |= {
        ("growing", round(share * learned), method) for share in SHARES for method in ("ranker", "ridge_logistic")
    }
    counted = found.groupby(["protocol", "amount", "method"]).size()
    assert set(counted.index) == expected
    assert set(counted) == {2 * (FOLDS + 1)}
    assert set(found["target"]) == {"like", "match"}
    assert sorted(found["fold"].unique()) == [ALL_HISTORY, *range(FOLDS)]
    assert not found.duplicated(["protocol", "amount", "method", "fold", "target"]).any()


def test_what_is_planted_is_told_from_profiles_and_more_of_it_from_likes(evaluation: Evaluation) -> None:
    cold, warm = reached(evaluation, "cold", 0), reached(evaluation, "warm", ALL_FOLDS)
    assert cold["ranker"] > cold["random"] + 0.05
    assert cold["ranker_on_shuffled_profiles"] == pytest.approx(0.5, abs=0.05)
    assert cold["random"] == pytest.approx(0.5, abs=0.05)
    assert cold["popularity"] == 0.5
    assert warm["ranker"] > cold["ranker"] + 0.05
    assert cold["ranker_knowing_all_else"] >= warm["ranker"] - 0.02
    assert cold["ranker_using_race_and_ethnicity"] == pytest.approx(cold["ranker"], abs=0.03)


def test_with_nothing_known_warm_is_cold(evaluation: Evaluation) -> None:
    """Only that half as many are asked about."""
    warm = reached(evaluation, "warm", 0)
    assert warm["popularity"] == 0.5
    assert warm["ranker"] == pytest.approx(reached(evaluation, "cold", 0)["ranker"], abs=0.05)


def test_only_probabilities_have_a_log_loss(evaluation: Evaluation) -> None:
    known = evaluation.figures.groupby("method")["log_loss"].apply(lambda loss: loss.notna().all())
    assert {name for name, has in known.items() if not has} == {"random"}
    assert not np.isinf(evaluation.figures["log_loss"]).any()


def test_how_near_the_truth_likes_come_is_told_where_scores_differ(evaluation: Evaluation) -> None:
    found = evaluation.figures[evaluation.figures["fold"] == ALL_HISTORY]
    assert found.loc[found["target"] == "match", "truth_rank_correlation"].isna().all()
    of_ranker = found.query("method == 'ranker' and target == 'like'").set_index(["protocol", "amount"])
    near = of_ranker["truth_rank_correlation"].to_dict()
    assert near["cold", 0] > 0.1
    assert near["warm", ALL_FOLDS] > near["cold", 0] + 0.2
    same_of_all = evaluation.figures.query("method == 'popularity' and protocol == 'cold' and fold >= 0")
    assert same_of_all["truth_rank_correlation"].isna().all()


def test_the_order_of_rows_changes_nothing_and_the_progress_is_told(evaluation: Evaluation, short: None) -> None:
    said: list[str] = []
    again = evaluate_methods(made(order=5), said.append)
    assert said[0] == "fold 1 of 3: from profiles alone"
    assert said[3:5] == ["fold 1 of 3: decisions known: 0", "fold 1 of 3: decisions known: all"]
    pd.testing.assert_frame_equal(again.figures, evaluation.figures)
    assert again.explained == evaluation.explained


# Three decisions of 0 and 1 about each other and of 0 about 2.
NOTHING = planted.one_circle().decisions(rows=slice(0, 0))
SMALL = replace(
    build_evaluation_data(pd.DataFrame([somebody(name) for name in "abc"]), NO_ANSWERS, NOTHING, 0),
    decisions=events((0, 1, True, 0), (1, 0, True, 0), (0, 2, False, 0)),
    truth=np.array([0.9, 0.5, 0.1]),
)


def test_figures_by_hand() -> None:
    """Person 0 has a list of 1, who matches, and 2; matches are of pairs asked both ways, in all folds together."""
    one = _Prediction(
        0, np.array([0, 2]), BaselineScores(np.array([0.6, 0.7]), np.array([0.3, 0.4]), probabilities=True)
    )
    other = _Prediction(1, np.array([1]), BaselineScores(np.array([0.4]), np.array([0.3]), probabilities=True))
    rows = compute_figures(SMALL, {("cold", 0, "a method"): [one, other]}).to_dict("records")
    found = {(row["fold"], row["target"]): row for row in rows}
    assert found[0, "like"]["within_viewer_auc"] == 0
    assert found[0, "like"]["log_loss"] == pytest.approx(-np.log(0.6 * 0.3) / 2)
    assert found[0, "like"]["truth_rank_correlation"] == pytest.approx(-1)
    assert np.isnan(found[1, "like"]["truth_rank_correlation"])  # of a single one
    assert np.isnan(found[0, "match"]["log_loss"])
    together = found[ALL_HISTORY, "like"]
    assert together["log_loss"] == pytest.approx(-np.log(0.6 * 0.3 * 0.4) / 3)
    assert together["truth_rank_correlation"] == pytest.approx(spearmanr([0.6, 0.7, 0.4], [0.9, 0.1, 0.5]).statistic)
    assert found[ALL_HISTORY, "match"]["log_loss"] == pytest.approx(-np.log(0.3))


def test_figures_of_nothing_asked() -> None:
    nothing = _Prediction(0, np.empty(0, np.int64), BaselineScores(np.empty(0), np.empty(0), probabilities=True))
    found = compute_figures(SMALL, {("warm", 1, "a method"): [nothing]})
    assert found[COLUMNS[5:]].isna().to_numpy().all()


def test_tables_are_of_folds_best_first(evaluation: Evaluation) -> None:
    table = tabulate_by_method(evaluation.figures, "like")
    assert set(table.index) == COLD_METHODS
    first, *others = METRICS.values()
    assert list(table.columns) == [first, "± over folds", *others, "calibration error"]
    assert table["AUC within viewers"].is_monotonic_decreasing
    rows = evaluation.figures.query("protocol == 'cold' and method == 'ranker' and target == 'like' and fold >= 0")
    assert table.loc["ranker", "AUC within viewers"] == pytest.approx(rows["within_viewer_auc"].mean())
    assert table.loc["ranker", "± over folds"] == pytest.approx(rows["within_viewer_auc"].std())
    amounts = tabulate_by_history(evaluation.figures, "like")
    assert set(amounts.index) == WARM_METHODS
    assert amounts["all"].is_monotonic_decreasing
    assert list(amounts.columns) == ["0", "all"]


def test_a_table_of_a_town_where_no_viewer_can_be_asked_has_its_methods(evaluation: Evaluation) -> None:
    unasked = evaluation.figures.assign(within_viewer_auc=np.nan)
    assert set(tabulate_by_history(unasked, "match").index) == WARM_METHODS
    assert tabulate_by_history(unasked, "match").isna().to_numpy().all()


def test_circles_are_the_groups_or_else_the_town() -> None:
    evenings = made()
    assert assign_components(evenings.decisions.actor, evenings.group).tolist() == evenings.group.tolist()
    by_viewer = replace(evenings, group=evenings.decisions.actor)
    assert set(assign_components(by_viewer.decisions.actor, by_viewer.group).tolist()) == {0}


def test_a_town_knows_what_race_would_add_only_where_somebody_tells_it() -> None:
    asked = made()
    assert asked.with_sensitive is not None
    assert asked.specification.facts == ()
    assert [fact.name for fact in asked.with_sensitive.specification.facts] == ["race"]
    used = build_evaluation_data(with_race(EVENINGS.profiles), NO_ANSWERS, EVENINGS.decisions(), 0, sensitive=True)
    assert [fact.name for fact in used.specification.facts] == ["race"]
    assert used.with_sensitive is None
    assert build_evaluation_data(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(), 0).with_sensitive is None
