"""From a town's frames to a ranker and what it reached on people it had not seen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.embeddings import Answers
from models.ml.features import Pairs, build, names_and_groups
from models.ml.fitting import fit, teaches
from models.ml.gate import Report, beats_random, report
from models.ml.pairs import PERIODS, folds, history_of
from models.ml.people import People, people
from models.ml.ranker import Ranker, prior
from models.ml.specification import learn


@dataclass(frozen=True)
class Trained:
    """A ranker, and its report on held-out groups; no report means that it is the prior."""

    ranker: Ranker
    report: Report | None


def train(profiles: pd.DataFrame, answers: Answers, decisions: pd.DataFrame, seed: int) -> Trained:
    """Train on a training-pairs frame; the prior where there is too little to learn from, or nothing was learned.

    Learned nothing: on held-out groups it ranks no better than chance, or a higher score means fewer likes. The same
    rows and seed give the same ranker, in any order.
    """
    # The trees draw their samples by row number.
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    specification = learn(profiles, answers)
    liked = decisions["liked"].to_numpy(bool)
    names = [name for name, _ in names_and_groups(specification)]
    splits = folds(decisions["group"].to_numpy(np.int64))
    if not teaches(liked, splits):
        return Trained(prior(specification, names, liked), None)
    pairs = _pairs(profiles, decisions, people(specification, profiles, answers))
    base_rate = float(liked.mean())
    ranker, held_out = fit(specification, base_rate, build(specification, base_rate, pairs), liked, splits, seed)
    shown = pairs.viewer * PERIODS + decisions["period"].to_numpy(np.int64)
    found = report(liked, pairs, shown, held_out, base_rate, seed)
    learned = ranker.slope > 0 and beats_random(found)
    return Trained(ranker, found) if learned else Trained(prior(specification, names, liked), None)


def _pairs(profiles: pd.DataFrame, decisions: pd.DataFrame, arrays: People) -> Pairs:
    ids = pd.Index(profiles["profile_id"])
    viewer = ids.get_indexer(pd.Index(decisions["viewer_id"])).astype(np.int64)
    candidate = ids.get_indexer(pd.Index(decisions["candidate_id"])).astype(np.int64)
    return Pairs(arrays, viewer, candidate, history_of(decisions))
