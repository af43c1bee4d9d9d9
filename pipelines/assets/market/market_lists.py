"""Match lists: the scored candidates of each viewer in the order of a market policy."""

import time
from dataclasses import replace

import dagster as dg
import pandas as pd

from models.experiments.design.experiment import Experiment
from models.ml.arrays import BoolArray, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel
from models.ml.market.outcomes.shown_matches import compute_shown_shift, shift_probabilities
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.likes_columns import add_likes_received
from models.ml.scoring.likes_received import find_pending_likes, rank_likes_received
from models.ml.scoring.list_frames import build_list_frame
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.propensity_column import add_propensities
from models.ml.scoring.scoring_context import ScoringContext
from models.ml.scoring.withheld_column import add_withheld
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.extract import read_most_compatible, read_passes_of_others
from pipelines.assets.impressions.activity import align_activity
from pipelines.assets.impressions.undecided_views import compute_pair_freshness, read_undecided_views
from pipelines.assets.market.arms.arm_groups import (
    ASSIGNMENTS_FRAME,
    assign_users,
    group_viewers,
    list_arm_users,
    list_swap_rates,
    store_arms,
)
from pipelines.assets.market.arms.arm_lists import make_group_lists, score_arms
from pipelines.assets.market.attention_estimates import (
    ATTENTION_FRAME,
    build_attention_metadata,
    estimate_attention,
    store_attention,
)
from pipelines.assets.market.final_lists import SWAPS, FinalLists, find_couples, rank_lists
from pipelines.assets.market.market_config import MarketConfig, PolicyEvidence
from pipelines.assets.market.market_inputs import MarketInputs, build_market_inputs, build_users, weigh_market
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
from pipelines.assets.market.policies.policy_evidence import choose_policy
from pipelines.reports.market.market_report import describe_outcome
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest


@dg.asset(group_name="matches", owners=["team:matching"], kinds={"numpy", "parquet"}, deps=["outcome_head"])
def match_lists(
    context: dg.AssetExecutionContext,
    config: MarketConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    experiments: dg.ResourceParam[tuple[Experiment, ...]],
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
    examination estimated from logs. The metadata compare it with the order of p_match. Where an experiment runs, the
    viewers of an arm get lists by its configuration. Where neighbours are swapped, also propensities.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    config, evidence = choose_policy(config, store)
    if config.needs_evidence is not PolicyEvidence.none:
        context.log.info(f"{config.policy.value.replace('_', ' ')} makes the lists; evidence: {evidence.sentence}")
    arms = assign_users(experiments, profiles, profiles["extracted_at"].max().date())
    groups = group_viewers(config, arms, len(ids))
    store_arms(arms, ids, store.get_frame_path(ASSIGNMENTS_FRAME))
    with database.open_engine() as engine, engine.connect() as connection:
        most_compatible_before, estimate = read_most_compatible(connection, ids), estimate_attention(connection)
        other_passes, undecided = read_passes_of_others(connection, ids), read_undecided_views(connection)
    store_attention(estimate, store.get_frame_path(ATTENTION_FRAME))
    scored = load_scored_pairs(scored_candidates, ids)
    scored = score_arms(scored, groups, registry, store, profiles, interactions, profile_embeddings)
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

    def weigh_again(own: MarketConfig, pairs: MarketInputs) -> MarketInputs:
        with database.open_engine() as engine, engine.connect() as connection:
            worth = read_match_outlook(own, registry, store, connection, users, scored).worth
        return weigh_market(pairs, own.build_attention(estimate, told=likes.are_told), worth)

    chosen = make_group_lists(config, groups, market, weigh_again)
    rng = make_generator(interactions, SWAPS)
    ranked = rank_lists(chosen, market, list_swap_rates(groups), list_arm_users(arms), rng)
    couples = find_couples(market.graph, scored, most_compatible_before)
    context.log.info(describe_outcome(ranked.metadata))
    del market, chosen  # the graph is large, and the reasons need memory too
    shift = _compute_shift(scored, ranked.listed, pending, attention)
    shown = replace(scored, p_match=shift_probabilities(scored.p_match, shift))
    lists = _withhold(_explain(shown, ranked, couples, users), users, other_passes)
    counts = {"pairs": len(ranked.listed), "most_compatible_viewers": len(couples), "undecided_views": len(undecided)}
    if received is not None:
        received = replace(received, p_match=shift_probabilities(received.p_match, shift))
        lists, counts["pending_likes"] = add_likes_received(lists, received, users.profiles.ids), len(received.sender)
    known = {"dagster/row_count": len(lists), "p_match_shift": shift, "seconds": round(time.monotonic() - start, 2)}
    more = {**build_attention_metadata(estimate), **outlook.metadata, **evidence.figures, "evidence": evidence.sentence}
    return dg.Output(lists, metadata={**counts, **ranked.metadata, **known, **more})


def _compute_shift(scored: ScoredPairs, listed: Int64Array, pending: BoolArray, attention: AttentionModel) -> float:
    """Compute the shift of p_match over what the lists show."""
    looks = attention.compute_list_examination()[count_earlier(scored.viewer[listed])]
    return compute_shown_shift(scored.p_like[listed], scored.p_liked_back[listed], pending[listed], looks)


def _explain(scored: ScoredPairs, ranked: FinalLists, couples: Int64Array, users: ScoringContext) -> pd.DataFrame:
    """Build the frame of the lists, with reasons, and with propensities where anything was random.

    Those of a list depend on the list alone, and not on the most compatible candidate, who is another each day.
    """
    reasons = [
        reason
        for rows in (ranked.listed, couples)
        for reason in explain_pairs(users.ranker, users.build_pairs(scored.viewer[rows], scored.candidate[rows]))
    ]
    lists = build_list_frame(scored, ranked.listed, couples, reasons, users.profiles.ids)
    return lists if ranked.propensity is None else add_propensities(lists, ranked.propensity)


def _withhold(lists: pd.DataFrame, users: ScoringContext, other_passes: pd.DataFrame) -> pd.DataFrame:
    """Add to the lists the users who passed on each viewer, as of the frames that the lists are made from."""
    ids = users.profiles.ids.astype(object)
    viewer, passer = (ids[side] for side in users.passed_on)
    return add_withheld(lists, [*viewer, *other_passes["viewer_id"]], [*passer, *other_passes["passer_id"]])
