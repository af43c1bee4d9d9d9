"""Match lists as a frame: one row a viewer, best candidate first."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from itertools import chain, compress, pairwise

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
WITHHELD = "withheld_ids"
MOST_COMPATIBLE_COLUMNS = ("most_compatible_id", "most_compatible_p_match", "most_compatible_reasons")
NO_MOST_COMPATIBLE = (None, None, None)
LISTS_PER_BATCH = 2_000


def build_list_frame(
    scored: ScoredPairs,
    listed: Int64Array,
    couples: Int64Array,
    reasons: Sequence[str],
    ids: NDArray[np.str_],
) -> pd.DataFrame:
    """The rows `listed` of the scored pairs as lists, in the order given, which must keep viewers together.

    `couples` are the rows of viewers and their partners of the day, at most one a viewer who has a list. `reasons` has
    one entry a listed row, then one a couple, each as `models.ml.scoring.match_reasons` writes it.

    Columns: viewer_id, candidate_ids (list of str), p_like, p_liked_back, p_match (float32 arrays), reasons (JSON, an
    array of reasons a candidate), and the partner of the day: most_compatible_id (None for nobody),
    most_compatible_p_match, most_compatible_reasons (JSON).
    """
    viewer = scored.viewer[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    bounds = list(pairwise([*starts.tolist(), len(viewer)]))
    # Objects, of which a list holds references, where it would hold copies of an array's own text.
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
    """A JSON array a list, some at a time: in a town of 60,000 all of them as Python's own text are half a gigabyte."""
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
    """The columns of the partner of the day, a row a viewer."""
    numbers = zip(names[scored.candidate[couples]].tolist(), scored.p_match[couples].tolist(), reasons, strict=True)
    partner_of = dict(zip(scored.viewer[couples].tolist(), numbers, strict=True))
    rows = [partner_of.get(viewer, NO_MOST_COMPATIBLE) for viewer in viewers.tolist()]
    return {name: [row[at] for row in rows] for at, name in enumerate(MOST_COMPATIBLE_COLUMNS)}


def extract_pairs(frame: pd.DataFrame, ids: "pd.Series[str]") -> tuple[Int64Array, Int64Array]:
    """Every viewer and listed candidate of such a frame, then everybody and their partner of the day.

    Positions in `ids`, int64 (n,) each, -1 for who is not among them.
    """
    viewer, partner = find_positions(frame["viewer_id"], ids), frame[MOST_COMPATIBLE_COLUMNS[0]]
    length, has = frame["candidate_ids"].map(len).to_numpy(np.int64), partner.notna().to_numpy(bool)
    listed = find_positions(list(chain.from_iterable(frame["candidate_ids"])), ids)
    return np.concatenate([np.repeat(viewer, length), viewer[has]]), np.concatenate(
        [listed, find_positions(partner[has], ids)]
    )


def iterate_records(frame: pd.DataFrame) -> Iterator[MatchList]:
    """The rows of such a frame as the database takes them."""
    names = [field.name for field in fields(MatchList) if field.name in frame]
    lists = zip(*(frame[name] for name in names), strict=True)
    partners = zip(*(frame[name] for name in MOST_COMPATIBLE_COLUMNS), strict=True)
    for row, (candidate, p_match, why) in zip(lists, partners, strict=True):
        # A file gives back a missing id as a missing number.
        partner = MostCompatibleEntry(candidate, p_match, why) if isinstance(candidate, str) else None
        yield MatchList(**dict(zip(names, row, strict=True)), most_compatible=partner)


def find_members(column: pa.ChunkedArray, people: Collection[str]) -> pa.ChunkedArray:
    """Which cells of a column of ids are these people's; a missing one is nobody's."""
    return pc.is_in(column.cast(pa.string()), pa.array(sorted(people), pa.string()))


def remove_profiles(table: pa.Table, people: Collection[str]) -> pa.Table:
    """Such a frame, as an Arrow table, without these people; the table itself if they are not in it.

    Their own lists go, and their places in the lists of others, they are nobody's partner of the day, and withheld
    from nobody: as the database has it when somebody is erased.
    """
    if not table.num_rows:  # and so no types
        return table
    own, listed = (
        find_members(table["viewer_id"], people),
        find_members(pc.list_flatten(table["candidate_ids"]), people),
    )
    partner, withheld = find_members(table[MOST_COMPATIBLE_COLUMNS[0]], people), _find_withheld(table, people)
    if not any(pc.any(each).as_py() for each in (own, listed, partner, withheld)):
        return table
    columns = _filter_positions(table, ~listed.to_numpy())
    if len(withheld):
        columns[WITHHELD] = _filter_lists(table[WITHHELD], ~withheld.to_numpy())
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    for name in MOST_COMPATIBLE_COLUMNS:
        nobody = pa.scalar(None, table[name].type)
        table = table.set_column(table.column_names.index(name), name, pc.if_else(partner, nobody, table[name]))
    return table.filter(pc.invert(own))


def _find_withheld(table: pa.Table, people: Collection[str]) -> pa.ChunkedArray:
    """Which of all withheld people are these; none in a frame of before there were any."""
    if WITHHELD not in table.column_names:
        return pa.chunked_array([], pa.bool_())
    return find_members(pc.list_flatten(table[WITHHELD]), people)


def _filter_lists(column: pa.ChunkedArray, kept: BoolArray) -> pa.Array:
    """A column of lists with the elements that are kept, bool (elements of all lists,)."""
    ends = np.cumsum(pc.list_value_length(column).to_numpy())
    offsets = np.concatenate([[0], np.cumsum(kept)])[np.concatenate([[0], ends])]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pc.list_flatten(column).combine_chunks().filter(pa.array(kept))
    )


def _filter_positions(table: pa.Table, kept: BoolArray) -> dict[str, pa.Array]:
    """The columns of lists with the places that are kept, bool (places of all lists,)."""
    ends = np.cumsum(pc.list_value_length(table["candidate_ids"]).to_numpy())
    starts = np.concatenate([[0], ends])
    before = np.concatenate([[0], np.cumsum(kept)])  # how many are kept of those before a place
    columns = {name: _filter_lists(table[name], kept) for name in ("candidate_ids", *PROBABILITIES)}
    shorter = np.diff(before[starts]) < np.diff(starts)
    bounds = zip(starts[:-1][shorter], ends[shorter], strict=True)
    texts = table["reasons"].combine_chunks()
    fewer = [
        json.dumps(list(compress(json.loads(text), kept[start:end])))
        for text, (start, end) in zip(texts.filter(pa.array(shorter)).to_pylist(), bounds, strict=True)
    ]
    reasons = pc.replace_with_mask(texts, pa.array(shorter), pa.array(fewer, texts.type))
    return columns | {"reasons": reasons}
