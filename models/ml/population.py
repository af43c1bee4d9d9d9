"""Everything that scoring a town needs, as arrays by position."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.cores import on_all_cores
from models.ml.eligibility import Pools, pools, rules
from models.ml.embeddings import Answers
from models.ml.features import Pairs, nothing_known, of_profiles
from models.ml.history import Doubles, Events, Ledger, ledger
from models.ml.pairs import events
from models.ml.people import People, people
from models.ml.positions import positions
from models.ml.ranker import Ranker

Ints = NDArray[np.int64]
DECISIONS_AT_ONCE = 32_768


@dataclass(frozen=True)
class Population:
    """n people: their arrays, their rules, what is known of their likes, and whom they are not to be shown."""

    people: People
    pools: Pools
    ledger: Ledger
    closed: tuple[Ints, Ints]
    """Pairs (viewer, candidate) not to be shown: blocked or passed either way, or liked by the viewer.

    A like of the candidate's counts for nothing here: the place in the list would tell it.
    """
    passed_on: tuple[Ints, Ints]
    """Pairs (viewer, candidate) of which the candidate's last decision about the viewer is a pass."""


def population(
    ranker: Ranker,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    blocks: pd.DataFrame,
    answers: Answers,
) -> Population:
    """The arrays of a town; positions are the rows of `profiles`. Blocks of people not among them count for nothing.

    What people's likes say beyond their profiles is measured from the ranker's own view of the profiles.
    """
    ids = pd.Index(profiles["profile_id"])
    decided = events(interactions, ids)
    arrays = people(ranker.specification, profiles, answers)
    blocker, blocked = positions(blocks["blocker_id"], ids), positions(blocks["blocked_id"], ids)
    known = (blocker >= 0) & (blocked >= 0)
    passed_on = decided.target[~decided.liked], decided.actor[~decided.liked]
    return Population(
        people=arrays,
        pools=pools(rules(profiles)),
        ledger=ledger(decided, _surprise(ranker, arrays, decided), len(profiles)),
        closed=(
            np.concatenate([decided.actor, passed_on[0], blocker[known], blocked[known]]),
            np.concatenate([decided.target, passed_on[1], blocked[known], blocker[known]]),
        ),
        passed_on=passed_on,
    )


def _surprise(ranker: Ranker, people: People, decided: Events) -> Doubles:
    def of_some(rows: Ints) -> Doubles:
        part = decided.part(rows)
        pairs = Pairs(people, part.actor, part.target, nothing_known(len(part)))
        return ranker.surprise(of_profiles(ranker.specification, pairs), part.liked)

    rows = np.arange(len(decided))
    blocks = [rows[start : start + DECISIONS_AT_ONCE] for start in range(0, len(rows), DECISIONS_AT_ONCE)]
    return np.concatenate([np.empty(0), *on_all_cores(of_some, blocks)])
