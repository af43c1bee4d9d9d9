"""Scored candidates: each viewer's eligible people, the most promising of them scored in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from scipy.sparse import csr_array

from models.ml.arrays import Float32Array, Int64Array
from models.ml.eligibility.rules import CandidateBlock, ViewerGroup
from models.ml.features.pair_features import build_features_both_ways
from models.ml.kernels.parallel import parallel_map
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.kernels.top_k import TIE_BREAK_KEYS, keep_top_k
from models.ml.scoring.retrieval import RetrievalVectors
from models.ml.scoring.scoring_context import ScoringContext

# Most candidates a viewer that are scored; a pool up to this size is scored whole.
MAX_CANDIDATES = 300
PAIRS_PER_BATCH = 32_768


@dataclass(frozen=True)
class ScoredPairs:
    """n scored pairs: positions int64 (n,) and probabilities float32 (n,); p_match is their product, so symmetric."""

    viewer: Int64Array
    candidate: Int64Array
    p_like: Float32Array
    p_liked_back: Float32Array
    p_match: Float32Array


def select_candidates(
    context: ScoringContext, vectors: RetrievalVectors, viewers: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Each viewer's eligible people: viewer and candidate positions int64 (n,), a viewer's together and in order.

    Viewers who look for much the same people follow each other, so that scoring finds these in the processor's cache:
    to compare their texts takes 0.44 of the time that it takes in order of viewer. `vectors` has its keys in the order
    of the pools. `closed` are pairs (viewer, candidate) not to be shown. Of a pool larger than MOST_CANDIDATES the most
    promising are kept, exactly, by matrix products over the whole pool.
    """
    pools, people = context.pools, len(context.pools.rules.age)
    place = np.full(people, -1)
    place[viewers] = np.arange(len(viewers))
    is_closed = _index_excluded_pairs(place, context.excluded_pairs)
    # Different numbers, evenly spread: masked by a viewer's own, each is as likely as others to be among the largest.
    lot = np.argsort(hash_splitmix64(np.arange(people, dtype=np.uint64))) * (TIE_BREAK_KEYS // max(people, 1))

    def select_of_group(group: ViewerGroup) -> Int64Array:
        block = pools.build_block(group)
        _exclude_pairs(block, is_closed[place[block.viewers]])
        if any(np.count_nonzero(fitting) > MAX_CANDIDATES for fitting in block.pairs):
            _keep_top_candidates(block, _multiply_runs(vectors.queries[block.viewers], vectors.items, block.runs), lot)
        row, column = np.divmod(np.flatnonzero(block.pairs), max(len(block.others), 1))
        return np.sort(place[block.viewers[row]] * people + block.others[column])

    found = parallel_map(select_of_group, pools.iterate_groups(viewers))
    pairs = np.concatenate([np.empty(0, np.int64), *found])
    return viewers[pairs // max(people, 1)], pairs % max(people, 1)


def _index_excluded_pairs(place: Int64Array, closed: tuple[Int64Array, Int64Array]) -> csr_array:
    """Whether a pair is closed, (viewers, people): of those who have a place, -1 for none, among the viewers."""
    row, column = place[closed[0]], closed[1]
    here = row >= 0
    shape = (int(place.max(initial=-1)) + 1, len(place))
    return csr_array((np.ones(here.sum(), bool), (row[here], column[here])), shape=shape)


def _exclude_pairs(block: CandidateBlock, is_closed: csr_array) -> None:
    """Take away what is closed, (viewers of the block, people)."""
    column = np.full(is_closed.shape[1], -1)
    column[block.others] = np.arange(len(block.others))
    row, closed = np.repeat(np.arange(len(block.viewers)), np.diff(is_closed.indptr)), column[is_closed.indices]
    block.pairs[row[closed >= 0], closed[closed >= 0]] = False


def _multiply_runs(queries: Float32Array, keys: Float32Array, runs: Sequence[slice]) -> Float32Array:
    """The promise of viewers, (v, d), and of those in runs of the keys, (n, d): float32 (v, others)."""
    end = list(accumulate((run.stop - run.start for run in runs), initial=0))
    table = np.empty((len(queries), end[-1]), np.float32)
    for run, part in zip(runs, pairwise(end), strict=True):
        np.matmul(queries, keys[run].T, out=table[:, slice(*part)])
    return table


def _keep_top_candidates(block: CandidateBlock, promise: Float32Array, lot: Int64Array) -> None:
    """Equal ones are in an order of each viewer's own.

    Where nobody says anything of themselves all are equal, and everybody must not be shown the same people.
    """
    mask = (hash_splitmix64(block.viewers.astype(np.uint64)) % np.uint64(TIE_BREAK_KEYS)).astype(np.int64)
    keep_top_k(block.pairs, promise, mask, lot[block.others], MAX_CANDIDATES)


def score_both_ways(context: ScoringContext, viewer: Int64Array, candidate: Int64Array) -> ScoredPairs:
    """Score n pairs both ways, from all that is known today, on all cores; a match means both like, so is the product.

    A pair is worth the same from both sides, to the bit, in float32: whatever blocks it is in, on any machine alike.
    """
    ranker = context.ranker
    p_like, p_liked_back = np.empty(len(viewer), np.float32), np.empty(len(viewer), np.float32)

    def score_some(rows: Int64Array) -> None:
        pairs = context.build_pairs(viewer[rows], candidate[rows])
        there, back = build_features_both_ways(ranker.specification, pairs)
        p_like[rows], p_liked_back[rows] = ranker.predict_p_like(there), ranker.predict_p_like(back)

    parallel_map(score_some, _split_rows(np.arange(len(viewer)), PAIRS_PER_BATCH))
    return ScoredPairs(viewer, candidate, p_like, p_liked_back, p_like * p_liked_back)


def _split_rows(positions: Int64Array, size: int) -> list[Int64Array]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]
