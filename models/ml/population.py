"""Everything that scoring a town needs, as arrays by position."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.eligibility import Rules, rules
from models.ml.embeddings import Answers
from models.ml.history import Ledger, ledger
from models.ml.pairs import events
from models.ml.people import People, people
from models.ml.specification import Specification

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """n people: their arrays, their rules, what is known of their likes, and whom they are not to be shown."""

    people: People
    rules: Rules
    ledger: Ledger
    closed: tuple[Ints, Ints]
    """Pairs (viewer, candidate) not to be shown: blocked either way, or already liked or passed."""


def population(
    specification: Specification,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    blocks: pd.DataFrame,
    answers: Answers,
) -> Population:
    """The arrays of a town; positions are the rows of `profiles`. Blocks of people not among them count for nothing."""
    ids = pd.Index(profiles["profile_id"])
    decided = events(interactions, ids)
    blocker = ids.get_indexer(pd.Index(blocks["blocker_id"])).astype(np.int64)
    blocked = ids.get_indexer(pd.Index(blocks["blocked_id"])).astype(np.int64)
    known = (blocker >= 0) & (blocked >= 0)
    return Population(
        people=people(specification, profiles, answers),
        rules=rules(profiles),
        ledger=ledger(decided, len(profiles)),
        closed=(
            np.concatenate([decided.actor, blocker[known], blocked[known]]),
            np.concatenate([decided.target, blocked[known], blocker[known]]),
        ),
    )
