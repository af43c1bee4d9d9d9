"""Embeddings of answers, and of profiles as the mean direction of their answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from models.ml.arrays import Float16Array, Float32Array
from models.ml.profiles.encoder import DIMENSIONS, normalise_rows


@dataclass(frozen=True)
class AnswerEmbeddings:
    """Embedded answers, one per row.

    `keys` has the columns profile_id, prompt and text_hash; `vectors` is float16 (n, 384).
    """

    keys: pd.DataFrame
    vectors: Float16Array


NO_ANSWERS = AnswerEmbeddings(
    pd.DataFrame({name: pd.Series(dtype=str) for name in ("profile_id", "prompt", "text_hash")}),
    np.empty((0, DIMENSIONS), np.float16),
)


def convert_to_table(answers: AnswerEmbeddings) -> pa.Table:
    """Convert to an Arrow table, with the vectors as a fixed-size list column, without a copy per row."""
    table = pa.Table.from_pandas(answers.keys, preserve_index=False)
    flat = pa.array(np.ascontiguousarray(answers.vectors).reshape(-1))
    return table.append_column("embedding", pa.FixedSizeListArray.from_arrays(flat, DIMENSIONS))


def convert_from_table(table: pa.Table) -> AnswerEmbeddings:
    """Convert a table of `convert_to_table` back."""
    flat = table.column("embedding").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    keys = table.drop_columns(["embedding"]).to_pandas()
    return AnswerEmbeddings(keys, flat.astype(np.float16, copy=False).reshape(-1, DIMENSIONS))


def concatenate(parts: Sequence[AnswerEmbeddings]) -> AnswerEmbeddings:
    """Concatenate the rows of all parts, in order."""
    if not parts:
        return NO_ANSWERS
    keys = pd.concat([part.keys for part in parts], ignore_index=True)
    return AnswerEmbeddings(keys, np.concatenate([part.vectors for part in parts]))


def pool_by_profile(answers: AnswerEmbeddings) -> tuple[NDArray[np.str_], Float32Array]:
    """Compute one unit vector per profile: the normalised mean of its answers' vectors.

    Each answer counts the same, whatever its length.

    Returns:
        The profile ids, sorted, and the vectors, float32 (profiles, 384).
    """
    owner, ids = pd.factorize(answers.keys["profile_id"], sort=True)
    sums = np.zeros((len(ids), DIMENSIONS), np.float32)
    np.add.at(sums, owner, answers.vectors.astype(np.float32))
    return np.asarray(ids, dtype=str), normalise_rows(sums)
