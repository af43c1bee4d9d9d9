"""The market: from scored candidates to everybody's list and partner of the day."""

import time
from enum import StrEnum

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import Field

from models.ml.features import Pairs
from models.ml.history import Doubles, Events
from models.ml.lists import to_frame
from models.ml.market import Attention, most_compatible
from models.ml.market import town as market_of
from models.ml.market.comparison import choose
from models.ml.market.examination import Curve
from models.ml.market.lists import listed
from models.ml.pairs import events
from models.ml.population import Population, population
from models.ml.reasons import reasons
from models.ml.standing import count_votes
from models.ml.withheld import add_withheld
from pipelines.attention import Measurements, measure
from pipelines.encoding import load_answers
from pipelines.extract import read_partners, read_passes_of_others
from pipelines.market_report import report
from pipelines.registry import Registry
from pipelines.resources import Database
from pipelines.scoring import load_scored

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

    def attention(self, measured: Measurements) -> Attention:
        """What is believed of how people look, from this configuration and the logs."""
        lists: Curve = self.list_examination.value if self.list_examination else measured.lists
        q = measured.q if self.inbox_trust is None else self.inbox_trust
        return Attention(lists, self.inbox_examination.value, q=q)

    def allowance(self, decided: Events, people: int) -> Doubles | None:
        """How many times the mean of places each person may have, float64 (people,); None for no bound."""
        return None if self.places_per_vote is None else 1 + self.places_per_vote * count_votes(decided, people)


@dg.asset(group_name="matches", owners=["team:matching"], kinds={"numpy", "parquet"})
def match_lists(
    context: dg.AssetExecutionContext,
    config: MarketConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - asked for, so that it is there when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: Database,
    registry: Registry,
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
    with database.engine() as engine, engine.connect() as connection:
        partners_before, measured = read_partners(connection, ids), measure(connection)
        others = read_passes_of_others(connection, ids)
    scored = load_scored(scored_candidates["url"], ids)
    keys = pd.util.hash_array(ids.to_numpy(object))
    market = market_of(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    attention = config.attention(measured)
    allowance = config.allowance(events(interactions, ids), len(ids))
    chosen = choose(market, attention, config.policy.value, config.most_views, config.least_views, allowance)
    metadata = report(market, attention, chosen, allowance, context.log.info)
    rows = listed(market, chosen.placed)
    couples = np.flatnonzero(scored.candidate == most_compatible(market, partners_before)[scored.viewer])
    del market, chosen  # in a town of 60,000 half a gigabyte, before the reasons take as much
    explained = np.concatenate([rows, couples])
    ranker = registry.load(scored_candidates["ranker_version"][0]).whole
    town = population(ranker, profiles, interactions, NO_BLOCKS, load_answers(profile_embeddings))
    viewer, candidate = scored.viewer[explained], scored.candidate[explained]
    why = reasons(ranker, Pairs(town.people, viewer, candidate, town.ledger.of(viewer, candidate)))
    lists = to_frame(scored, rows, couples, why, town.people.ids)
    lists = _withhold(lists, town, others)
    counts = {"dagster/row_count": len(lists), "pairs": len(rows), "partners_of_the_day": len(couples)}
    return dg.Output(lists, metadata={**counts, **metadata, "seconds": round(time.monotonic() - start, 2)})


def _withhold(lists: pd.DataFrame, town: Population, others: pd.DataFrame) -> pd.DataFrame:
    """The lists with who passed on each viewer, as of the frames that the lists are made of."""
    names = town.people.ids.astype(object)
    viewer, passer = (names[side] for side in town.passed_on)
    return add_withheld(lists, [*viewer, *others["viewer_id"]], [*passer, *others["passer_id"]])
