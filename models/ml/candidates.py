"""Scored candidates: each viewer's eligible people, the most promising of them scored in both directions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.eligibility import Matrix, Rules, eligible
from models.ml.features import Pairs, build
from models.ml.history import Ledger
from models.ml.people import Floats, People
from models.ml.ranker import Ranker
from models.ml.ties import mixed

Ints = NDArray[np.int64]

# Most candidates a viewer that are scored; a pool up to this size is scored whole.
MOST_CANDIDATES = 300
# Smaller differences of a dot product of float16 vectors say nothing, and would undo ties.
NEARNESS_STEP = 1e-5
VIEWERS_AT_ONCE = 256
PAIRS_AT_ONCE = 32_768


@dataclass(frozen=True)
class Scored:
    """n scored pairs: positions int64 (n,) and probabilities float32 (n,); p_match is their product, so symmetric."""

    viewer: Ints
    candidate: Ints
    p_like: Floats
    p_liked_back: Floats
    p_match: Floats


def candidates(rules: Rules, people: People, closed: tuple[Ints, Ints], viewers: Ints) -> tuple[Ints, Ints]:
    """Each viewer's eligible people: viewer and candidate positions int64 (n,), in order of viewer, then of candidate.

    `closed` are pairs (viewer, candidate) not to be shown: blocked, or already liked or passed. Of a pool larger than
    MOST_CANDIDATES those nearest in texts and interests are kept, exactly, by matrix products over the whole pool.
    """
    tastes = np.hstack([_centred(people.texts[:, 0].astype(np.float32)), _centred(people.interests.copy())])
    found = [_of_block(rules, tastes, closed, block) for block in _blocks(viewers, VIEWERS_AT_ONCE)]
    none = np.empty(0, np.int64)
    return (
        np.concatenate([none, *(viewer for viewer, _ in found)]),
        np.concatenate([none, *(candidate for _, candidate in found)]),
    )


def _of_block(rules: Rules, tastes: Floats, closed: tuple[Ints, Ints], viewers: Ints) -> tuple[Ints, Ints]:
    open_ = eligible(rules, viewers)
    row_of = np.full(len(tastes), -1)
    row_of[viewers] = np.arange(len(viewers))
    here = row_of[closed[0]] >= 0
    open_[row_of[closed[0][here]], closed[1][here]] = False
    row, candidate = np.nonzero(_nearest(open_, tastes, viewers))
    return viewers[row], candidate.astype(np.int64)


def _centred(vectors: Floats) -> Floats:
    """Vectors less their mean: nobody is near to everyone (Suzuki et al. 2013), unknown ones (zero) are average."""
    known = vectors.any(axis=1)
    if known.any():
        vectors[known] -= vectors[known].mean(axis=0)
    return vectors


def _nearest(open_: Matrix, tastes: Floats, viewers: Ints) -> Matrix:
    """Keep at most MOST_CANDIDATES a row: those whose tastes have the largest dot product with the viewer's."""
    crowded = np.flatnonzero(open_.sum(axis=1) > MOST_CANDIDATES)
    if len(crowded):
        alike = tastes[viewers[crowded]] @ tastes.T
        nearness = np.where(open_[crowded], _with_ties_broken(alike, viewers[crowded]), np.iinfo(np.int64).min)
        kept = np.argpartition(nearness, -MOST_CANDIDATES, axis=1)[:, -MOST_CANDIDATES:]
        open_[crowded] = False
        open_[crowded[:, None], kept] = True
    return open_


def _with_ties_broken(alike: Floats, viewers: Ints) -> Ints:
    """Numbers in the order of `alike`, (viewers, n), with equal ones in an order of each viewer's own.

    Where nobody says anything of themselves all are equal, and everybody must not be shown the same people.
    """
    lot = mixed(np.arange(alike.shape[1], dtype=np.uint64)) >> np.uint64(32)
    mask = mixed(viewers.astype(np.uint64)) >> np.uint64(32)
    steps: Ints = np.rint(alike / NEARNESS_STEP).astype(np.int64) << 32
    steps |= (mask[:, None] ^ lot).astype(np.int64)
    return steps


def score(ranker: Ranker, people: People, ledger: Ledger, viewer: Ints, candidate: Ints) -> Scored:
    """Score n pairs in both directions, in blocks, so that memory does not grow with n but for the result."""
    p_like, p_liked_back = np.empty(len(viewer), np.float32), np.empty(len(viewer), np.float32)
    for rows in _blocks(np.arange(len(viewer)), PAIRS_AT_ONCE):
        pairs = Pairs(people, viewer[rows], candidate[rows], ledger.of(viewer[rows], candidate[rows]))
        p_like[rows] = ranker.p_like(build(ranker.specification, pairs))
        p_liked_back[rows] = ranker.p_like(build(ranker.specification, pairs.reversed()))
    return Scored(viewer, candidate, p_like, p_liked_back, p_like * p_liked_back)


def _blocks(positions: Ints, size: int) -> list[Ints]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]
