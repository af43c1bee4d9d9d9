"""The town that an evaluation asks about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.embeddings import Answers
from models.ml.history import Doubles, Events, Ints
from models.ml.hot_deck import filled
from models.ml.pairs import events_of
from models.ml.people import People, people
from models.ml.specification import Specification, learn


@dataclass(frozen=True)
class Town:
    """Everything that the evaluation asks about; `truth` are true probabilities of each decision, where known, (n,)."""

    specification: Specification
    people: People
    answered: People
    """The same with nothing missing, to grow trees on (see models.ml.hot_deck)."""
    gender: Ints
    events: Events
    group: Ints
    seed: int
    truth: Doubles | None
    with_sensitive: Town | None
    """The same with what says something of race or ethnicity; None if nothing does, or it is used anyway."""

    def part(self, rows: Ints) -> Events:
        """Some of the decisions."""
        return self.events.part(rows)


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
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    specification, everything = (learn(profiles, answers, sensitive=each) for each in (sensitive, True))
    made = Town(
        specification,
        people(specification, profiles, answers),
        people(specification, *filled(specification, profiles, answers, seed)),
        pd.factorize(profiles["gender"], sort=True)[0].astype(np.int64),
        events_of(decisions, pd.Index(profiles["profile_id"])),
        decisions["group"].to_numpy(np.int64),
        seed,
        None if truth is None else truth(decisions),
        None,
    )
    if everything == specification:
        return made
    other = replace(
        made,
        specification=everything,
        people=people(everything, profiles, answers),
        answered=people(everything, *filled(everything, profiles, answers, seed)),
    )
    return replace(made, with_sensitive=other)


def circles(actor: Ints, group: Ints) -> Ints:
    """The circle of each decision for the variance split: its group, or the whole town where groups are viewers."""
    by_viewer = pd.Series(actor).groupby(group).nunique().max() <= 1
    return np.zeros(len(group), np.int64) if by_viewer else group
