"""Groups of nearly equal texts, so that no two of a group are on both sides of a split."""

import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from models.ml.arrays import Int64Array

# Texts that share so many words in a row are of one group; digits count as one digit.
WORDS_IN_A_ROW = 5
_WORD = re.compile(r"\w+")


def group_near_duplicates(texts: Sequence[str]) -> Int64Array:
    """Return the group of each text, int64 (len(texts),), from 0.

    Two texts that share five words in a row are of one group, and so is what either shares with a third. A text of
    fewer words is grouped with equal ones.
    """
    rows: list[int] = []
    columns: list[int] = []
    shingles: dict[tuple[str, ...], int] = {}
    for row, text in enumerate(texts):
        words = _WORD.findall(re.sub(r"\d", "0", text.casefold()))
        for start in range(max(1, len(words) - WORDS_IN_A_ROW + 1)):
            rows.append(row)
            columns.append(shingles.setdefault(tuple(words[start : start + WORDS_IN_A_ROW]), len(shingles)))
    nodes = len(texts) + len(shingles)
    shares = sparse.csr_matrix((np.ones(len(rows)), (rows, np.add(columns, len(texts)))), shape=(nodes, nodes))
    return np.asarray(connected_components(shares, directed=False)[1][: len(texts)], np.int64)
