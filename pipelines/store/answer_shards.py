"""Encode the answers of a shard: new texts only; the other vectors come from earlier files of the shard."""

from dataclasses import dataclass, field

import pandas as pd
from upath import UPath

from models.ml.arrays import FloatArray
from models.ml.profiles.answer_embeddings import (
    AnswerEmbeddings,
    concatenate,
    convert_from_table,
    convert_to_table,
    pool_by_profile,
)
from models.ml.profiles.answer_encoding import Vectors, attach_vectors, encode_readable, extract_answers
from models.ml.profiles.encoders.encoder import Encoder
from models.ml.profiles.encoders.opening import EncoderChoice, open_encoder
from pipelines.store.frame_store import compute_fingerprint, read_table, write_table
from pipelines.store.frame_store import convert_to_table as frame_table
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import SHARDS, assign_shards, find_earlier


@dataclass(frozen=True)
class EncodingTask:
    """The answers of the users of one shard, and the file for their vectors."""

    answers: pd.DataFrame = field(repr=False)
    """Columns profile_id, prompt, text_hash, text; in order of profile and prompt."""
    earlier: tuple[str, ...]
    """URLs of earlier files with users of this shard, whose vectors are used again."""
    output: str
    encoder: EncoderChoice


def plan_encoding(
    profiles: pd.DataFrame, folder: UPath, encoder: EncoderChoice, count: int = SHARDS
) -> list[EncodingTask]:
    """Return one task for each of `count` shards of a profiles frame.

    A file is named by the number of the shard and the fingerprint of its answers, which includes their encoder.
    """
    answers = extract_answers(profiles, open_encoder(encoder))
    shard = assign_shards(answers["profile_id"], count)
    shards = []
    for number in range(count):
        mine = answers[shard == number].reset_index(drop=True)
        output = folder / f"{number:02d}-{compute_fingerprint(frame_table(mine.drop(columns='text')))}.parquet"
        shards.append(EncodingTask(mine, tuple(map(str, find_earlier(folder, number))), str(output), encoder))
    return shards


def encode_shard(shard: EncodingTask) -> int:
    """Write the vectors of a shard and return the number of encoded answers.

    An answer that the encoder cannot read has no row. It is tried again whenever the shard is written.
    """
    encoder = open_encoder(shard.encoder)
    known = _index_vectors([convert_from_table(read_table(UPath(url))) for url in shard.earlier], encoder)
    new = encode_readable(shard.answers[~shard.answers["text_hash"].isin(list(known))], encoder)
    write_table(convert_to_table(attach_vectors(shard.answers, known | new, encoder)), UPath(shard.output))
    return len(new)


def _index_vectors(parts: list[AnswerEmbeddings], encoder: Encoder) -> Vectors:
    """Return the vectors of one encoder, by text hash."""
    together = concatenate([part for part in parts if part.encoder == encoder.name])
    return dict(zip(together.keys["text_hash"], together.vectors, strict=True))


def load_answers(manifest: ShardManifest) -> AnswerEmbeddings:
    """Load all embedded answers of a manifest."""
    return concatenate([convert_from_table(read_table(UPath(url))) for url in manifest.urls])


def encode_again(profiles: pd.DataFrame, folder: UPath, encoder: Encoder) -> AnswerEmbeddings:
    """Return the answers of a profiles frame with their vectors: those in a folder of shards, others encoded anew."""
    answers, files = extract_answers(profiles, encoder), sorted(folder.glob("*.parquet")) if folder.exists() else []
    known = _index_vectors([convert_from_table(read_table(path)) for path in files], encoder)
    new = encode_readable(answers[~answers["text_hash"].isin(list(known))], encoder)
    return attach_vectors(answers, known | new, encoder)


def build_embedding_rows(
    profiles: pd.DataFrame, answers: AnswerEmbeddings, encoder: Encoder
) -> list[tuple[str, str, FloatArray]]:
    """Build the rows of `models.db.rows.embedding_rows` for the profiles with a readable answer.

    Returns:
        Profile id, content hash and pooled vector of each profile.
    """
    ids, vectors = pool_by_profile(answers)
    hashes = dict(zip(profiles["profile_id"], profiles["texts"].map(encoder.hash_content), strict=True))
    return [(each, hashes[each], vector) for each, vector in zip(ids.tolist(), vectors, strict=True)]
