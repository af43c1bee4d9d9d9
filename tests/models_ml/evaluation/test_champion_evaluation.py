"""Rankers asked once more: by those that had not seen the fold, with what was known, and how the answers are judged."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.ml.evaluation.champion_evaluation import (
    ALL_HISTORY,
    METHODS,
    TRUTH_METHOD,
    predict_cold,
    predict_samples,
    summarise_by_history,
    summarise_by_method,
)
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.training.train import train_ranker
from tests.models_ml import planted

TOWN = planted.circles()
DECISIONS = TOWN.decisions()


@pytest.fixture(scope="module")
def rankers() -> CrossFittedRanker:
    return train_ranker(TOWN.profiles, NO_ANSWERS, DECISIONS, 0).rankers


@pytest.fixture(scope="module")
def questions(rankers: CrossFittedRanker) -> pd.DataFrame:
    true = dict(zip(zip(TOWN.ids[TOWN.viewer], TOWN.ids[TOWN.candidate], strict=True), expit(TOWN.truth), strict=True))
    pairs = zip(DECISIONS["viewer_id"], DECISIONS["candidate_id"], strict=True)
    truth = np.array([true[pair] for pair in pairs])
    return predict_samples(rankers, TOWN.profiles, NO_ANSWERS, DECISIONS, truth)


def test_every_question_is_about_its_decision(questions: pd.DataFrame) -> None:
    about = DECISIONS.iloc[questions["decision"]]
    assert questions["liked"].tolist() == about["liked"].tolist()
    assert TOWN.ids[questions["viewer"]].tolist() == about["viewer_id"].tolist()
    assert TOWN.ids[questions["candidate"]].tolist() == about["candidate_id"].tolist()
    assert set(questions["known"]) == {0, 1, 2, 4, 8, ALL_HISTORY}


def test_what_is_planted_is_found_and_more_with_more_known(questions: pd.DataFrame) -> None:
    """Looks are in no profile, and only likes tell of them."""
    whole, known = summarise_by_method(questions)["AUC within viewers"], summarise_by_history(questions)
    assert whole.index[0] == TRUTH_METHOD
    assert set(whole.index) == set(METHODS)
    assert whole["random"] == pytest.approx(0.5, abs=0.02)
    reached = [table["AUC within viewers"]["ranker"] for table in known.values()]
    assert list(known) == [0, 1, 2, 4, 8, ALL_HISTORY]
    assert reached[-1] > reached[0] + 0.05
    assert reached[0] > 0.55


def test_only_probabilities_are_judged_as_such(questions: pd.DataFrame) -> None:
    judged = summarise_by_method(questions)[["log loss (nats)", "calibration error"]].notna().all(axis=1)
    assert set(judged.index[judged]) == {"ranker", "linear start", "popularity", TRUTH_METHOD}


def test_judgement_by_hand() -> None:
    """Viewer 0 has one list in order and one the wrong way round, viewer 1 one in order."""
    rows = [
        (0, 5, 0, 1, 0.9),
        (0, 6, 0, 0, 0.1),
        (0, 5, 1, 1, 0.2),
        (0, 6, 1, 0, 0.8),
        (1, 5, 2, 1, 0.7),
        (1, 6, 2, 0, 0.6),
    ]
    asked = pd.DataFrame(rows, columns=["viewer", "candidate", "list", "liked", "ranker"])
    found = summarise_by_method(asked).loc["ranker"]
    assert found["AUC within viewers"] == pytest.approx(2 / 3)
    # Of three lists viewer 0 has 1 and not 4/3 right, viewer 1 has 1 and not 2/3; the candidates are in all alike.
    assert found["standard error"] == pytest.approx(np.sqrt(2 * 2 * (1 / 9) ** 2))
    right = [0.9, 0.9, 0.2, 0.2, 0.7, 0.4]
    assert found["log loss (nats)"] == pytest.approx(-np.log(right).mean())


def test_cold_answers_are_those_with_nothing_known(rankers: CrossFittedRanker, questions: pd.DataFrame) -> None:
    cold = predict_cold(rankers, TOWN.profiles, NO_ANSWERS, DECISIONS)
    asked = questions[questions["known"] == 0]
    assert asked["ranker"].tolist() == pytest.approx(cold[asked["decision"]].tolist())


def test_nobody_s_fold_has_a_say_in_the_answers_about_it(rankers: CrossFittedRanker) -> None:
    """The same rankers, but the one without fold 0 says nothing: only answers about fold 0 change."""
    weak = replace(rankers.by_fold[0], slope=0.0, cold_calibration=None)
    silent = CrossFittedRanker(rankers.full, {**rankers.by_fold, 0: weak})
    before, after = (predict_cold(each, TOWN.profiles, NO_ANSWERS, DECISIONS) for each in (rankers, silent))
    assert ((before != after) == (DECISIONS["fold"] == 0)).all()
