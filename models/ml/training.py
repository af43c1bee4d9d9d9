"""From a town's frames to a ranker, and how it did in its exam."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.calibration import ENOUGH
from models.ml.cold import Cold, Folds, fit_cold
from models.ml.draws import draws, sample
from models.ml.embeddings import Answers
from models.ml.exam import Exam, blocks, cold_pairs, sit
from models.ml.features import names_and_groups, of_history, of_profiles
from models.ml.fitting import Fitted, Grow, Known, Questions, fit_ranker, grow, teaches
from models.ml.gate import BESIDE, Report, beats_random, of_rankers, report
from models.ml.held_out import NOT_HELD_OUT, folds_then, viewers_by_fold
from models.ml.history import Bools, Doubles, Events, Ints
from models.ml.hot_deck import filled
from models.ml.pairs import events_of
from models.ml.people import People, people
from models.ml.ranker import Rankers, prior
from models.ml.specification import Specification, learn

# The ridge on profiles learns from no more decisions than this, the rest from no more with histories.
MOST_DECISIONS = 300_000
MOST_QUESTIONS = 60_000
QUESTIONS_A_DECISION = 4


@dataclass(frozen=True)
class Trained:
    """Rankers, and the report of their exam on held-out folds; no report means that they are the prior."""

    rankers: Rankers
    report: Report | None


def train(
    profiles: pd.DataFrame,
    answers: Answers,
    decisions: pd.DataFrame,
    seed: int,
    *,
    champion: Rankers | None = None,
    sensitive: bool = False,
    grow: Grow = grow,
) -> Trained:
    """Train on a training-pairs frame; the prior where there is too little to learn from, or nothing was learned.

    Learned nothing: on held-out folds they rank no better than chance, or a higher score means fewer likes. The
    champion sits the same exam, but for whom it has seen, and is in the report. Traits, facts and wants about race or
    ethnicity are used only if `sensitive`. The same rows and seed give the same rankers, in any order; `grow` grows the
    trees.
    """
    # Draws and trees go by row number.
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    specification = learn(profiles, answers, sensitive=sensitive)
    decided = events_of(decisions, pd.Index(profiles["profile_id"]))
    fold = decisions["fold"].to_numpy(np.int64)
    if teaches(decided.liked, fold):
        arrays = people(specification, profiles, answers)
        answered = people(specification, *filled(specification, profiles, answers, seed))
        fitted, exam = fit_town(specification, arrays, answered, decided, fold, seed, grow)
        p_like = {"ranker": expit(fitted.held_out), "ridge": expit(fitted.held_out_linear)}
        found = report(exam, exam.pairs(arrays), p_like, seed)
        if fitted.rankers.whole.slope > 0 and beats_random(found):
            if champion is not None:
                as_it_sees = people(champion.whole.specification, profiles, answers)
                then = folds_then(champion.held_out, decisions)
                found = {**found, **_beside(champion, as_it_sees, exam, then, p_like["ranker"])}
            return Trained(replace(fitted.rankers, held_out=viewers_by_fold(decisions)), found)
    names = [name for name, _ in names_and_groups(specification)]
    return Trained(Rankers(prior(specification, names, decided.liked), {}), None)


def _beside(champion: Rankers, arrays: People, exam: Exam, then: Ints, p_like: Doubles) -> Report:
    """Metrics of the champion, and of the new ranker's answers, (q,), on the questions that the champion can be asked.

    `then` are the folds in which it held the decisions out, (n,); `arrays` are people by its own specification. Nothing
    where it has seen so much that the rest says too little.
    """
    unseen: Bools = then != NOT_HELD_OUT
    its_exam = replace(exam, fold=then).only(unseen)
    if min(its_exam.liked.sum(), (~its_exam.liked).sum()) < ENOUGH:
        return {}
    ours = p_like[unseen[exam.questions]]
    return of_rankers(its_exam, {"champion": sit(champion, its_exam, arrays), BESIDE: ours})


def fit_town(
    specification: Specification,
    arrays: People,
    answered: People,
    decided: Events,
    fold: Ints,
    seed: int,
    grow: Grow = grow,
) -> tuple[Fitted, Exam]:
    """Fit on n decisions between people, whose folds are int64 (n,); and the exam that the fits without a fold sat.

    `answered` are the same people with nothing missing (see models.ml.hot_deck).
    """
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
    grown_on = of_profiles(specification, cold_pairs(answered, decided.part(exam.questions)))
    questions = Questions(features[at], grown_on, exam.liked, fold[exam.questions], known)
    return fit_ranker(specification, cold, questions, seed, grow), exam


def _of_others(
    specification: Specification, arrays: People, decided: Events, fold: Ints, sampled: Ints, cold: Cold
) -> Doubles:
    """Cold log-odds of the decisions that were not sampled, float64 (n,); NaN for the sampled ones.

    By the ridge without their own fold only, whatever is held out: a town with so many decisions has too many for one
    fold to tell of another, and four times the work is saved.
    """
    log_odds = np.full(len(decided), np.nan)
    rest = np.setdiff1d(np.arange(len(decided)), sampled)
    for block in blocks(fold[rest]):
        rows = rest[block]
        features = of_profiles(specification, cold_pairs(arrays, decided.part(rows)))
        log_odds[rows] = cold.log_odds(features, fold[rows])
    return log_odds
