"""Match lists as a frame: one row a viewer, best candidate first."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.db.match_lists import MatchList
from models.ml.candidates import Scored
from models.ml.reasons import Reason

PROBABILITIES = ("p_like", "p_liked_back", "p_match")


def to_frame(
    scored: Scored, listed: NDArray[np.int64], reasons: Sequence[list[Reason]], ids: NDArray[np.str_]
) -> pd.DataFrame:
    """The rows `listed` of the scored pairs as lists, in the order given, which must keep viewers together.

    Columns: viewer_id, candidate_ids (list of str), p_like, p_liked_back, p_match (lists of float32), reasons (a list
    of reasons a candidate). `reasons` has one entry a listed row.
    """
    viewer = scored.viewer[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    bounds = list(pairwise([*starts.tolist(), len(viewer)]))

    def split(values: Sequence[object]) -> list[list[object]]:
        return [list(values[start:end]) for start, end in bounds]

    return pd.DataFrame(
        {
            "viewer_id": ids[viewer[starts]].tolist(),
            "candidate_ids": split(ids[scored.candidate[listed]].tolist()),
            **{name: split(getattr(scored, name)[listed].tolist()) for name in PROBABILITIES},
            "reasons": split(reasons),
        }
    )


def to_records(frame: pd.DataFrame) -> Iterator[MatchList]:
    """The rows of such a frame as the database takes them."""
    names = [field.name for field in fields(MatchList) if field.name in frame]
    for row in zip(*(frame[name] for name in names), strict=True):
        yield MatchList(**dict(zip(names, row, strict=True)))
