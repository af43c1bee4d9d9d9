"""The market graph: scored pairs grouped into inboxes and linked to lists."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float32Array, FloatArray, Int32Array, Int64Array, UInt64Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.graph.ordering import sort_inboxes

Values = TypeVar("Values", Int32Array, Float32Array)


@dataclass(frozen=True)
class MarketGraph:
    """n scored pairs as edges, grouped by candidate; in each inbox the candidate's most preferred viewer is first.

    "By edge" in other docstrings means this order.

    Attributes:
        viewer: Index of the viewer, int32 (n,) by edge.
        candidate: Index of the candidate, int32 (n,) by edge.
        p_like: Probability that the viewer likes the candidate, float32 (n,) by edge.
        p_liked_back: Probability that the candidate likes the viewer, float32 (n,) by edge.
        p_pending: Probability that the candidate has liked the viewer already, float32 (n,) by edge; a like of the
            viewer is then a match at once.
        pair: Input row of each edge, int32 (n,).
        reverse_edge: The edge of the same two users the other way round, or -1, int32 (n,).
        csr_index: Edges grouped by viewer, int32 (n,).
        inbox_start: Bounds of each user's inbox among the edges, int64 (people + 1,).
        list_start: Bounds of each user's part of `csr_index`, int64 (people + 1,).
        keys: Keys of users, uint64 (people,), from which tie-break keys are computed.
        worth: What a match of the edge is worth to the policies, in times the mean, float32 (n,) by edge, the same for
            the edge the other way round; None: all are worth the same.
    """

    viewer: Int32Array
    candidate: Int32Array
    p_like: Float32Array
    p_liked_back: Float32Array
    p_pending: Float32Array
    pair: Int32Array
    reverse_edge: Int32Array
    csr_index: Int32Array
    inbox_start: Int64Array
    list_start: Int64Array
    keys: UInt64Array
    worth: Float32Array | None = None

    @property
    def match_worth(self) -> Float32Array:
        """What a match of each edge is worth, float32 (n,) by edge, without memory of its own where all are 1."""
        return np.broadcast_to(np.ones(1, np.float32), len(self.pair)) if self.worth is None else self.worth

    @property
    def p_returned(self) -> Float32Array:
        """Probability that a like of the viewer is returned, before or after it is sent, float32 (n,) by edge."""
        return np.asarray(self.p_pending + (1 - self.p_pending) * self.p_liked_back)


def build_market_graph(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: FloatArray,
    p_liked_back: FloatArray,
    keys: UInt64Array | None = None,
    p_pending: FloatArray | None = None,
    worth: FloatArray | None = None,
) -> MarketGraph:
    """Build the graph of n scored pairs, in any order, each (viewer, candidate) once.

    Args:
        viewer: Index of the viewer, (n,).
        candidate: Index of the candidate, (n,).
        p_like: Probability that the viewer likes the candidate, (n,).
        p_liked_back: Probability that the candidate likes the viewer, (n,).
        keys: Tie-break keys, uint64 (people,), such as hashes of ids; None for hashes of the indices.
        p_pending: Probability that the candidate has liked the viewer already, (n,); None for 0.
        worth: What a match is worth, in times the mean, (n,), the same both ways; None: all are worth the same.
    """
    if keys is None:
        last = int(max(viewer.max(initial=-1), candidate.max(initial=-1)))
        keys = hash_splitmix64(np.arange(1, last + 2, dtype=np.uint64))
    people = (viewer.astype(np.int32), candidate.astype(np.int32))
    pending = np.zeros(len(viewer), np.float32) if p_pending is None else p_pending.astype(np.float32)
    graph = _lay_out(*people, p_like.astype(np.float32), p_liked_back.astype(np.float32), pending, keys)
    return graph if worth is None else weigh_matches(graph, worth)


def weigh_matches(graph: MarketGraph, worth: FloatArray) -> MarketGraph:
    """Return the graph in which a match is worth as much as given for each input row, (n,), the same both ways."""
    return replace(graph, worth=gather(worth.astype(np.float32), graph.pair, graph.inbox_start))


def _lay_out(
    viewer: Int32Array,
    candidate: Int32Array,
    p_like: Float32Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    keys: UInt64Array,
) -> MarketGraph:
    inbox_start, list_start = _compute_starts(candidate, len(keys)), _compute_starts(viewer, len(keys))
    lists = _group_by_person(
        _group_by_person(np.arange(len(viewer), dtype=np.int32), candidate, inbox_start), viewer, list_start
    )
    inboxes = _group_by_person(lists, candidate, inbox_start)
    pair = _sort_by_preference(inboxes, inbox_start, viewer, p_liked_back, keys)
    slot = np.empty_like(pair)
    slot[pair] = np.arange(len(pair), dtype=np.int32)
    return MarketGraph(
        gather(viewer, pair, inbox_start),
        np.repeat(np.arange(len(keys), dtype=np.int32), np.diff(inbox_start)),
        gather(p_like, pair, inbox_start),
        gather(p_liked_back, pair, inbox_start),
        gather(p_pending, pair, inbox_start),
        pair,
        _find_reverse_edges(inboxes, lists, viewer, candidate, inbox_start, list_start, slot),
        gather(slot, lists, list_start),
        inbox_start,
        list_start,
        keys,
    )


def gather(values: Values, rows: Int32Array, start: Int64Array) -> Values:
    """Gather the values of rows on all cores."""
    found = np.empty(len(rows), values.dtype)

    def process_range(first: int, last: int) -> None:
        own = slice(start[first], start[last])
        found[own] = values[rows[own]]

    parallel_ranges(process_range, start)
    return found


def _sort_by_preference(
    inboxes: Int32Array, inbox_start: Int64Array, viewer: Int32Array, p_liked_back: Float32Array, keys: UInt64Array
) -> Int32Array:
    """Sort the rows of each inbox by its owner's preference."""
    pair = inboxes.copy()

    def process_range(first: int, last: int) -> None:
        sort_inboxes(first, last, pair, inbox_start, viewer, p_liked_back, keys)

    parallel_ranges(process_range, inbox_start)
    return pair


