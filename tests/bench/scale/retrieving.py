"""Candidates and scores, shard by shard as the pipeline makes them, beside the bare matrix product."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.eligibility.rules import find_eligible
from models.ml.kernels.parallel import parallel_map
from models.ml.scoring.candidates import MAX_CANDIDATES, score_both_ways, select_candidates
from models.ml.scoring.retrieval import RetrievalVectors, build_retrieval_vectors
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.store.shards import SHARDS, assign_shards
from pipelines.workspace import Workspace
from tests.bench.figures import Figures, clocked
from tests.bench.scale.founding import settings_of

BEST = 50
KEPT = f"kept of the ranker's {BEST}"
RATIO = "candidates over bare product"
PRODUCT = "bare product, s"
OF_SHARDS = "share of the shards"
WARM_UP = 300  # viewers for the compiler, before the clock runs


def retrieving(home: Path, asked: int, shards: int) -> Figures:
    """Figures of a population that was run, with the ranker that scored it."""
    return compared(Workspace(settings_of(home)).context, asked, shards)


def compared(context: ScoringContext, asked: int, shards: int) -> Figures:
    """Figures of only so many shards; `asked` viewers say what is kept."""
    spent, vectors = clocked(partial(build_retrieval_vectors, context))
    viewer, candidate = select_candidates(context, vectors, np.arange(min(WARM_UP, len(context.profiles))))
    score_both_ways(context, viewer[:1_000], candidate[:1_000])
    figures = {"promise, s": float(spent[0]), OF_SHARDS: shards / SHARDS} | _by_shard(context, vectors, shards)
    people = len(context.profiles)
    viewers = np.sort(np.random.default_rng(1).choice(people, min(asked, people), replace=False))
    return figures | {KEPT: kept(context, viewers, select_candidates(context, vectors, viewers))}


def _by_shard(context: ScoringContext, vectors: RetrievalVectors, shards: int) -> Figures:
    """Seconds of candidates, of the bare product over the same blocks right after, and of scores."""
    shard_of = assign_shards(context.profiles.ids)
    retrieval, bare, scoring, size = np.zeros((4, 2))
    pairs = 0
    for shard in range(shards):
        viewers = np.flatnonzero(shard_of == shard)
        spent, (viewer, candidate) = clocked(partial(select_candidates, context, vectors, viewers))
        retrieval += spent
        spent, eligible_of_all = _bare(context, vectors, viewers)
        bare, size = bare + spent, size + eligible_of_all
        scoring += clocked(partial(score_both_ways, context, viewer, candidate))[0]
        pairs += len(viewer)
    figures = {
        "candidates, s": retrieval[0],
        PRODUCT: bare[0],
        RATIO: retrieval[0] / bare[0],
        f"{RATIO}, processor time": retrieval[1] / bare[1],
        "eligible share of the product": size[0] / size[1],
        "scores, s": scoring[0],
        "pairs scored both ways a second": pairs / scoring[0],
        "the same, of processor time": pairs / scoring[1],
    }
    return {name: float(value) for name, value in figures.items()}


def _bare(
    context: ScoringContext, vectors: RetrievalVectors, viewers: Int64Array
) -> tuple[Float64Array, tuple[int, int]]:
    """Seconds of nothing but the products of the viewers' blocks; how many pairs are eligible, of how many."""
    blocks = [context.pools.build_block(group) for group in context.pools.iterate_groups(viewers)]
    factors = [(vectors.queries[block.viewers], block.runs) for block in blocks]
    spent, _ = clocked(partial(parallel_map, partial(_multiply, vectors.items), factors))
    return spent, (sum(int(block.pairs.sum()) for block in blocks), sum(block.pairs.size for block in blocks))


def _multiply(items: Float32Array, block: tuple[Float32Array, Sequence[slice]]) -> None:
    queries, runs = block
    for run in runs:
        queries @ items[run].T


def kept(
    context: ScoringContext,
    viewers: Int64Array,
    chosen: tuple[Int64Array, Int64Array],
    best: int = BEST,
    most: int = MAX_CANDIDATES,
) -> float:
    """Of the ranker's own best over all who are eligible, the share that is among the chosen, viewers and candidates.

    Mean over the viewers who have more than `most` eligible users.
    """
    viewer, candidate = chosen
    shares = []
    for one, eligible in zip(viewers.tolist(), find_eligible(context.pools.rules, viewers), strict=True):
        eligible[context.excluded_pairs[1][context.excluded_pairs[0] == one]] = False
        pool = np.flatnonzero(eligible)
        if len(pool) > most:
            scored = score_both_ways(context, np.full(len(pool), one), pool)
            top = pool[np.argsort(-scored.p_match, kind="stable")[:best]]
            shares.append(np.isin(top, candidate[viewer == one]).mean())
    return float(np.mean(shares)) if shares else 1.0
