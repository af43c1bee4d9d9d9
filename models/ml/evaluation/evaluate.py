"""The evaluation: the ranker side by side with everything it has to beat, on people that neither has seen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from models.ml.embeddings import Answers
from models.ml.evaluation import protocols
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.setting import Scores, Setting
from models.ml.evaluation.nulls import shuffled
from models.ml.evaluation.protocols import Ask
from models.ml.evaluation.summary import summary
from models.ml.evaluation.variance import Explained, Split, explained, split
from models.ml.exam import cold_pairs
from models.ml.features import Pairs, build, nothing_known, of_profiles
from models.ml.history import Doubles, Events, History, Ints
from models.ml.pairs import events_of, folds
from models.ml.people import People, people
from models.ml.ranker import Ranker
from models.ml.specification import Specification, learn
from models.ml.training import fit_town

RANKER, LINEAR = "ranker", "ranker_linear_start"
NULL, CEILING = "ranker_on_shuffled_profiles", "ranker_knowing_all_else"
# The methods that use what is known of people's likes: they are asked in the warm protocol too.
WITH_HISTORY = ("popularity", "beta_binomial", "lfrr", "mf_with_biases", "ridge_logistic", "lightgbm_product")
ALL = -1


@dataclass(frozen=True)
class Evaluation:
    """What was found, and the variance split with how much of it the ranker's cold predictions explain."""

    figures: pd.DataFrame
    """protocol, amount (decisions known of each person; -1: all), method, target (like or match), fold, and metrics."""
    split: Split
    explained: Explained


@dataclass(frozen=True)
class Town:
    """Everything that the evaluation asks about; `truth` are true probabilities of each decision, where known, (n,)."""

    specification: Specification
    people: People
    gender: Ints
    events: Events
    group: Ints
    seed: int
    truth: Doubles | None

    def part(self, rows: Ints) -> Events:
        """Some of the decisions."""
        return self.events.part(rows)


@dataclass(frozen=True)
class _Fitted:
    """The ranker of one split, and the surprise of every decision by it, (n,)."""

    ranker: Ranker
    surprise: Doubles


def town(
    profiles: pd.DataFrame,
    answers: Answers,
    decisions: pd.DataFrame,
    seed: int,
    *,
    sensitive: bool = False,
    truth: Callable[[pd.DataFrame], Doubles] | None = None,
) -> Town:
    """What is evaluated, from a profiles frame, its answers and a training-pairs frame; the order of rows is nothing.

    `truth` gives the true probability of each row of such a frame.
    """
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    specification = learn(profiles, answers, sensitive=sensitive)
    return Town(
        specification,
        people(specification, profiles, answers),
        pd.factorize(profiles["gender"], sort=True)[0].astype(np.int64),
        events_of(decisions, pd.Index(profiles["profile_id"])),
        decisions["group"].to_numpy(np.int64),
        seed,
        None if truth is None else truth(decisions),
    )


