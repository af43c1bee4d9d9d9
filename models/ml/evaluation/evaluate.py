"""The evaluation: the ranker side by side with everything it has to beat, on people that neither has seen."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from models.ml.evaluation import protocols
from models.ml.evaluation.baselines.setting import Scores
from models.ml.evaluation.methods import RANKER, Fitted, cold_methods, fit, growing_methods, warm_methods
from models.ml.evaluation.summary import summary
from models.ml.evaluation.town import Town, circles
from models.ml.evaluation.variance import Explained, Split, explained, split
from models.ml.history import Doubles, Events, Ints

ALL = TOGETHER = -1


@dataclass(frozen=True)
class Evaluation:
    """What was found, and the variance split with how much of it the ranker's cold predictions explain."""

    figures: pd.DataFrame
    """protocol, amount, method, target (like or match), fold, and the metrics of `summary`.

    The amount is of decisions: in the cold and warm protocols those known of each person, -1 for all; in the growing
    one, about how many were learned from.
    Fold -1 is all folds' answers taken together.
    """
    split: Split
    explained: Explained


@dataclass(frozen=True)
class _Answer:
    """What a method said of the decisions asked for in a fold."""

    fold: int
    asked: Ints
    scores: Scores


def evaluate(town: Town, say: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Ask the ranker and every baseline the same, cold by group and warm by time; `say` is told how far it is."""
    answered: dict[tuple[str, int, str], list[_Answer]] = defaultdict(list)
    fitted: dict[int, Fitted] = {}
    mean_learned = len(town.events) * (protocols.FOLDS - 1) / protocols.FOLDS
    for ask in protocols.cold(town.group):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: from profiles alone")
        fitted[ask.fold] = fit(town, ask)
        for method, scores in cold_methods(town, fitted[ask.fold], ask):
            answered["cold", 0, method].append(_Answer(ask.fold, ask.asked, scores))
    for ask in protocols.warm(town.events, town.group):
        amount = ALL if ask.amount is None else ask.amount
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: decisions known: {'all' if amount == ALL else amount}")
        for method, scores in warm_methods(town, fitted[ask.fold], ask):
            answered["warm", amount, method].append(_Answer(ask.fold, ask.asked, scores))
    for share, ask in zip(cycle(protocols.SHARES), protocols.growing(town.events, town.group), strict=False):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: learning from {len(ask.learn):,} decisions")
        for method, scores in growing_methods(town, ask):
            answered["growing", round(share * mean_learned), method].append(_Answer(ask.fold, ask.asked, scores))
    p_cold = np.full(len(town.events), np.nan)
    for answer in answered["cold", 0, RANKER]:
        p_cold[answer.asked] = answer.scores.like
    known = town.events.actor, town.events.target, circles(town.events.actor, town.group), town.events.liked
    return Evaluation(figures(town, answered), split(*known), explained(*known, p_cold))


def figures(town: Town, answered: Mapping[tuple[str, int, str], Sequence[_Answer]]) -> pd.DataFrame:
    """The figures of every protocol, amount and method: by fold, and of all folds together."""
    rows: list[Mapping[str, object]] = []
    for (protocol, amount, method), answers in answered.items():
        for answer in [*answers, _together(answers)]:
            where = {"protocol": protocol, "amount": amount, "method": method, "fold": answer.fold}
            rows += [{**where, **found} for found in _of_answer(town, answer)]
    return pd.DataFrame(rows)


def _together(answers: Sequence[_Answer]) -> _Answer:
    scores = [answer.scores for answer in answers]
    like, match = (np.concatenate([getattr(each, name) for each in scores]) for name in ("like", "match"))
    asked = np.concatenate([answer.asked for answer in answers])
    return _Answer(TOGETHER, asked, Scores(like, match, scores[0].probabilities))


def _of_answer(town: Town, answer: _Answer) -> Iterator[Mapping[str, object]]:
    asked, scores = town.part(answer.asked), answer.scores
    both, match = _matches(asked)
    like = summary(asked.actor, asked.liked, scores.like, scores.probabilities)
    if town.truth is not None:
        like["truth_rank_correlation"] = _rank_correlation(scores.like, town.truth[answer.asked])
    yield {"target": "like", **like}
    yield {"target": "match", **summary(asked.actor[both], match, scores.match[both], scores.probabilities)}


def _rank_correlation(score: Doubles, truth: Doubles) -> float:
    """Spearman's; NaN where one of the two says the same of all."""
    if min(len(np.unique(score)), len(np.unique(truth))) < 2:
        return float("nan")
    return float(spearmanr(score, truth).statistic)


def _matches(asked: Events) -> tuple[Ints, np.ndarray]:
    """The rows whose other direction is asked for too, and whether both like each other."""
    people = int(max(asked.actor.max(initial=0), asked.target.max(initial=0))) + 1
    forth, back = asked.actor * people + asked.target, asked.target * people + asked.actor
    at = pd.Index(forth).get_indexer(pd.Index(back))
    both = np.flatnonzero(at >= 0)
    return both, asked.liked[both] & asked.liked[at[both]]
