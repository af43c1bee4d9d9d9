"""The configuration of the market: policy, examination of lists and inboxes, bounds on exposure."""

from enum import StrEnum

import dagster as dg
from pydantic import Field

from models.ml.arrays import Float64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.decision_weights import count_votes
from models.ml.market import AttentionModel
from models.ml.market.attention.attention_model import LATER_ANSWERS
from models.ml.market.attention.examination_curve import Curve
from pipelines.assets.market.attention_estimates import AttentionEstimate


class Policy(StrEnum):
    """The policies of models.ml.market, as a choice of the configuration."""

    random = "random"
    naive = "naive"
    product = "product"
    harmonic = "harmonic"
    minimum = "minimum"
    transferable_utility = "transferable_utility"
    best_response = "best_response"


class PolicyEvidence(StrEnum):
    """What may be asked for before another policy than the default makes the lists."""

    none = "none"
    off_policy = "off_policy"
    experiment = "experiment"


class Examination(StrEnum):
    """The examination curves that have a name."""

    inv = "inv"
    exp = "exp"
    log = "log"
    log2 = "log2"
    flat = "flat"


class MarketConfig(dg.Config):
    """How lists are made from scored candidates."""

    policy: Policy = Field(Policy.best_response, description="The policy that gives each pair its score.")
    needs_evidence: PolicyEvidence = Field(
        PolicyEvidence.none,
        description="What another policy than best_response must show before it makes the lists: none, off_policy "
        "(the last result of policy_value), or experiment (that of experiment_report). Without it best_response does.",
    )
    list_examination: Examination | None = Field(
        None, description="Examination curve of lists; unset: estimated from logs, toward inv while there are few."
    )
    inbox_examination: Examination = Field(Examination.inv, description="Examination curve of inboxes.")
    inbox_trust: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Weight of the inbox curve, 0 to 1; 0: each like received is examined. Unset: estimated from logs, "
        "from 0.5 at first.",
    )
    most_views: float | None = Field(
        None,
        ge=1,
        description="Most exposure of a user, in times the mean, from 1 up; unset: places_per_vote is the bound.",
    )
    least_views: float = Field(
        0.0, ge=0, le=1, description="Least exposure of a user where candidates allow it, in times the mean, 0 to 1."
    )
    places_per_vote: float | None = Field(
        5.0,
        ge=0,
        description="Bound on how many lists show a user, in times the mean: 1 + this times the votes received, from 0 "
        "up. It holds at the first position, among the first five and in all. A user splits at most one vote among "
        "those they like. Null: no bound. most_views and least_views replace it where they are set.",
    )

    most_telling: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Where likes are secret: with what probability a list may tell that a candidate has liked the "
        "viewer, from above 0 to 1. Each pending like that counts is weighed with decoys.",
    )
    later_answers: float = Field(
        LATER_ANSWERS,
        ge=0,
        description="Where likes are secret: of so many waiting likes a user answers half from later lists, from 0 up.",
    )

    swap_rate: float = Field(
        0.0,
        ge=0,
        le=1,
        description="How often neighbours in a list change places at random, 0 to 1: each list is cut into pairs, from "
        "its first or second position on, and each pair changes places with this probability. The propensities are "
        "stored with the list. 0: never.",
    )

    lasting_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="What the probability that a conversation goes on adds to the worth of a match, 0 to 1. 0: every "
        "match is worth the same; 1: conversations that go on take the place of matches.",
    )
    load_discount: float = Field(
        0.0,
        ge=0,
        description="What each open conversation takes from a user's attention for another one, from 0 up: with c open "
        "ones, 1 / (1 + this times c) is left. 0: open conversations do not count.",
    )

    def build_attention(self, estimate: AttentionEstimate, *, told: bool) -> AttentionModel:
        """Return the attention model of this configuration, with the estimate from logs where it leaves a gap."""
        lists: Curve = self.list_examination.value if self.list_examination else estimate.lists
        weight = estimate.inbox_weight if self.inbox_trust is None else self.inbox_trust
        later = None if told else self.later_answers
        return AttentionModel(lists, self.inbox_examination.value, inbox_weight=weight, later_answers=later)

    def build_allowance(self, decisions: Decisions, people: int) -> Float64Array | None:
        """Return the most positions of each user, in times the mean, float64 (people,); None without a bound."""
        return None if self.places_per_vote is None else 1 + self.places_per_vote * count_votes(decisions, people)
