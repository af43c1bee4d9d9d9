"""From a town's frames to a ranker, and what it says in its exam."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.cold import Cold, Folds, fit_cold
from models.ml.draws import draws, sample
from models.ml.embeddings import Answers
from models.ml.exam import Exam, blocks, cold_pairs
from models.ml.features import names_and_groups, of_history, of_profiles
from models.ml.fitting import Known, Questions, fit_ranker, teaches
from models.ml.history import Doubles, Events, Ints
from models.ml.pairs import events_of
from models.ml.people import People, people
from models.ml.ranker import Rankers, prior
from models.ml.specification import Specification, learn

# The ridge on profiles learns from no more decisions than this, the rest from no more with histories.
MOST_DECISIONS = 300_000
MOST_QUESTIONS = 100_000
QUESTIONS_A_DECISION = 4


@dataclass(frozen=True)
class Answered:
    """An exam, and the p_like that the rankers and their linear part alone gave each question, float64 (q,)."""

    exam: Exam
    p_like: Doubles
    p_like_linear: Doubles


@dataclass(frozen=True)
class Trained:
    """Rankers, and the exam that they sat; none if they are the prior."""

    rankers: Rankers
    answered: Answered | None


def train(
    profiles: pd.DataFrame, answers: Answers, decisions: pd.DataFrame, seed: int, *, sensitive: bool = False
) -> Trained:
    """Train on a training-pairs frame; the prior where there is too little to learn from.

    Traits, facts and wants about race or ethnicity are used only if `sensitive`. The same rows and seed give the same
    rankers, in any order.
    """
    # Draws and trees go by row number.
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    specification = learn(profiles, answers, sensitive=sensitive)
    decided = events_of(decisions, pd.Index(profiles["profile_id"]))
    fold = decisions["fold"].to_numpy(np.int64)
    if teaches(decided.liked, fold):
        return _train(specification, people(specification, profiles, answers), decided, fold, seed)
    names = [name for name, _ in names_and_groups(specification)]
    return Trained(Rankers(prior(specification, names, decided.liked), {}), None)


def _train(specification: Specification, arrays: People, decided: Events, fold: Ints, seed: int) -> Trained:
    sampled = sample(decided, MOST_DECISIONS, seed)
    features = of_profiles(specification, cold_pairs(arrays, decided.part(sampled)))
    cold = fit_cold(features, decided.liked[sampled], fold[sampled])
    rows = min(QUESTIONS_A_DECISION * len(sampled), MOST_QUESTIONS)
    exam = Exam(decided, fold, draws(decided, sampled, rows, seed))
    others = _of_others(specification, arrays, decided, fold, sampled, cold)

    def known(left_out: Folds) -> Known:
        log_odds = others.copy()
        log_odds[sampled] = cold.log_odds(features, fold[sampled], left_out)
        history = exam.history(decided.liked - expit(log_odds), len(arrays))
        return Known(log_odds[exam.questions], of_history(history))

    at = np.searchsorted(sampled, exam.questions)
    questions = Questions(features[at], exam.liked, fold[exam.questions], known)
    fitted = fit_ranker(specification, cold, questions, seed)
    return Trained(fitted.rankers, Answered(exam, expit(fitted.held_out), expit(fitted.held_out_linear)))


def _of_others(
    specification: Specification, arrays: People, decided: Events, fold: Ints, sampled: Ints, cold: Cold
) -> Doubles:
    """Cold log-odds of the decisions that were not sampled, float64 (n,); NaN for the sampled ones."""
    log_odds = np.full(len(decided), np.nan)
    rest = np.setdiff1d(np.arange(len(decided)), sampled)
    for block in blocks(fold[rest]):
        rows = rest[block]
        features = of_profiles(specification, cold_pairs(arrays, decided.part(rows)))
        log_odds[rows] = cold.log_odds(features, fold[rows])
    return log_odds
