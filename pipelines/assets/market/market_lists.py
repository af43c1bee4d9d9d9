"""Match lists: the scored candidates of each viewer in the order of a market policy."""

import time
from dataclasses import replace

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel, match_most_compatible
from models.ml.market.graph.ranked_lists import select_listed_pairs
from models.ml.market.outcomes.shown_matches import compute_shown_shift, shift_probabilities
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.likes_columns import add_likes_received
from models.ml.scoring.likes_received import find_pending_likes, rank_likes_received
from models.ml.scoring.list_frames import build_list_frame
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.scoring_context import ScoringContext
from models.ml.scoring.withheld_column import add_withheld
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.extract import read_most_compatible, read_passes_of_others
from pipelines.assets.impressions.activity import align_activity
from pipelines.assets.impressions.undecided_views import compute_pair_freshness, read_undecided_views
from pipelines.assets.market.attention_estimates import (
    ATTENTION_FRAME,
    build_attention_metadata,
    estimate_attention,
    store_attention,
)
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.market_inputs import MarketInputs, build_market_inputs, build_users, make_lists
from pipelines.assets.market.market_state import (
    FRAME,
    find_pending_pairs,
    make_generator,
    raise_secret_likes,
    read_market_state,
    weigh_likes_received,
    write_market_state,
)
from pipelines.assets.market.match_outlook import read_match_outlook
from pipelines.reports.market_report import Metadata, build_market_metadata, describe_outcome
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest


@dg.asset(group_name="matches", owners=["team:matching"], kinds={"numpy", "parquet"}, deps=["outcome_head"])
def match_lists(
    context: dg.AssetExecutionContext,
    config: MarketConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    likes: LikesResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    activity: pd.DataFrame,
    profile_embeddings: ShardManifest,
    scored_candidates: ScoreManifest,
) -> dg.Output[pd.DataFrame]:
    """Each viewer's list by the market policy, and the most compatible candidate, with the reasons for each.

    In: `scored_candidates`, `profiles`, `interactions`, `activity`, `profile_embeddings`, the logs of earlier
    publications and, if the configuration asks for it, `outcome_head` and past conversations. Out: a frame, a row a
    viewer: candidate_ids, best first, p_like, p_liked_back, p_match and reasons (all of one length), and withheld_ids,
    the users who passed on the viewer, also for viewers without a list. With MATCHING_LIKES=told also likes_ids, the
    senders of pending likes, likes_p_like, likes_p_match and likes_reasons. The configuration chooses the policy, the
    examination of lists and inboxes, bounds on exposure and what a match is worth; the default is best response with
    examination estimated from logs. The metadata compare it with the order of p_match.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        most_compatible_before, estimate = read_most_compatible(connection, ids), estimate_attention(connection)
        other_passes, undecided = read_passes_of_others(connection, ids), read_undecided_views(connection)
    store_attention(estimate, store.get_frame_path(ATTENTION_FRAME))
    scored = load_scored_pairs(scored_candidates, ids)
    users = build_users(registry, store, profiles, interactions, profile_embeddings, scored_candidates)
    attention = config.build_attention(estimate, told=likes.are_told)
    received = rank_likes_received(users, *find_pending_likes(users)) if likes.are_told else None
    pending, path = find_pending_pairs(scored, users.decisions), store.get_frame_path(FRAME)
    state = read_market_state(path, scored, ids, align_activity(activity, ids))
    if received is not None:
        state = weigh_likes_received(scored, received, state.activity, attention)
    else:
        state = raise_secret_likes(scored, pending, state, config.most_telling, make_generator(interactions))
    state = replace(state, freshness=compute_pair_freshness(undecided, scored, ids))
    write_market_state(path, state, scored, ids)
    with database.open_engine() as engine, engine.connect() as connection:
        outlook = read_match_outlook(config, registry, store, connection, users, scored)
    state = replace(state, worth=outlook.worth)
    market = build_market_inputs(config, attention, scored, state, profiles, users.decisions)
    del state
    listed, couples, metadata = _rank(config, market, scored, most_compatible_before)
    context.log.info(describe_outcome(metadata))
    del market  # the graph is large, and the reasons need memory too
    shift = _compute_shift(scored, listed, pending, attention)
    shown = replace(scored, p_match=shift_probabilities(scored.p_match, shift))
    lists = _withhold(_explain(shown, listed, couples, users), users, other_passes)
    counts = {"pairs": len(listed), "most_compatible_viewers": len(couples), "undecided_views": len(undecided)}
    if received is not None:
        received = replace(received, p_match=shift_probabilities(received.p_match, shift))
        lists, counts["pending_likes"] = add_likes_received(lists, received, users.profiles.ids), len(received.sender)
    known = {"dagster/row_count": len(lists), "p_match_shift": shift, "seconds": round(time.monotonic() - start, 2)}
    more = {**build_attention_metadata(estimate), **outlook.metadata}
    return dg.Output(lists, metadata={**counts, **metadata, **known, **more})


def _rank(
    config: MarketConfig, market: MarketInputs, scored: ScoredPairs, most_compatible_before: Int64Array
) -> tuple[Int64Array, Int64Array, Metadata]:
    """Return the scored pairs that are listed, best first, those of most compatible candidates, and the metadata."""
    chosen = make_lists(config, market)
    metadata = build_market_metadata(market.graph, market.attention, chosen, market.allowance)
    most_compatible = match_most_compatible(market.graph, most_compatible_before)
    couples = np.flatnonzero(scored.candidate == most_compatible[scored.viewer])
    return select_listed_pairs(market.graph, chosen.positions), couples, metadata


def _compute_shift(scored: ScoredPairs, listed: Int64Array, pending: BoolArray, attention: AttentionModel) -> float:
    """Compute the shift of p_match over what the lists show."""
    looks = attention.compute_list_examination()[count_earlier(scored.viewer[listed])]
    return compute_shown_shift(scored.p_like[listed], scored.p_liked_back[listed], pending[listed], looks)


def _explain(scored: ScoredPairs, listed: Int64Array, couples: Int64Array, users: ScoringContext) -> pd.DataFrame:
    """Build the frame of the lists, with reasons.

    Those of a list depend on the list alone, and not on the most compatible candidate, who is another each day.
    """
    reasons = [
        reason
        for rows in (listed, couples)
        for reason in explain_pairs(users.ranker, users.build_pairs(scored.viewer[rows], scored.candidate[rows]))
    ]
    return build_list_frame(scored, listed, couples, reasons, users.profiles.ids)


def _withhold(lists: pd.DataFrame, users: ScoringContext, other_passes: pd.DataFrame) -> pd.DataFrame:
    """Add to the lists the users who passed on each viewer, as of the frames that the lists are made from."""
    ids = users.profiles.ids.astype(object)
    viewer, passer = (ids[side] for side in users.passed_on)
    return add_withheld(lists, [*viewer, *other_passes["viewer_id"]], [*passer, *other_passes["passer_id"]])
