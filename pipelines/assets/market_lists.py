"""The market: from scored candidates to everybody's list and partner of the day."""

import time
from enum import StrEnum

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import Field

from models.ml.arrays import Float64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.decision_weights import count_votes
from models.ml.features.training_pairs import extract_decisions
from models.ml.market import AttentionModel, build_market_graph, match_most_compatible
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.comparison import make_policy_lists
from models.ml.market.graph.ranked_lists import select_listed_pairs
from models.ml.scoring.list_frames import build_list_frame
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from models.ml.scoring.withheld_column import add_withheld
from pipelines.assets.attention_estimates import AttentionEstimate, estimate_attention
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.extract import read_most_compatible, read_passes_of_others
from pipelines.reports.market_report import build_market_metadata
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import load_answers
from pipelines.store.model_registry import ModelRegistry

# Whom somebody blocked is settled before the lists: no scored pair has a block.
NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


class Policy(StrEnum):
    """The policies of models.ml.market, as a choice of the configuration."""

    random = "random"
    naive = "naive"
    product = "product"
    harmonic = "harmonic"
    minimum = "minimum"
    transferable_utility = "transferable_utility"
    best_response = "best_response"


class Examination(StrEnum):
    """The examination curves that have a name."""

    inv = "inv"
    exp = "exp"
    log = "log"
    log2 = "log2"
    flat = "flat"


class MarketConfig(dg.Config):
    """How lists are made from scored candidates."""

    policy: Policy = Field(Policy.best_response, description="What decides who stands where.")
    list_examination: Examination | None = Field(
        None, description="How attention falls along a list; unset: as measured from logs, and inv until there are any."
    )
    inbox_examination: Examination = Field(
        Examination.inv, description="How attention falls along the likes somebody received, where it does."
    )
    inbox_trust: float | None = Field(
        None,
        ge=0,
        le=1,
        description="q, how far to trust that it falls, 0 to 1; unset: as measured from logs, and 0.5 until there "
        "are any.",
    )
    most_views: float | None = Field(
        None,
        ge=1,
        description="Nobody gets more than so many times the mean views, from 1 up; unset: places_per_vote bounds.",
    )
    least_views: float = Field(
        0.0, ge=0, le=1, description="Nobody gets fewer times the mean views, where that is possible, 0 to 1."
    )
    places_per_vote: float | None = Field(
        5.0,
        ge=0,
        description="From 0 up: nobody is on more lists than 1 + this times the votes they received, in means, at the "
        "first place, among the first five and in all; a giver splits at most one vote among those they like. Null: no "
        "bound. Views are bounded instead where most_views or least_views is set.",
    )

    def build_attention(self, measured: AttentionEstimate) -> AttentionModel:
        """What is believed of how people look, from this configuration and the logs."""
        lists: Curve = self.list_examination.value if self.list_examination else measured.lists
        q = measured.inbox_weight if self.inbox_trust is None else self.inbox_trust
        return AttentionModel(lists, self.inbox_examination.value, inbox_weight=q)

    def build_allowance(self, decisions: Decisions, people: int) -> Float64Array | None:
        """How many times the mean of places each person may have, float64 (people,); None for no bound."""
        return None if self.places_per_vote is None else 1 + self.places_per_vote * count_votes(decisions, people)


@dg.asset(group_name="matches", owners=["team:matching"], kinds={"numpy", "parquet"})
def match_lists(
    context: dg.AssetExecutionContext,
    config: MarketConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - asked for, so that it is there when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    profile_embeddings: pd.DataFrame,
    scored_candidates: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Each viewer's list by the market policy, and the partner of the day, with the reasons for each.

    In: `scored_candidates`, `profiles`, `interactions`, `profile_embeddings`, and what the logs say of attention. Out:
    a frame, a row a viewer: candidate_ids, best first, p_like, p_liked_back, p_match and reasons (all of one length),
    and withheld_ids, the people who passed on the viewer, also for viewers without a list.
    The configuration chooses the policy, what is believed of how people look at lists and inboxes, and bounds on
    exposure. Without one it is best response, by what the logs say of attention. The metadata compare all policies.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        partners_before, measured = read_most_compatible(connection, ids), estimate_attention(connection)
        others = read_passes_of_others(connection, ids)
    scored = load_scored_pairs(scored_candidates["url"], ids)
    keys = pd.util.hash_array(ids.to_numpy(object))
    graph = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    attention = config.build_attention(measured)
    allowance = config.build_allowance(extract_decisions(interactions, ids), len(ids))
    chosen = make_policy_lists(graph, attention, config.policy.value, config.most_views, config.least_views, allowance)
    metadata = build_market_metadata(graph, attention, chosen, allowance, context.log.info)
    rows = select_listed_pairs(graph, chosen.positions)
    couples = np.flatnonzero(scored.candidate == match_most_compatible(graph, partners_before)[scored.viewer])
    del graph, chosen  # in a town of 60,000 half a gigabyte, before the reasons take as much
    explained = np.concatenate([rows, couples])
    ranker = registry.load_rankers(scored_candidates["ranker_version"][0]).full
    town = build_scoring_context(ranker, profiles, interactions, NO_BLOCKS, load_answers(profile_embeddings))
    viewer, candidate = scored.viewer[explained], scored.candidate[explained]
    why = explain_pairs(ranker, town.build_pairs(viewer, candidate))
    lists = build_list_frame(scored, rows, couples, why, town.profiles.ids)
    lists = _withhold(lists, town, others)
    counts = {"dagster/row_count": len(lists), "pairs": len(rows), "partners_of_the_day": len(couples)}
    return dg.Output(lists, metadata={**counts, **metadata, "seconds": round(time.monotonic() - start, 2)})


def _withhold(lists: pd.DataFrame, town: ScoringContext, others: pd.DataFrame) -> pd.DataFrame:
    """The lists with who passed on each viewer, as of the frames that the lists are made of."""
    names = town.profiles.ids.astype(object)
    viewer, passer = (names[side] for side in town.passed_on)
    return add_withheld(lists, [*viewer, *others["viewer_id"]], [*passer, *others["passer_id"]])
