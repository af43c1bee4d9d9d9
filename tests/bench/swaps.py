"""Measure what swaps of neighbours cost and whom they show more: `python -m tests.bench.swaps`.

Some nights of the product come first, so that there are newcomers and decisions. Then one night's lists are swapped
many times, and judged in the same market by the true probabilities. All rates of a seed share people, lists and pairs.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import typer

from models.ml.arrays import BoolArray, Int32Array
from models.ml.market import LIST_LENGTH, AttentionModel, MarketGraph
from models.ml.market.attention.attention_model import LATER_ANSWERS
from models.ml.market.comparison import make_policy_lists
from models.ml.market.edge_weights import build_weighted_graph, make_idle_state
from models.ml.market.exposure.exposure_bounds import compute_exposure
from models.ml.market.exposure.neighbour_swaps import swap_positions
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.arms.product import PLACES_PER_VOTE, Product
from models.simulation.event_log import open_log
from models.simulation.nightly_lists import count_allowance, train_tonight
from models.simulation.nights import simulate_nights
from models.simulation.world import World
from pipelines.loaders.simulation.simulated_world import build_world

RATES = (0.05, 0.1, 0.2, 0.5, 1.0)
NEW_DAYS = 3
ATTENTION = AttentionModel(later_answers=LATER_ANSWERS)


def measure_seed(people: int, joiners: int, days: int, draws: int, seed: int) -> pd.DataFrame:
    """Return a row a rate: cost in matches, looks gained by newcomers and by the less seen half, support."""
    world = build_world(people, joiners, days + 1, seed, NO_ANSWERS)
    ranker = train_tonight(open_log(world), None)
    product = Product("best_response", ranker=ranker, trained_on=10**9)  # the first ranker stays
    log, _ = simulate_nights(world, product, days)
    scored = product.score(log).scored
    graph = build_graph(world, scored)
    allowance = count_allowance(log, PLACES_PER_VOTE)
    placed = make_policy_lists(graph, ATTENTION, "best_response", allowance=allowance).positions
    judge = build_graph(world, read_truth(world, scored))
    new = (world.joins > max(days - NEW_DAYS, 0)) & world.find_present(days)
    rng = np.random.default_rng(seed)
    rows = []
    for rate in RATES:
        rates = np.full(world.people, rate)
        drawn = [swap_positions(graph, placed, rates, LIST_LENGTH, allowance, rng) for _ in range(draws)]
        lists = [move_positions(graph, judge, each.positions) for each in drawn]
        figures = compare(judge, move_positions(graph, judge, placed), lists, new)
        rows.append({"rate": rate, **figures, "support": drawn[0].support})
    return pd.DataFrame(rows)


def build_graph(world: World, scored: ScoredPairs) -> MarketGraph:
    """Build the market of scored pairs, everybody there and no like waiting."""
    keys = pd.util.hash_array(world.profiles["profile_id"].to_numpy(object))
    state = make_idle_state(world.people, len(scored.viewer))
    return build_weighted_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys, state)


def read_truth(world: World, scored: ScoredPairs) -> ScoredPairs:
    """Return the pairs with the true probabilities of likes."""
    pair = (scored.viewer, scored.candidate)
    like, back = (world.compute_p_like(*sides).astype(np.float32) for sides in (pair, pair[::-1]))
    return replace(scored, p_like=like, p_liked_back=back)


def move_positions(graph: MarketGraph, other: MarketGraph, placed: Int32Array) -> Int32Array:
    """Return positions by edge of another graph of the same pairs."""
    by_pair = np.empty_like(placed)
    by_pair[graph.pair] = placed
    return by_pair[other.pair]


def compare(graph: MarketGraph, before: Int32Array, drawn: Sequence[Int32Array], new: BoolArray) -> dict[str, float]:
    """Compare swapped lists with those before, in percent: the mean of the draws and its spread."""
    looks = np.minimum(ATTENTION.compute_list_examination(), 1)
    matches = count_expected_matches(graph, ATTENTION, before)
    seen = compute_exposure(graph, before, looks)
    costs = [100 * (1 - count_expected_matches(graph, ATTENTION, each) / matches) for each in drawn]
    now = np.mean([compute_exposure(graph, each, looks) for each in drawn], axis=0)
    shown = np.diff(graph.inbox_start) > 0
    few = shown & (seen < np.median(seen[shown]))
    return {
        "cost %": float(np.mean(costs)),
        "draw to draw": float(np.std(costs)),
        "newcomers' looks %": 100 * (now[new].sum() / seen[new].sum() - 1),
        "less seen half's looks %": 100 * (now[few].sum() / seen[few].sum() - 1),
    }


def main(
    people: int = 600,
    joiners: int = 15,
    days: int = 4,
    draws: int = 40,
    seeds: tuple[int, int, int, int] = (1, 2, 3, 4),
) -> None:
    """Print a row for each rate: the mean over seeds and its standard error."""
    found = []
    for seed in seeds:
        found.append(measure_seed(people, joiners, days, draws, seed))
        typer.echo(f"seed {seed}\n{found[-1].round(3).to_string(index=False)}")
    by_rate = pd.concat(found).groupby("rate")
    typer.echo("all seeds, mean and standard error")
    typer.echo(by_rate.agg(["mean", "sem"]).round(3).to_string())


if __name__ == "__main__":
    typer.run(main)