def _find_reverse_edges(
    inboxes: Int32Array,
    lists: Int32Array,
    viewer: Int32Array,
    candidate: Int32Array,
    inbox_start: Int64Array,
    list_start: Int64Array,
    slot: Int32Array,
) -> Int32Array:
    """Find the reverse of each edge, or -1, from inboxes in order of viewer and lists in order of candidate."""
    mate = np.full_like(slot, -1)

    def process_range(first: int, last: int) -> None:
        _find_reverse_range(first, last, inboxes, lists, viewer, candidate, inbox_start, list_start, slot, mate)

    parallel_ranges(process_range, list_start)
    return mate


def _compute_starts(person: Int32Array, people: int) -> Int64Array:
    return np.concatenate([[0], np.cumsum(np.bincount(person, minlength=people))])


@jit
def _group_by_person(rows: Int32Array, person: Int32Array, start: Int64Array) -> Int32Array:
    """Group rows by person with a stable counting sort, which takes linear time, unlike argsort."""
    free, found = start.copy(), np.empty_like(rows)
    for row in rows:
        found[free[person[row]]] = row
        free[person[row]] += 1
    return found


@jit
def _find_reverse_range(
    first: int,
    last: int,
    inboxes: Int32Array,
    lists: Int32Array,
    viewer: Int32Array,
    candidate: Int32Array,
    inbox_start: Int64Array,
    list_start: Int64Array,
    slot: Int32Array,
    reverse_edge: Int32Array,
) -> None:
    """Merge each person's candidates with the viewers they are shown to."""
    for person in range(first, last):
        own = lists[list_start[person] : list_start[person + 1]]
        inbox = inboxes[inbox_start[person] : inbox_start[person + 1]]
        others, viewers, shown, by = candidate[own], viewer[inbox], 0, 0
        while shown < len(own) and by < len(inbox):
            other, one = others[shown], viewers[by]
            if other == one:
                reverse_edge[slot[own[shown]]] = slot[inbox[by]]
            shown, by = shown + (other <= one), by + (one <= other)
