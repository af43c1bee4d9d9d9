"""Candidates and scores of a whole town, shard by shard as the pipeline makes them, beside the bare matrix product."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.eligibility.rules import find_eligible
from models.ml.kernels.parallel import parallel_map
from models.ml.scoring.candidates import MAX_CANDIDATES, score_both_ways, select_candidates
from models.ml.scoring.retrieval import RetrievalVectors, build_retrieval_vectors
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.store.shards import SHARDS, assign_shards
from pipelines.workspace import Workspace
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of

Result = TypeVar("Result")

BEST = 50
KEPT = f"kept of the ranker's {BEST}"
RATIO = "candidates over bare product"
PRODUCT = "bare product, s"
OF_SHARDS = "share of the shards"
WARM_UP = 300  # viewers for the compiler, before the clock runs


def matching(home: Path, asked: int, shards: int) -> Figures:
    """Figures of a town that was run, with the ranker that scored it."""
    here = Workspace(settings_of(home))
    return compared(here.context, asked, shards)


def compared(town: ScoringContext, asked: int, shards: int) -> Figures:
    """Figures of a town; of its shards only so many are gone through, and `asked` viewers tell what is kept."""
    spent, made = clocked(partial(build_retrieval_vectors, town))
    viewer, candidate = select_candidates(town, made, np.arange(min(WARM_UP, len(town.profiles))))
    score_both_ways(town, viewer[:1_000], candidate[:1_000])
    found = _by_shard(town, made, shards)
    return {"promise, s": float(spent[0]), OF_SHARDS: shards / SHARDS} | found | {KEPT: kept(town, made, asked)}


def _by_shard(town: ScoringContext, made: RetrievalVectors, shards: int) -> Figures:
    """Seconds of candidates, of the bare product over the same blocks right after, and of scores."""
    of_person = assign_shards(town.profiles.ids)
    ours, bare, scoring, size = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2)
    pairs = 0
    for shard in range(shards):
        viewers = np.flatnonzero(of_person == shard)
        spent, (viewer, candidate) = clocked(partial(select_candidates, town, made, viewers))
        ours += spent
        spent, eligible_of_all = _bare(town, made, viewers)
        bare, size = bare + spent, size + eligible_of_all
        scoring += clocked(partial(score_both_ways, town, viewer, candidate))[0]
        pairs += len(viewer)
    figures = {
        "candidates, s": ours[0],
        PRODUCT: bare[0],
        RATIO: ours[0] / bare[0],
        f"{RATIO}, processor time": ours[1] / bare[1],
        "eligible share of the product": size[0] / size[1],
        "scores, s": scoring[0],
        "pairs scored both ways a second": pairs / scoring[0],
        "the same, of processor time": pairs / scoring[1],
    }
    return {name: float(value) for name, value in figures.items()}


def _bare(town: ScoringContext, made: RetrievalVectors, viewers: Int64Array) -> tuple[Float64Array, tuple[int, int]]:
    """Seconds of nothing but the products of the viewers' blocks; how many pairs may see each other, of how many."""
    pools = town.pools
    blocks = [pools.build_block(group) for group in pools.iterate_groups(viewers)]
    of_block = [(made.queries[block.viewers], block.runs) for block in blocks]
    spent, _ = clocked(partial(parallel_map, partial(_products, made.items), of_block))
    return spent, (sum(int(block.pairs.sum()) for block in blocks), sum(block.pairs.size for block in blocks))


def _products(keys: Float32Array, block: tuple[Float32Array, Sequence[slice]]) -> None:
    """Nothing but the products of a block."""
    queries, runs = block
    for run in runs:
        queries @ keys[run].T


def kept(town: ScoringContext, made: RetrievalVectors, asked: int) -> float:
    """Of the ranker's own BEST over all who are eligible, the share that is among the candidates.

    Mean over `asked` viewers drawn at random, of those who may see more than are scored.
    """
    viewers = np.sort(
        np.random.default_rng(1).choice(len(town.profiles), min(asked, len(town.profiles)), replace=False)
    )
    viewer, candidate = select_candidates(town, made, viewers)
    shares = []
    for one, fitting in zip(viewers.tolist(), find_eligible(town.pools.rules, viewers), strict=True):
        fitting[town.excluded_pairs[1][town.excluded_pairs[0] == one]] = False
        pool = np.flatnonzero(fitting)
        if len(pool) > MAX_CANDIDATES:
            scored = score_both_ways(town, np.full(len(pool), one), pool)
            best = pool[np.argsort(-scored.p_match, kind="stable")[:BEST]]
            shares.append(np.isin(best, candidate[viewer == one]).mean())
    return float(np.mean(shares)) if shares else 1.0


def clocked(work: Callable[[], Result]) -> tuple[Float64Array, Result]:
    """Seconds by the clock and of the processor, and the result."""
    start, worked = time.perf_counter(), time.process_time()
    done = work()
    return np.array([time.perf_counter() - start, time.process_time() - worked]), done