def evaluate(town: Town, say: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Ask the ranker and every baseline the same, cold by group and warm by time; `say` is told how far it is."""
    rows: list[Mapping[str, object]] = []
    p_cold = np.full(len(town.events), np.nan)
    fitted: dict[int, _Fitted] = {}
    for ask in protocols.cold(town.group):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: from profiles alone")
        fitted[ask.fold] = _fit(town, town.people, ask)
        p_cold[ask.asked] = _ranker(town, fitted[ask.fold], ask).like
        rows += _figures(town, "cold", ask, _cold_methods(town, fitted[ask.fold], ask))
    for ask in protocols.warm(town.events, town.group):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: knowing {'all' if ask.amount is None else ask.amount} decisions")
        rows += _figures(town, "warm", ask, _warm_methods(town, fitted[ask.fold], ask))
    circle = folds_apart(town)
    known = town.events.actor, town.events.target, circle, town.events.liked
    return Evaluation(pd.DataFrame(rows), split(*known), explained(*known, p_cold))


def folds_apart(town: Town) -> Ints:
    """The circle of each decision for the variance split: its group, or the whole town where groups are viewers."""
    by_viewer = pd.Series(town.events.actor).groupby(town.group).nunique().max() <= 1
    return np.zeros(len(town.group), np.int64) if by_viewer else town.group


def _fit(town: Town, people: People, ask: Ask) -> _Fitted:
    fold = folds(town.group[ask.learn])
    ranker = fit_town(town.specification, people, town.part(ask.learn), fold, town.seed)[0].rankers.whole
    features = of_profiles(town.specification, cold_pairs(people, town.events))
    return _Fitted(ranker, ranker.surprise(features, town.events.liked))


def _cold_methods(town: Town, fitted: _Fitted, ask: Ask) -> Iterator[tuple[str, Scores]]:
    yield RANKER, _ranker(town, fitted, ask)
    yield LINEAR, _ranker(town, _without_trees(fitted), ask)
    yield CEILING, _scores(fitted.ranker, town, ask, protocols.everything_else(town.events, fitted.surprise, len(town.people), ask.asked))
    null = replace(town, people=shuffled(town.people, town.gender, town.seed))
    yield NULL, _ranker(null, _fit(null, null.people, ask), ask)
    setting = _setting(town, ask)
    for name, baseline in BASELINES.items():
        yield name, baseline(setting)


def _warm_methods(town: Town, fitted: _Fitted, ask: Ask) -> Iterator[tuple[str, Scores]]:
    yield RANKER, _ranker(town, fitted, ask)
    yield LINEAR, _ranker(town, _without_trees(fitted), ask)
    setting = _setting(town, ask)
    for name in WITH_HISTORY:
        yield name, BASELINES[name](setting)


def _without_trees(fitted: _Fitted) -> _Fitted:
    return replace(fitted, ranker=replace(fitted.ranker, booster=None))


def _ranker(town: Town, fitted: _Fitted, ask: Ask) -> Scores:
    known = protocols.history(town.events, fitted.surprise, len(town.people), ask)
    return _scores(fitted.ranker, town, ask, known)


def _scores(ranker: Ranker, town: Town, ask: Ask, known: History) -> Scores:
    pairs = Pairs(town.people, town.events.actor[ask.asked], town.events.target[ask.asked], known)
    like = ranker.p_like(build(town.specification, pairs)).astype(np.float64)
    back = ranker.p_like(build(town.specification, pairs.reversed())).astype(np.float64)
    return Scores(like, like * back, probabilities=True)


def _setting(town: Town, ask: Ask) -> Setting:
    """What a baseline may know: in the warm protocol it learns from second halves with as much history as is asked.

    The surprise of a decision is to them what it is without any model: a like less the share of likes.
    """
    base_rate = float(town.events.liked[ask.learn].mean())
    surprise = town.events.liked - base_rate
    if ask.amount == 0:
        learn, train_history = ask.learn, nothing_known(len(ask.learn))
    else:
        second = protocols.second_half(town.events.time, town.group)[ask.learn]
        learn, first = ask.learn[second], ask.learn[~second]
        in_order = first[np.argsort(town.events.time[first], kind="stable")]
        train_history = protocols.history(town.events, surprise, len(town.people), replace(ask, known=in_order, asked=learn))
    decided, asked = town.part(learn), town.part(ask.asked)
    known = protocols.history(town.events, surprise, len(town.people), ask)
    return Setting(
        specification=town.specification,
        base_rate=base_rate,
        gender=town.gender,
        train=Pairs(town.people, decided.actor, decided.target, train_history),
        train_liked=decided.liked,
        train_group=town.group[learn],
        test=Pairs(town.people, asked.actor, asked.target, known),
        events=town.part(np.concatenate([ask.learn, _counted(town.events, ask)])),
        seed=town.seed,
    )


def _counted(events: Events, ask: Ask) -> Ints:
    """The known decisions that are among the first so many that their actor gave."""
    if ask.amount is None:
        return ask.known
    place = pd.Series(events.actor[ask.known]).groupby(events.actor[ask.known]).cumcount().to_numpy()
    return ask.known[place < ask.amount]


def _figures(
    town: Town, protocol: str, ask: Ask, methods: Iterator[tuple[str, Scores]]
) -> Iterator[Mapping[str, object]]:
    viewer, liked = town.events.actor[ask.asked], town.events.liked[ask.asked]
    both, match = _matches(town.part(ask.asked))
    for name, scores in methods:
        where = {"protocol": protocol, "amount": ALL if ask.amount is None else ask.amount, "method": name, "fold": ask.fold}
        like = summary(viewer, liked, scores.like, scores.probabilities)
        if town.truth is not None:
            like["truth_rank_correlation"] = float(spearmanr(scores.like, town.truth[ask.asked]).statistic)
        yield where | {"target": "like"} | like
        yield where | {"target": "match"} | summary(viewer[both], match, scores.match[both], scores.probabilities)


def _matches(asked: Events) -> tuple[Ints, np.ndarray]:
    """The rows whose other direction is asked for too, and whether both like each other."""
    people = int(max(asked.actor.max(), asked.target.max())) + 1
    forth, back = asked.actor * people + asked.target, asked.target * people + asked.actor
    at = pd.Index(forth).get_indexer(pd.Index(back))
    both = np.flatnonzero(at >= 0)
    return both, asked.liked[both] & asked.liked[at[both]]
