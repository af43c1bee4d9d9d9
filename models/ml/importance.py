"""What moves a ranker: its contributions, averaged over decisions."""

import numpy as np
import pandas as pd

from models.ml.contributions import by_subject
from models.ml.draws import sample
from models.ml.embeddings import Answers
from models.ml.exam import cold_pairs
from models.ml.features import Pairs, of_profiles
from models.ml.history import ledger
from models.ml.pairs import events_of
from models.ml.people import people
from models.ml.ranker import Ranker

MOST_DECISIONS = 20_000
MOST_EXPLAINED = 5_000


def importance(
    ranker: Ranker, profiles: pd.DataFrame, answers: Answers, decisions: pd.DataFrame, seed: int = 0
) -> "pd.Series[float]":
    """The mean size of what each subject adds to the log-odds of a like, float64, over decisions of a training frame.

    Half of the decisions, at random, are known, and the others explained (see models.ml.contributions).
    """
    decided = events_of(decisions, pd.Index(profiles["profile_id"]))
    decided = decided.part(sample(decided, MOST_DECISIONS, seed))
    arrays = people(ranker.specification, profiles, answers)
    known = np.random.default_rng(seed).random(len(decided)) < 1 / 2
    past, asked = decided.part(np.flatnonzero(known)), decided.part(np.flatnonzero(~known)[:MOST_EXPLAINED])
    surprise = ranker.surprise(of_profiles(ranker.specification, cold_pairs(arrays, past)), past.liked)
    history = ledger(past, surprise, len(arrays)).of(asked.actor, asked.target)
    return by_subject(ranker, Pairs(arrays, asked.actor, asked.target, history)).abs().mean()
