"""Registered rankers asked about decisions once more: quick, as nothing is fitted.

Every question is answered by the ranker that was fitted without its fold, as in the gate's exam (models.ml.exam), so
the answers are about people and decisions that it had not seen. Folds are those of the rankers' own training, which may
be older than the decisions.
"""

from dataclasses import replace
from math import nan

import numpy as np
import pandas as pd

from models.ml import baselines
from models.ml.clustered import within_viewer_auc_error
from models.ml.draws import Draw, draws, sample
from models.ml.embeddings import Answers
from models.ml.exam import Exam, sit
from models.ml.held_out import NOT_HELD_OUT, folds_then
from models.ml.history import Doubles
from models.ml.metrics import calibration_error, log_loss, within_viewer_auc
from models.ml.pairs import events_of
from models.ml.people import people
from models.ml.ranker import Ranker, Rankers

MOST_QUESTIONS = 30_000
ALL = -1
TRUTH = "truth but for chemistry"
PROBABILITIES = ("ranker", "linear start", "popularity", TRUTH)
METHODS = (*PROBABILITIES, "interest cosine", "random")
"""What answers the questions; the linear start is the ranker without its trees."""


def examined(
    rankers: Rankers,
    profiles: pd.DataFrame,
    answers: Answers,
    decisions: pd.DataFrame,
    truth: Doubles | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """A row a question about the decisions of a training-pairs frame, asked with more or less known of both people.

    decision: the row of `decisions`; viewer, candidate: a number for who decided, and about whom; list: one for what
    was asked of a viewer with the same known; known: how many decisions given and received counted of each person, -1
    for half of all; liked: the right answer; then a score from each of METHODS, of which PROBABILITIES are
    probabilities. That of TRUTH is there only if the true chance of each row of `decisions` is given as `truth`,
    float64 (n,).
    """
    events = events_of(decisions, pd.Index(profiles["profile_id"]))
    sampled = sample(events, MOST_QUESTIONS, seed)
    then = folds_then(rankers.held_out, decisions)
    exam = Exam(events, then, draws(events, sampled, MOST_QUESTIONS, seed)).only(then != NOT_HELD_OUT)
    arrays = people(rankers.whole.specification, profiles, answers)
    pairs = exam.pairs(arrays)
    known = np.array([ALL if draw.amount is None else draw.amount for draw in exam.draws])
    told = {} if truth is None else {TRUTH: truth[exam.questions]}
    return pd.DataFrame(
        {
            "decision": exam.questions,
            "viewer": pairs.viewer,
            "candidate": pairs.candidate,
            "list": exam.lists,
            "known": known[exam.draw],
            "liked": exam.liked,
            "ranker": sit(rankers, exam, arrays),
            "linear start": sit(_without_trees(rankers), exam, arrays),
            "popularity": baselines.popularity(pairs, float(events.liked.mean())),
            "interest cosine": baselines.interest_cosine(pairs),
            "random": baselines.random(pairs, seed),
            **told,
        }
    )


def cold_p_like(rankers: Rankers, profiles: pd.DataFrame, answers: Answers, decisions: pd.DataFrame) -> Doubles:
    """p_like of every row of a training-pairs frame with nothing known of anybody but the profiles, float64 (n,).

    Of circles that became one since and were held out apart each ranker has seen some: the whole one answers.
    """
    events = events_of(decisions, pd.Index(profiles["profile_id"]))
    everything = Draw(0, np.empty(0, np.int64), np.arange(len(events)))
    exam = Exam(events, folds_then(rankers.held_out, decisions), [everything])
    return sit(rankers, exam, people(rankers.whole.specification, profiles, answers))


def by_method(questions: pd.DataFrame) -> pd.DataFrame:
    """A row a method, best first: AUC within viewers and its standard error; log loss and calibration error.

    The last two are NaN for what gives no probability. The AUC is the mean over lists, as in the gate.
    """
    rows = {method: _figures(questions, method) for method in METHODS if method in questions}
    names = ["AUC within viewers", "standard error", "log loss (nats)", "calibration error"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    return table.sort_values(names[0], ascending=False)


def by_known(questions: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """`by_method` for each amount of decisions known, fewest first, all (-1) last."""
    amounts = sorted(questions["known"].unique(), key=lambda amount: (amount == ALL, amount))
    return {int(amount): by_method(questions[questions["known"] == amount]) for amount in amounts}


def _figures(questions: pd.DataFrame, method: str) -> list[float]:
    liked, score = questions["liked"], questions[method]
    people = questions["viewer"], questions["candidate"]
    ranking = [
        within_viewer_auc(questions["list"], liked, score),
        within_viewer_auc_error(questions["list"], *people, liked, score),
    ]
    probable = method in PROBABILITIES
    return [*ranking, *((log_loss(liked, score), calibration_error(liked, score)) if probable else (nan, nan))]


def _without_trees(rankers: Rankers) -> Rankers:
    def linear(ranker: Ranker) -> Ranker:
        return replace(ranker, booster=None)

    by_fold = {fold: linear(each) for fold, each in rankers.by_fold.items()}
    return replace(rankers, whole=linear(rankers.whole), by_fold=by_fold)
