"""The scoring context: all that scoring needs to know of a population, built once in a process and handed on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Int64Array
from models.ml.eligibility.rules import CandidatePools, build_pools, build_rules
from models.ml.features.decision_history import DecisionHistory, Decisions, build_decision_history
from models.ml.features.pair_features import Pairs
from models.ml.features.training_pairs import extract_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.id_lookup import find_positions
from models.ml.profiles.profile_matrix import ProfileMatrix, build_profile_matrix
from models.ml.ranker.ranker_model import Ranker
from models.ml.ranker.residuals import compute_residuals

NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@dataclass(frozen=True)
class ScoringContext:
    """A ranker and n users by position: their profiles, candidate pools, history and excluded pairs."""

    ranker: Ranker
    profiles: ProfileMatrix
    """By the ranker's feature spec."""
    pools: CandidatePools
    history: DecisionHistory
    excluded_pairs: tuple[Int64Array, Int64Array]
    """Viewers and candidates that must not be listed: blocked or passed either way, or liked by the viewer.

    A like of the candidate changes nothing, as the list would reveal it.
    """
    decisions: Decisions
    """The last decision of each user about each other one."""
    absent: BoolArray
    """Who must not be listed, since nobody has seen them for long, (n,). They have lists of their own."""

    @property
    def passed_on(self) -> tuple[Int64Array, Int64Array]:
        """Viewers and candidates whose last decision about the viewer is a pass."""
        passed = ~self.decisions.liked
        return self.decisions.target[passed], self.decisions.actor[passed]

    def build_pairs(self, viewer: Int64Array, candidate: Int64Array) -> Pairs:
        """Build pairs of positions with the history of both users."""
        return Pairs(self.profiles, viewer, candidate, self.history.get_pair_history(viewer, candidate))


def build_scoring_context(
    ranker: Ranker,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    blocks: pd.DataFrame,
    answers: AnswerEmbeddings,
    absent: BoolArray | None = None,
) -> ScoringContext:
    """Build the context of a population: profile matrix, candidate pools, residuals and history.

    Args:
        ranker: The ranker that scores. Residuals are measured from its cold-start part.
        profiles: The accepted profiles. Positions are rows of this frame.
        interactions: The accepted interactions.
        blocks: Columns blocker_id and blocked_id. Blocks of users without a profile here are ignored.
        answers: Embedded answers.
        absent: Who must not be listed, bool (n,); None for nobody.
    """
    ids = pd.Index(profiles["profile_id"])
    decisions = extract_decisions(interactions, ids)
    people = build_profile_matrix(ranker.specification, profiles, answers)
    blocker, blocked = find_positions(blocks["blocker_id"], ids), find_positions(blocks["blocked_id"], ids)
    known = (blocker >= 0) & (blocked >= 0)
    passed = ~decisions.liked
    return ScoringContext(
        ranker=ranker,
        profiles=people,
        pools=build_pools(build_rules(profiles)),
        history=build_decision_history(decisions, compute_residuals(ranker, people, decisions), len(profiles)),
        excluded_pairs=(
            np.concatenate([decisions.actor, decisions.target[passed], blocker[known], blocked[known]]),
            np.concatenate([decisions.target, decisions.actor[passed], blocked[known], blocker[known]]),
        ),
        decisions=decisions,
        absent=np.zeros(len(profiles), bool) if absent is None else absent,
    )
