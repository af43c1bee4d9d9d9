"""Match lists as a frame: one row for each viewer, best candidate first."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from itertools import chain, compress, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.db.match_lists import MatchList, MostCompatibleEntry
from models.ml.arrays import BoolArray, Int64Array
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.candidates import ScoredPairs

PROBABILITIES = ("p_like", "p_liked_back", "p_match")
WITHHELD, PROPENSITIES = "withheld_ids", "propensities"
LIKES_SENDERS, LIKES_NUMBERS, LIKES_REASONS = "likes_ids", ("likes_p_like", "likes_p_match"), "likes_reasons"
MOST_COMPATIBLE_COLUMNS = ("most_compatible_id", "most_compatible_p_match", "most_compatible_reasons")
NO_MOST_COMPATIBLE = (None, None, None)
LISTED_COLUMNS = ("viewer_id", "candidate_ids", MOST_COMPATIBLE_COLUMNS[0], LIKES_SENDERS)
"""The columns of who is shown to whom, a small part of the frame."""
LISTS_PER_BATCH = 2_000


def build_list_frame(
    scored: ScoredPairs,
    listed: Int64Array,
    couples: Int64Array,
    reasons: Sequence[str],
    ids: NDArray[np.str_],
) -> pd.DataFrame:
    """Build the frame of match lists.

    Args:
        scored: All scored pairs.
        listed: Rows of `scored` in the order of the lists; the rows of a viewer must stand together.
        couples: Rows of `scored` with the most compatible candidates, at most one for each viewer with a list.
        reasons: JSON from `models.ml.scoring.match_reasons` for each row of `listed`, then for each row of `couples`.
        ids: Profile ids by position.

    Returns:
        Columns viewer_id, candidate_ids (list of str), p_like, p_liked_back and p_match (float32 arrays), reasons (a
        JSON array with the reasons of each candidate), most_compatible_id (None if there is none),
        most_compatible_p_match and most_compatible_reasons (JSON).
    """
    viewer = scored.viewer[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    bounds = list(pairwise([*starts.tolist(), len(viewer)]))
    # As objects: lists then share the strings, where an array of text would copy them.
    names = ids.astype(object)
    candidates = names[scored.candidate[listed]].tolist()
    numbers = {name: getattr(scored, name)[listed] for name in PROBABILITIES}
    return pd.DataFrame(
        {
            "viewer_id": names[viewer[starts]],
            "candidate_ids": [candidates[start:end] for start, end in bounds],
            **{name: [values[start:end] for start, end in bounds] for name, values in numbers.items()},
            "reasons": _join_json_arrays(reasons, bounds),
            **_build_most_compatible_columns(scored, couples, reasons[len(listed) :], viewer[starts], names),
        }
    )


def _join_json_arrays(reasons: Sequence[str], bounds: Sequence[tuple[int, int]]) -> pd.api.extensions.ExtensionArray:
    """Join the reasons of each list to a JSON array, in batches: all as Python strings would take too much memory."""
    parts = (bounds[at : at + LISTS_PER_BATCH] for at in range(0, len(bounds), LISTS_PER_BATCH))
    texts = ([f"[{', '.join(reasons[start:end])}]" for start, end in part] for part in parts)
    array: pd.api.extensions.ExtensionArray = pd.array(
        pa.chunked_array([pa.array(each, pa.large_string()) for each in texts], pa.large_string()), "str"
    )
    return array


def _build_most_compatible_columns(
    scored: ScoredPairs,
    couples: Int64Array,
    reasons: Sequence[str],
    viewers: Int64Array,
    names: NDArray[np.object_],
) -> dict[str, list[object]]:
    """Build the columns of the most compatible candidates, a row for each viewer."""
    numbers = zip(names[scored.candidate[couples]].tolist(), scored.p_match[couples].tolist(), reasons, strict=True)
    by_viewer = dict(zip(scored.viewer[couples].tolist(), numbers, strict=True))
    rows = [by_viewer.get(viewer, NO_MOST_COMPATIBLE) for viewer in viewers.tolist()]
    return {name: [row[index] for row in rows] for index, name in enumerate(MOST_COMPATIBLE_COLUMNS)}


def explode_lists(frame: pd.DataFrame, ids: "pd.Series[str]") -> tuple[Int64Array, Int64Array]:
    """Return viewers and candidates of the listed pairs alone, as positions in `ids`, (n,) each."""
    length = frame["candidate_ids"].map(len).to_numpy(np.int64)
    candidate = find_positions(list(chain.from_iterable(frame["candidate_ids"])), ids)
    return np.repeat(find_positions(frame["viewer_id"], ids), length), candidate


def extract_pairs(frame: pd.DataFrame, ids: "pd.Series[str]") -> tuple[Int64Array, Int64Array]:
    """Extract all pairs that a frame of match lists shows.

    These are the listed pairs, then the pairs with a most compatible candidate, then the pending likes, if the frame
    has any.

    Returns:
        Viewers and candidates as positions in `ids`, (n,) each, -1 for ids that are not there.
    """
    viewer, most_compatible = find_positions(frame["viewer_id"], ids), frame[MOST_COMPATIBLE_COLUMNS[0]]
    (own, listed), has = explode_lists(frame, ids), most_compatible.notna().to_numpy(bool)
    senders = frame[LIKES_SENDERS] if LIKES_SENDERS in frame else pd.Series([[]] * len(frame), dtype=object)
    receiver = np.repeat(viewer, senders.map(len).to_numpy(np.int64))
    return np.concatenate([own, viewer[has], receiver]), np.concatenate(
        [listed, find_positions(most_compatible[has], ids), find_positions(list(chain.from_iterable(senders)), ids)]
    )


def build_empty_rows(viewers: Sequence[str], columns: Collection[str]) -> pd.DataFrame:
    """Build rows of match lists that hold nothing, for viewers without a list.

    Args:
        viewers: Profile ids.
        columns: The columns of the frame. Those of the most compatible candidate are left out, and so are null.
    """

    def repeat(cell: object) -> "pd.Series[Any]":
        return pd.Series([cell] * len(viewers), dtype=object)

    lists = {name: repeat([]) for name in ("candidate_ids", WITHHELD) if name in columns}
    names = [*PROBABILITIES, *({PROPENSITIES} & set(columns))]
    numbers = {name: repeat(np.empty(0, np.float32)) for name in names}
    reasons = pd.array(pa.array(["[]"] * len(viewers), pa.large_string()), "str")
    return pd.DataFrame({"viewer_id": list(viewers), **lists, **numbers, "reasons": reasons})


def iterate_records(frame: pd.DataFrame) -> Iterator[MatchList]:
    """Yield the rows of a frame of match lists as records for the database."""
    names = [field.name for field in fields(MatchList) if field.name in frame]
    lists = zip(*(frame[name] for name in names), strict=True)
    entries = zip(*(frame[name] for name in MOST_COMPATIBLE_COLUMNS), strict=True)
    for row, (candidate, p_match, reasons) in zip(lists, entries, strict=True):
        # A missing id comes back from a file as NaN.
        most_compatible = MostCompatibleEntry(candidate, p_match, reasons) if isinstance(candidate, str) else None
        yield MatchList(**dict(zip(names, row, strict=True)), most_compatible=most_compatible)


def find_members(column: pa.ChunkedArray, people: Collection[str]) -> pa.ChunkedArray:
    """Find the cells of a column of ids that are among `people`; a missing id is not."""
    return pc.is_in(column.cast(pa.string()), pa.array(sorted(people), pa.string()))


def remove_profiles(table: pa.Table, people: Collection[str]) -> pa.Table:
    """Remove users from a frame of match lists, as the database does at an erasure.

    Their lists are dropped. They disappear from the lists of others, as most compatible candidate, from the withheld
    users and from the pending likes.

    Args:
        table: The frame as an Arrow table.
        people: Ids of the users.

    Returns:
        A new table, or the table itself if it has none of the users.
    """
    if not table.num_rows:  # an empty table has no column types
        return table
    own, listed = (
        find_members(table["viewer_id"], people),
        find_members(pc.list_flatten(table["candidate_ids"]), people),
    )
    coupled = find_members(table[MOST_COMPATIBLE_COLUMNS[0]], people)
    withheld, liked = (_find_in_lists(table, name, people) for name in (WITHHELD, LIKES_SENDERS))
    if not any(pc.any(each).as_py() for each in (own, listed, coupled, withheld, liked)):
        return table
    parallel = ("candidate_ids", *PROBABILITIES, *({PROPENSITIES} & {*table.column_names}))
    columns = _filter_positions(table, parallel, "reasons", ~listed.to_numpy())
    if len(withheld):
        columns[WITHHELD] = _filter_lists(table[WITHHELD], ~withheld.to_numpy())
    if len(liked):
        columns |= _filter_positions(table, (LIKES_SENDERS, *LIKES_NUMBERS), LIKES_REASONS, ~liked.to_numpy())
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    for name in MOST_COMPATIBLE_COLUMNS:
        null = pa.scalar(None, table[name].type)
        table = table.set_column(table.column_names.index(name), name, pc.if_else(coupled, null, table[name]))
    return table.filter(pc.invert(own))


def _find_in_lists(table: pa.Table, name: str, people: Collection[str]) -> pa.ChunkedArray:
    """Find these users among all entries of a column of lists that not every frame has."""
    if name not in table.column_names:
        return pa.chunked_array([], pa.bool_())
    return find_members(pc.list_flatten(table[name]), people)


def _filter_lists(column: pa.ChunkedArray, kept: BoolArray) -> pa.Array:
    """Filter the elements of a column of lists by `kept`, bool (elements of all lists,)."""
    ends = np.cumsum(pc.list_value_length(column).to_numpy())
    offsets = np.concatenate([[0], np.cumsum(kept)])[np.concatenate([[0], ends])]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pc.list_flatten(column).combine_chunks().filter(pa.array(kept))
    )


def _filter_positions(table: pa.Table, names: Sequence[str], reasons_name: str, kept: BoolArray) -> dict[str, pa.Array]:
    """Filter the entries of parallel columns and of their reasons by `kept`, bool (entries of all lists,)."""
    ends = np.cumsum(pc.list_value_length(table[names[0]]).to_numpy())
    starts = np.concatenate([[0], ends])
    before = np.concatenate([[0], np.cumsum(kept)])  # the number of entries kept before each entry
    columns = {name: _filter_lists(table[name], kept) for name in names}
    shorter = np.diff(before[starts]) < np.diff(starts)
    bounds = zip(starts[:-1][shorter], ends[shorter], strict=True)
    texts = table[reasons_name].combine_chunks()
    fewer = [
        json.dumps(list(compress(json.loads(text), kept[start:end])))
        for text, (start, end) in zip(texts.filter(pa.array(shorter)).to_pylist(), bounds, strict=True)
    ]
    reasons = pc.replace_with_mask(texts, pa.array(shorter), pa.array(fewer, texts.type))
    return columns | {reasons_name: reasons}
