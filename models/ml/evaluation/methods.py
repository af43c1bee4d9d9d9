"""What is asked in an evaluation: the ranker, its linear start, its null and its ceiling, and the baselines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.ml.calibration import ENOUGH
from models.ml.evaluation import protocols
from models.ml.evaluation.baselines import BASELINES
from models.ml.evaluation.baselines.setting import Scores, Setting
from models.ml.evaluation.nulls import shuffled
from models.ml.evaluation.protocols import Ask
from models.ml.evaluation.town import Town
from models.ml.exam import cold_pairs
from models.ml.features import Pairs, build, nothing_known, of_profiles
from models.ml.fitting import teaches
from models.ml.history import Doubles, Events, History, Ints
from models.ml.pairs import folds
from models.ml.ranker import Ranker
from models.ml.training import fit_town

RANKER, LINEAR = "ranker", "ranker_linear_start"
WITH_SENSITIVE = "ranker_using_race_and_ethnicity"
NULL, CEILING = "ranker_on_shuffled_profiles", "ranker_knowing_all_else"
# The methods that use what is known of people's likes: they are asked in the warm protocol too.
RIDGE = "ridge_logistic"
WITH_HISTORY = ("popularity", "beta_binomial", "lfrr", "mf_with_biases", RIDGE)


@dataclass(frozen=True)
class Fitted:
    """The ranker of one split, and the surprise of every decision by it, (n,)."""

    ranker: Ranker
    surprise: Doubles


def fit(town: Town, ask: Ask) -> Fitted:
    """The ranker from what may be learned from. Raises InputError if that is too little for any ranker."""
    fold, learned = folds(town.group[ask.learn]), town.part(ask.learn)
    if not teaches(learned.liked, fold):
        raise InputError(
            f"{len(learned):,} decisions, {learned.liked.sum():,} of them likes, are too few to learn from: it takes "
            f"{ENOUGH} likes and as many passes beside every fold that is held out; evaluate when more are known"
        )
    ranker = fit_town(town.specification, town.people, town.answered, learned, fold, town.seed)[0].rankers.whole
    features = of_profiles(town.specification, cold_pairs(town.people, town.events))
    return Fitted(ranker, ranker.surprise(features, town.events.liked))


def cold_methods(town: Town, fitted: Fitted, ask: Ask) -> Iterator[tuple[str, Scores]]:
    """Every method's name and scores where nothing is known of the asked people's likes; only the ceiling knows all."""
    yield RANKER, _ranker(town, fitted, ask)
    yield LINEAR, _ranker(town, _without_trees(fitted), ask)
    yield (
        CEILING,
        _scores(
            fitted.ranker,
            town,
            ask,
            protocols.everything_else(town.events, fitted.surprise, len(town.people), ask.asked),
        ),
    )
    if (other := town.with_sensitive) is not None:
        yield WITH_SENSITIVE, _ranker(other, fit(other, ask), ask)
    people, answered = (shuffled(each, town.gender, town.seed) for each in (town.people, town.answered))
    null = replace(town, people=people, answered=answered)
    yield NULL, _ranker(null, fit(null, ask), ask)
    setting = _setting(town, ask)
    for name, baseline in BASELINES.items():
        yield name, baseline(setting)


def warm_methods(town: Town, fitted: Fitted, ask: Ask) -> Iterator[tuple[str, Scores]]:
    """Name and scores of the methods that use what is known of likes."""
    yield RANKER, _ranker(town, fitted, ask)
    yield LINEAR, _ranker(town, _without_trees(fitted), ask)
    setting = _setting(town, ask)
    for name in WITH_HISTORY:
        yield name, BASELINES[name](setting)


def growing_methods(town: Town, ask: Ask) -> Iterator[tuple[str, Scores]]:
    """Name and scores of the ranker and of the plain ridge, learned from as much as is asked."""
    yield RANKER, _ranker(town, fit(town, ask), ask)
    yield RIDGE, BASELINES[RIDGE](_setting(town, ask))


def _without_trees(fitted: Fitted) -> Fitted:
    return replace(fitted, ranker=replace(fitted.ranker, booster=None))


def _ranker(town: Town, fitted: Fitted, ask: Ask) -> Scores:
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
    surprise = np.asarray(town.events.liked - base_rate, np.float64)
    if ask.amount == 0:
        learn, train_history = ask.learn, nothing_known(len(ask.learn))
    else:
        second = protocols.second_half(town.events.time, town.group)[ask.learn]
        learn, first = ask.learn[second], ask.learn[~second]
        in_order = first[np.argsort(town.events.time[first], kind="stable")]
        before = replace(ask, known=in_order, asked=learn)
        train_history = protocols.history(town.events, surprise, len(town.people), before)
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
