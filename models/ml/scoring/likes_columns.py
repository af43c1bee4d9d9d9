"""The columns of pending likes of the match lists, and rows for viewers who have nothing else."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.scoring.likes_received import LikesReceived
from models.ml.scoring.list_frames import LIKES_NUMBERS, LIKES_REASONS, LIKES_SENDERS, build_empty_rows

NOTHING: tuple[list[str], NDArray[np.float32], NDArray[np.float32], str] = (
    [],
    np.empty(0, np.float32),
    np.empty(0, np.float32),
    "[]",
)


def add_likes_received(lists: pd.DataFrame, likes: LikesReceived, ids: NDArray[np.str_]) -> pd.DataFrame:
    """Add the columns likes_ids, likes_p_like, likes_p_match and likes_reasons to match lists.

    Args:
        lists: A frame of `models.ml.scoring.list_frames`.
        likes: The pending likes, by position in `ids`.
        ids: Profile ids by position.

    Returns:
        The frame with the columns: lists of str, float32 arrays and a JSON array, all in the viewer's order of
        preference. Receivers who are not in the frame get a row without candidates at the end.
    """
    by_receiver = _group_by_receiver(likes, ids.astype(object))
    known = set(lists["viewer_id"])
    missing = [receiver for receiver in by_receiver if receiver not in known]
    rows: pd.DataFrame = pd.concat([lists, build_empty_rows(missing, set(lists.columns))], ignore_index=True)
    cells = [by_receiver.get(viewer, NOTHING) for viewer in rows["viewer_id"]]
    columns = (LIKES_SENDERS, *LIKES_NUMBERS, LIKES_REASONS)
    return rows.assign(
        **{
            name: pd.Series([cell[index] for cell in cells], rows.index, dtype=object if index < 3 else "str")
            for index, name in enumerate(columns)
        }
    )


def _group_by_receiver(
    likes: LikesReceived, names: NDArray[np.object_]
) -> dict[str, tuple[list[str], NDArray[np.float32], NDArray[np.float32], str]]:
    starts = np.flatnonzero(np.diff(likes.receiver, prepend=-1)).tolist()
    senders = names[likes.sender].tolist()
    return {
        str(names[likes.receiver[start]]): (
            senders[start:end],
            likes.p_like[start:end],
            likes.p_match[start:end],
            f"[{', '.join(likes.reasons[start:end])}]",
        )
        for start, end in pairwise([*starts, len(senders)])
    }
