"""The column of withheld users of the match lists, and rows for viewers without a list."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from models.ml.scoring.list_frames import WITHHELD, build_empty_rows


def add_withheld(lists: pd.DataFrame, viewers: Sequence[str], passers: Sequence[str]) -> pd.DataFrame:
    """Add the column withheld_ids (list of str) to match lists.

    Args:
        lists: A frame of `models.ml.scoring.list_frames`.
        viewers: Ids, (n,).
        passers: Ids of users whose last decision about the viewer is a pass, (n,).

    Returns:
        The frame with the column. Viewers with withheld users but without a list get a row without candidates at the
        end.
    """
    withheld = _group_by_viewer(viewers, passers)
    of_lists = pd.Series([withheld.pop(viewer, []) for viewer in lists["viewer_id"]], lists.index, dtype=object)
    rows = build_empty_rows(list(withheld), set(lists.columns))
    rows[WITHHELD] = pd.Series(list(withheld.values()), dtype=object)
    return pd.concat([lists.assign(**{WITHHELD: of_lists}), rows], ignore_index=True)


def _group_by_viewer(viewers: Sequence[str], passers: Sequence[str]) -> dict[str, list[str]]:
    code, names = pd.factorize(np.asarray(viewers, object))
    ordered = np.asarray(passers, object)[np.argsort(code, kind="stable")]
    ends = np.cumsum(np.bincount(code, minlength=len(names))).tolist()
    return {
        str(name): ordered[start:end].tolist() for name, (start, end) in zip(names, pairwise([0, *ends]), strict=True)
    }
