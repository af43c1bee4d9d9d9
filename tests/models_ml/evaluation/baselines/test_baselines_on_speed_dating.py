"""Baselines on the public speed-dating evenings, held out whole: near what is known to be reached there."""

import pandas as pd
import pytest

from models.ml.evaluation import evaluate, method_registry
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.evaluation_data import EvaluationData, build_evaluation_data
from models.ml.evaluation.protocols import split_cold_start
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from pipelines.loaders.records import compute_age
from pipelines.loaders.speed_dating import speed_dating
from tests.models_ml.conftest import somebody
from tests.pipelines.loaders.conftest import public_file


@pytest.fixture(scope="module")
def evenings() -> EvaluationData:
    """With the ages of their evening, and without embedded texts, which take long and add 0.001."""
    source = speed_dating.read_speed_dating(public_file("speed_dating.csv"))
    evening = {each.actor_key: each.created_at.date() for each in source.interactions}
    some_day = min(evening.values())  # of guests who decided nothing
    guests = [
        somebody(
            each.source_key,
            age=compute_age(each.birth_date, evening.get(each.source_key, some_day)),
            seeks=list(each.seeks),
            interests=list(each.interests),
            **{name: getattr(each, name) for name in ("gender", "texts", "traits", "facts", "wants")},
        )
        for each in source.people
    ]
    rows = [
        (f"{number:06d}", each.actor_key, each.target_key, each.kind, each.created_at)
        for number, each in enumerate(source.interactions)
    ]
    columns = ["interaction_id", "actor_id", "target_id", "kind", "created_at"]
    profiles = pd.DataFrame(guests)
    decided = build_training_pairs(pd.DataFrame(rows, columns=columns), pd.Index(profiles["profile_id"]))
    return build_evaluation_data(profiles, NO_ANSWERS, decided, seed=0)


def reached(data: EvaluationData, name: str) -> tuple[float, float, float]:
    """Within-viewer AUC of likes and of matches, and log loss of likes; means over five folds."""
    predictions = []
    for split in split_cold_start(data.group):
        scores = BASELINES[name](method_registry._build_baseline_input(data, split))
        predictions.append(evaluate._Prediction(split.fold, split.test_index, scores))
    figures = evaluate.compute_figures(data, {("cold", 0, name): predictions}).query("fold >= 0")
    means = figures.groupby("target")[["within_viewer_auc", "log_loss"]].mean()
    auc, loss = means["within_viewer_auc"], means["log_loss"]
    return auc["like"], auc["match"], loss["like"]


def test_ridge_is_as_good_as_is_known_and_no_better(evenings: EvaluationData) -> None:
    """Better from questionnaires alone would be a leak."""
    like, match, loss = reached(evenings, "ridge_logistic")
    assert 0.59 < like < 0.70
    assert 0.55 < match < 0.68
    assert loss < 0.668


def test_recon_knows_a_little(evenings: EvaluationData) -> None:
    """From passes in place of likes it would reach 0.547 and 0.533."""
    assert reached(evenings, "recon_segment")[:2] == pytest.approx((0.567, 0.553), abs=0.009)


@pytest.mark.parametrize("name", ["popularity", "mf_with_biases"])
def test_likes_tell_nothing_of_strangers(evenings: EvaluationData, name: str) -> None:
    assert reached(evenings, name)[:2] == (0.5, 0.5)
