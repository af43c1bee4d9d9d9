"""The evaluation on a small planted population: what comes out, in which rows, whatever the order of the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import spearmanr

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from models.ml.evaluation import evaluate as module
from models.ml.evaluation import method_registry, protocols
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.baseline_input import BaselineScores
from models.ml.evaluation.evaluate import ALL_FOLDS, Evaluation, evaluate_methods
from models.ml.evaluation.evaluation_data import EvaluationData, build_evaluation_data
from models.ml.evaluation.metric_summary import summarise_scores
from models.ml.evaluation.permutation_baseline import shuffle_profiles
from models.ml.evaluation.result_tables import METRICS, tabulate_by_history, tabulate_by_method
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.validation.sample_frame import ALL_KNOWN
from tests.models_ml import planted
from tests.models_ml.conftest import crowd, events, somebody

EVENINGS = planted.circles()
TRUTH = dict(zip(EVENINGS.ids[EVENINGS.viewer] + EVENINGS.ids[EVENINGS.candidate], expit(EVENINGS.truth), strict=True))
ASKED = ("random", "popularity", "ridge_logistic")
FOLDS, SHARE = 3, 0.5
COLD_METHODS = {
    *("ranker", "ranker_linear_start", "ranker_knowing_all_else", "ranker_on_shuffled_profiles"),
    *("ranker_using_race_and_ethnicity", *ASKED),
}
WARM_METHODS = {"ranker", "ranker_linear_start", "popularity", "ridge_logistic"}
COLUMNS = ["protocol", "amount", "method", "fold", "target", *summarise_scores([], [], [], probability=True)]


def true_probability(decisions: pd.DataFrame) -> Float64Array:
    return np.array([TRUTH[pair] for pair in decisions["viewer_id"] + decisions["candidate_id"]])


def with_race(profiles: pd.DataFrame) -> pd.DataFrame:
    """Which says nothing."""
    facts = profiles["profile_id"].map(lambda name: {"race": "one" if int(name) % 2 else "other"})
    return profiles.assign(facts=facts)


def made(order: int | None = None) -> EvaluationData:
    """The evenings, their rows in an order of their own."""
    frames = [with_race(EVENINGS.profiles), EVENINGS.decisions()]
    if order is not None:
        frames = [frame.sample(frac=1, random_state=order).reset_index(drop=True) for frame in frames]
    return build_evaluation_data(frames[0], NO_ANSWERS, frames[1], 0, truth=true_probability)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """With fewer folds, history sizes and baselines than in earnest."""
    progress: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "FOLDS", FOLDS)
        patch.setattr(protocols, "WARM_HISTORY_SIZES", (0, None))
        patch.setattr(protocols, "TRAINING_SHARES", (SHARE,))
        patch.setattr(method_registry, "BASELINES", {name: BASELINES[name] for name in ASKED})
        patch.setattr(method_registry, "WITH_HISTORY", ("popularity", "ridge_logistic"))
        found = evaluate_methods(made(), progress.append)
    assert len(progress) == FOLDS * (1 + 2 + 1)
    return found


def reached(evaluation: Evaluation, protocol: str, amount: int, metric: str = "within_viewer_auc") -> dict[str, float]:
    """A metric of likes of each method, all folds together."""
    rows = evaluation.figures.query(
        "fold == @ALL_FOLDS and target == 'like' and protocol == @protocol and amount == @amount"
    )
    return {str(row["method"]): float(row[metric]) for row in rows.to_dict("records")}


def test_a_row_for_each_method_target_and_fold(evaluation: Evaluation) -> None:
    found = evaluation.figures
    assert list(found.columns) == [*COLUMNS, "truth_rank_correlation"]
    learned = round(SHARE * len(EVENINGS.liked) * (FOLDS - 1) / FOLDS)
    expected = {("cold", 0, method) for method in COLD_METHODS}
    expected |= {("warm", amount, method) for amount in (0, ALL_KNOWN) for method in WARM_METHODS}
    expected |= {("growing", learned, method) for method in ("ranker", "ridge_logistic")}
    counted = found.groupby(["protocol", "amount", "method"]).size()
    assert set(counted.index) == expected
    assert set(counted) == {2 * (FOLDS + 1)}
    assert not found.duplicated(["protocol", "amount", "method", "fold", "target"]).any()
    probable = found.groupby("method")["log_loss"].apply(lambda loss: loss.notna().all())
    assert {name for name, has in probable.items() if not has} == {"random"}


def test_profiles_tell_what_is_planted_and_history_more(evaluation: Evaluation) -> None:
    cold, warm = reached(evaluation, "cold", 0), reached(evaluation, "warm", ALL_KNOWN)
    assert cold["ranker"] > cold["random"] + 0.05
    assert cold["ranker_on_shuffled_profiles"] == pytest.approx(0.5, abs=0.05)
    assert cold["random"] == pytest.approx(0.5, abs=0.05)
    assert warm["ranker"] > cold["ranker"] + 0.05
    assert cold["ranker_knowing_all_else"] >= warm["ranker"] - 0.02
    assert cold["ranker_using_race_and_ethnicity"] == pytest.approx(cold["ranker"], abs=0.03)
    without = reached(evaluation, "warm", 0)
    assert without["popularity"] == cold["popularity"] == 0.5
    assert without["ranker"] == pytest.approx(cold["ranker"], abs=0.05)
    near = reached(evaluation, "cold", 0, "truth_rank_correlation")
    assert near["ranker"] > 0.1
    assert reached(evaluation, "warm", ALL_KNOWN, "truth_rank_correlation")["ranker"] > near["ranker"] + 0.2


def test_tables_are_of_folds_best_first(evaluation: Evaluation) -> None:
    table = tabulate_by_method(evaluation.figures, "like")
    assert set(table.index) == COLD_METHODS
    first, *others = METRICS.values()
    assert list(table.columns) == [first, "± over folds", *others, "calibration error"]
    assert table[first].is_monotonic_decreasing
    rows = evaluation.figures.query("protocol == 'cold' and method == 'ranker' and target == 'like' and fold >= 0")
    assert table.loc["ranker", first] == pytest.approx(rows["within_viewer_auc"].mean())
    assert table.loc["ranker", "± over folds"] == pytest.approx(rows["within_viewer_auc"].std())
    amounts = tabulate_by_history(evaluation.figures, "like")
    assert set(amounts.index) == WARM_METHODS
    assert amounts["all"].is_monotonic_decreasing
    unknown = tabulate_by_history(evaluation.figures.assign(within_viewer_auc=np.nan), "match")
    assert set(unknown.index) == WARM_METHODS
    assert unknown.isna().to_numpy().all()


def test_figures_by_hand() -> None:
    """0 and 1 like each other, 0 passed on 2; matches are of pairs in the test both ways, in all folds together."""
    nothing = planted.one_circle().decisions(rows=slice(0, 0))
    data = replace(
        build_evaluation_data(pd.DataFrame([somebody(name) for name in "abc"]), NO_ANSWERS, nothing, 0),
        decisions=events((0, 1, True, 0), (1, 0, True, 0), (0, 2, False, 0)),
        truth=np.array([0.9, 0.5, 0.1]),
    )

    def predicted(fold: int, rows: list[int], like: list[float], match: list[float]) -> module._Prediction:
        scores = BaselineScores(np.array(like), np.array(match), probabilities=True)
        return module._Prediction(fold, np.array(rows, np.int64), scores)

    folds = [predicted(0, [0, 2], [0.6, 0.7], [0.3, 0.4]), predicted(1, [1], [0.4], [0.3])]
    rows = module.compute_figures(data, {("cold", 0, "a method"): folds}).to_dict("records")
    found = {(row["fold"], row["target"]): row for row in rows}
    assert found[0, "like"]["within_viewer_auc"] == 0
    assert found[0, "like"]["log_loss"] == pytest.approx(-np.log(0.6 * 0.3) / 2)
    assert found[0, "like"]["truth_rank_correlation"] == pytest.approx(-1)
    assert np.isnan(found[1, "like"]["truth_rank_correlation"])  # of a single one
    assert np.isnan(found[0, "match"]["log_loss"])
    together = found[ALL_FOLDS, "like"]
    assert together["log_loss"] == pytest.approx(-np.log(0.6 * 0.3 * 0.4) / 3)
    assert together["truth_rank_correlation"] == pytest.approx(spearmanr([0.6, 0.7, 0.4], [0.9, 0.1, 0.5]).statistic)
    assert found[ALL_FOLDS, "match"]["log_loss"] == pytest.approx(-np.log(0.3))
    empty = module.compute_figures(data, {("warm", 1, "a method"): [predicted(0, [], [], [])]})
    assert empty[COLUMNS[5:]].isna().to_numpy().all()


def test_too_few_decisions_are_refused() -> None:
    few = build_evaluation_data(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions().head(30), 0)
    with pytest.raises(InputError, match=r"\d+ decisions, \d+ of them likes"):
        evaluate_methods(few)


def test_the_order_of_rows_does_not_change_the_data() -> None:
    one, other = made(), made(order=5)
    for name in ("profiles", "imputed_profiles", "decisions"):
        for field, values in vars(getattr(one, name)).items():
            np.testing.assert_array_equal(getattr(getattr(other, name), field), values)
    for name in ("gender", "group", "truth"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name))
    assert other.specification == one.specification


def test_race_is_compared_only_where_it_is_told_and_not_used() -> None:
    asked = made()
    assert asked.with_sensitive is not None
    assert asked.specification.facts == ()
    assert [fact.name for fact in asked.with_sensitive.specification.facts] == ["race"]
    used = build_evaluation_data(with_race(EVENINGS.profiles), NO_ANSWERS, EVENINGS.decisions(), 0, sensitive=True)
    assert [fact.name for fact in used.specification.facts] == ["race"]
    assert used.with_sensitive is None
    assert build_evaluation_data(EVENINGS.profiles, NO_ANSWERS, EVENINGS.decisions(), 0).with_sensitive is None


def test_whole_profiles_move_within_a_gender_by_the_seed() -> None:
    gender, number = np.arange(120) % 2, np.arange(120)
    people = crowd(120, age=number, place=np.column_stack([number] * 2))
    moved, again, other = (shuffle_profiles(people, gender, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(moved.ids, people.ids)
    np.testing.assert_array_equal(np.sort(moved.age), people.age)
    np.testing.assert_array_equal(moved.place[:, 0], moved.age)
    np.testing.assert_array_equal(moved.age.astype(int) % 2, gender)
    assert (moved.age == people.age).mean() < 0.1
    np.testing.assert_array_equal(moved.age, again.age)
    assert (moved.age != other.age).mean() > 0.9
