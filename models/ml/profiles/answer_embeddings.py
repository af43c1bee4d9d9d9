"""Embeddings of answers, and of profiles as the mean direction of their answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from models.ml.arrays import Float16Array, Float32Array
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER, normalise_rows


@dataclass(frozen=True)
class AnswerEmbeddings:
    """Embedded answers, one per row.

    `keys` has the columns profile_id, prompt and text_hash; `vectors` is float16 (n, dimensions).
    """

    keys: pd.DataFrame
    vectors: Float16Array
    encoder: str
    """Name of the encoder that made the vectors."""

    @property
    def dimensions(self) -> int:
        """Dimensions of the vectors."""
        return int(self.vectors.shape[1])


def make_no_answers(encoder: str, dimensions: int) -> AnswerEmbeddings:
    """Make the embeddings of no answers, by an encoder of this name and so many dimensions."""
    keys = pd.DataFrame({name: pd.Series(dtype=str) for name in ("profile_id", "prompt", "text_hash")})
    return AnswerEmbeddings(keys, np.empty((0, dimensions), np.float16), encoder)


NO_ANSWERS = make_no_answers(DEFAULT_ENCODER, 384)
# In the metadata of an Arrow table, the name of the encoder.
ENCODER_KEY = b"encoder"


def convert_to_table(answers: AnswerEmbeddings) -> pa.Table:
    """Convert to an Arrow table, with the vectors as a fixed-size list column, without a copy per row.

    The table's metadata names the encoder.
    """
    table = pa.Table.from_pandas(answers.keys, preserve_index=False)
    flat = pa.array(np.ascontiguousarray(answers.vectors).reshape(-1))
    table = table.append_column("embedding", pa.FixedSizeListArray.from_arrays(flat, answers.dimensions))
    return table.replace_schema_metadata({**(table.schema.metadata or {}), ENCODER_KEY: answers.encoder.encode()})


def convert_from_table(table: pa.Table) -> AnswerEmbeddings:
    """Convert a table of `convert_to_table` back; one that names no encoder is of the default one."""
    flat = table.column("embedding").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    dimensions = table.schema.field("embedding").type.list_size
    encoder = (table.schema.metadata or {}).get(ENCODER_KEY, DEFAULT_ENCODER.encode()).decode()
    keys = table.drop_columns(["embedding"]).to_pandas()
    return AnswerEmbeddings(keys, flat.astype(np.float16, copy=False).reshape(-1, dimensions), encoder)


def concatenate(parts: Sequence[AnswerEmbeddings]) -> AnswerEmbeddings:
    """Concatenate the rows of all parts, which must be of one encoder, in order; no parts are of the default one."""
    if not parts:
        return NO_ANSWERS
    keys = pd.concat([part.keys for part in parts], ignore_index=True)
    return AnswerEmbeddings(keys, np.concatenate([part.vectors for part in parts]), parts[0].encoder)


def pool_by_profile(answers: AnswerEmbeddings) -> tuple[NDArray[np.str_], Float32Array]:
    """Compute one unit vector per profile: the normalised mean of its answers' vectors.

    Each answer counts the same, whatever its length.

    Returns:
        The profile ids, sorted, and the vectors, float32 (profiles, dimensions).
    """
    owner, ids = pd.factorize(answers.keys["profile_id"], sort=True)
    sums = np.zeros((len(ids), answers.dimensions), np.float32)
    np.add.at(sums, owner, answers.vectors.astype(np.float32))
    return np.asarray(ids, dtype=str), normalise_rows(sums)
