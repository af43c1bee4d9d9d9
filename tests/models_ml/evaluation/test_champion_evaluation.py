"""Registered rankers on held-out samples: each predicted without its fold, and how predictions are judged."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.ml.evaluation import champion_evaluation as module
from models.ml.evaluation.champion_evaluation import TRUTH_METHOD, predict_cold, summarise_by_method
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.validation.sample_frame import ALL_KNOWN
from tests.models_ml import planted

TOWN = planted.circles()
DECISIONS = TOWN.decisions()
AUC = "AUC within viewers"


@pytest.fixture(scope="module")
def rankers() -> CrossFittedRanker:
    return planted.trained_circles().rankers


@pytest.fixture(scope="module")
def samples(rankers: CrossFittedRanker) -> pd.DataFrame:
    true = dict(zip(zip(TOWN.ids[TOWN.viewer], TOWN.ids[TOWN.candidate], strict=True), expit(TOWN.truth), strict=True))
    pairs = zip(DECISIONS["viewer_id"], DECISIONS["candidate_id"], strict=True)
    truth = np.array([true[pair] for pair in pairs])
    return module.predict_samples(rankers, TOWN.profiles, NO_ANSWERS, DECISIONS, truth)


def test_samples_are_of_their_decisions(rankers: CrossFittedRanker, samples: pd.DataFrame) -> None:
    about = DECISIONS.iloc[samples["decision"]]
    assert samples["liked"].tolist() == about["liked"].tolist()
    assert TOWN.ids[samples["viewer"]].tolist() == about["viewer_id"].tolist()
    assert TOWN.ids[samples["candidate"]].tolist() == about["candidate_id"].tolist()
    cold, asked = predict_cold(rankers, TOWN.profiles, NO_ANSWERS, DECISIONS), samples[samples["known"] == 0]
    assert asked["ranker"].tolist() == pytest.approx(cold[asked["decision"]].tolist())


def test_what_is_planted_is_found_and_more_with_history(samples: pd.DataFrame) -> None:
    """Only likes tell of looks. And only probabilities are judged as such."""
    table = summarise_by_method(samples)
    assert table.index[0] == TRUTH_METHOD
    assert set(table.index) == set(module.METHODS)
    assert table.loc["random", AUC] == pytest.approx(0.5, abs=0.02)
    judged = table[["log loss (nats)", "calibration error"]].notna().all(axis=1)
    assert set(judged.index[judged]) == {"ranker", "linear start", "popularity", TRUTH_METHOD}
    by_history = module.summarise_by_history(samples)
    assert list(by_history) == [0, 1, 2, 4, 8, ALL_KNOWN]
    cold, *_, warm = [each[AUC]["ranker"] for each in by_history.values()]
    assert warm - 0.05 > cold > 0.55


def test_summary_by_hand() -> None:
    """Viewer 0 has one list in order and one the wrong way round, viewer 1 one in order."""
    lists, p_like = [0, 0, 1, 1, 2, 2], [0.9, 0.1, 0.2, 0.8, 0.7, 0.6]
    frame = {"viewer": [0] * 4 + [1] * 2, "candidate": [5, 6] * 3, "list": lists, "liked": [1, 0] * 3, "ranker": p_like}
    found = summarise_by_method(pd.DataFrame(frame)).loc["ranker"]
    assert found[AUC] == pytest.approx(2 / 3)
    # Of three lists viewer 0 has 1 and not 4/3 right, viewer 1 has 1 and not 2/3; the candidates are in all alike.
    assert found["standard error"] == pytest.approx(np.sqrt(2 * 2 * (1 / 9) ** 2))
    assert found["log loss (nats)"] == pytest.approx(-np.log([0.9, 0.9, 0.2, 0.2, 0.7, 0.4]).mean())


def test_a_ranker_predicts_only_the_fold_it_did_not_see(rankers: CrossFittedRanker) -> None:
    """If the one without fold 0 says nothing, only predictions of fold 0 change."""
    weak = replace(rankers.by_fold[0], slope=0.0, cold_calibration=None)
    silent = CrossFittedRanker(rankers.full, {**rankers.by_fold, 0: weak})
    before, after = (predict_cold(each, TOWN.profiles, NO_ANSWERS, DECISIONS) for each in (rankers, silent))
    assert ((before != after) == (DECISIONS["fold"] == 0)).all()
