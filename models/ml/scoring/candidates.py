"""Candidates: the best eligible users of each viewer by retrieval score, scored in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from scipy.sparse import csr_array

from models.ml.arrays import Float32Array, Int64Array
from models.ml.eligibility.rules import CandidateBlock, ViewerGroup
from models.ml.features.pair_features import build_features_both_ways
from models.ml.kernels.code_lookup import find_codes
from models.ml.kernels.parallel import parallel_map
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.kernels.top_k import TIE_BREAK_KEYS, keep_top_k
from models.ml.scoring.retrieval import RetrievalVectors
from models.ml.scoring.scoring_context import ScoringContext

# At most so many candidates of each viewer are scored; smaller pools are scored completely.
MAX_CANDIDATES = 300
PAIRS_PER_BATCH = 32_768


@dataclass(frozen=True)
class ScoredPairs:
    """n scored pairs: positions and probabilities, (n,). p_match is the product of the two others, and symmetric."""

    viewer: Int64Array
    candidate: Int64Array
    p_like: Float32Array
    p_liked_back: Float32Array
    p_match: Float32Array

    def find_rows(self, viewer: Int64Array, candidate: Int64Array) -> Int64Array:
        """Find the rows of k pairs of positions, int64 (k,); -1 for pairs that are not scored or have a -1."""
        # One more than there are, so that a candidate of -1 is not taken for the last one of the viewer before.
        people = 2 + max(int(each.max(initial=-1)) for each in (self.viewer, self.candidate, viewer, candidate))
        return find_codes(viewer * people + candidate, self.viewer.astype(np.int64) * people + self.candidate)


def select_candidates(
    context: ScoringContext, vectors: RetrievalVectors, viewers: Int64Array, max_candidates: int = MAX_CANDIDATES
) -> tuple[Int64Array, Int64Array]:
    """Select the candidates of viewers, exactly: from a larger pool those with the best retrieval scores.

    Args:
        context: The users, their pools and the pairs to exclude.
        vectors: Retrieval vectors of the users; the items are in the order of the pools.
        viewers: Positions, (v,).
        max_candidates: The most candidates of a viewer.

    Returns:
        Positions of viewers and candidates, (n,) each. The pairs of a viewer stand together, in order of candidate.
        Viewers who seek similar candidates follow each other, so that scoring finds these in the processor's cache.
    """
    pools, people = context.pools, len(context.pools.rules.age)
    index = np.full(people, -1)
    index[viewers] = np.arange(len(viewers))
    excluded = _index_excluded_pairs(index, context.excluded_pairs)
    # Distinct, evenly spread keys: under each viewer's mask, every key is equally likely to be among the largest.
    key = np.argsort(hash_splitmix64(np.arange(people, dtype=np.uint64))) * (TIE_BREAK_KEYS // max(people, 1))

    def select_of_group(group: ViewerGroup) -> Int64Array:
        block = pools.build_block(group)
        _exclude_pairs(block, excluded[index[block.viewers]])
        block.pairs[:, context.absent[block.others]] = False
        if any(np.count_nonzero(eligible) > max_candidates for eligible in block.pairs):
            scores = _multiply_runs(vectors.queries[block.viewers], vectors.items, block.runs)
            _keep_top_candidates(block, scores, key, max_candidates)
        row, column = np.divmod(np.flatnonzero(block.pairs), max(len(block.others), 1))
        return np.sort(index[block.viewers[row]] * people + block.others[column])

    found = parallel_map(select_of_group, pools.iterate_groups(viewers))
    pairs = np.concatenate([np.empty(0, np.int64), *found])
    return viewers[pairs // max(people, 1)], pairs % max(people, 1)


def _index_excluded_pairs(index: Int64Array, pairs: tuple[Int64Array, Int64Array]) -> csr_array:
    """Build the matrix of excluded pairs, bool (viewers, users); `index` is each user's row in it, -1 for none."""
    row, column = index[pairs[0]], pairs[1]
    here = row >= 0
    shape = (int(index.max(initial=-1)) + 1, len(index))
    return csr_array((np.ones(here.sum(), bool), (row[here], column[here])), shape=shape)


def _exclude_pairs(block: CandidateBlock, excluded: csr_array) -> None:
    """Remove the excluded pairs, bool (viewers of the block, users), from the block in place."""
    column_of = np.full(excluded.shape[1], -1)
    column_of[block.others] = np.arange(len(block.others))
    row, column = np.repeat(np.arange(len(block.viewers)), np.diff(excluded.indptr)), column_of[excluded.indices]
    block.pairs[row[column >= 0], column[column >= 0]] = False


def _multiply_runs(queries: Float32Array, items: Float32Array, runs: Sequence[slice]) -> Float32Array:
    """Compute the retrieval scores of viewers, (v, d), and of runs of items, (n, d), float32 (v, others)."""
    end = list(accumulate((run.stop - run.start for run in runs), initial=0))
    table = np.empty((len(queries), end[-1]), np.float32)
    for run, part in zip(runs, pairwise(end), strict=True):
        np.matmul(queries, items[run].T, out=table[:, slice(*part)])
    return table


def _keep_top_candidates(block: CandidateBlock, scores: Float32Array, key: Int64Array, most: int) -> None:
    """Keep the best candidates of each viewer in place, with a tie-break order of each viewer's own.

    Empty profiles all have equal scores, and the viewers must not all get the same candidates.
    """
    mask = (hash_splitmix64(block.viewers.astype(np.uint64)) % np.uint64(TIE_BREAK_KEYS)).astype(np.int64)
    keep_top_k(block.pairs, scores, mask, key[block.others], most)


def score_both_ways(
    context: ScoringContext, viewer: Int64Array, candidate: Int64Array, pairs_per_batch: int = PAIRS_PER_BATCH
) -> ScoredPairs:
    """Score n pairs of positions in both directions, on all cores.

    p_match is the same to the bit from both sides of a pair, whatever batch the pair is in.
    """
    ranker = context.ranker
    p_like, p_liked_back = np.empty(len(viewer), np.float32), np.empty(len(viewer), np.float32)

    def score_batch(rows: Int64Array) -> None:
        pairs = context.build_pairs(viewer[rows], candidate[rows])
        there, back = build_features_both_ways(ranker.specification, pairs)
        p_like[rows], p_liked_back[rows] = ranker.predict_p_like(there), ranker.predict_p_like(back)

    parallel_map(score_batch, _split_rows(np.arange(len(viewer)), pairs_per_batch))
    return ScoredPairs(viewer, candidate, p_like, p_liked_back, p_like * p_liked_back)


def _split_rows(positions: Int64Array, size: int) -> list[Int64Array]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]
