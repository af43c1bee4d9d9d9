"""Encode a shard of people: only answers whose text is new, the rest from the shard's earlier file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from upath import UPath

from models.ml.embeddings import NO_ANSWERS, Answers, concatenate, from_table, pool, to_table
from models.ml.encoder import DIMENSIONS, are_readable, content_hash, encode, text_hash
from pipelines.frame_store import fingerprint, read_table, write_table
from pipelines.frame_store import to_table as frame_table
from pipelines.shards import SHARDS, earlier, shard_of

Vectors = dict[str, NDArray[np.float16]]
"""Vector by text hash, float16 (384,)."""


@dataclass(frozen=True)
class EncodeShard:
    """The answers of one shard's people, and where their vectors go."""

    answers: pd.DataFrame = field(repr=False)
    """profile_id, prompt, text_hash, text; in order of profile and prompt."""
    earlier: tuple[str, ...]
    """URLs of earlier files with people of this shard, whose vectors are used again."""
    output: str


def encode_shards(profiles: pd.DataFrame, folder: UPath) -> list[EncodeShard]:
    """The shards of a profiles frame; a shard's file is named by its number and the fingerprint of its answers."""
    answers = answers_of(profiles)
    shard = shard_of(answers["profile_id"])
    shards = []
    for number in range(SHARDS):
        mine = answers[shard == number].reset_index(drop=True)
        output = folder / f"{number:02d}-{fingerprint(frame_table(mine.drop(columns='text')))}.parquet"
        shards.append(EncodeShard(mine, tuple(map(str, earlier(folder, number))), str(output)))
    return shards


def answers_of(profiles: pd.DataFrame) -> pd.DataFrame:
    """The answers of a profiles frame, one a row: profile_id, prompt, text_hash, text; blank ones left out."""
    rows = [
        (person, prompt, text_hash(text), text)
        for person, texts in zip(profiles["profile_id"], profiles["texts"], strict=True)
        for prompt, text in sorted(texts.items())
        if text.strip()
    ]
    return pd.DataFrame(rows, columns=["profile_id", "prompt", "text_hash", "text"], dtype=str)


def encode_shard(shard: EncodeShard) -> int:
    """Write the shard's vectors; return how many answers were encoded.

    An answer that the encoder cannot read has no row. It is read again whenever the shard is written, which is cheap.
    """
    known = _vectors([from_table(read_table(UPath(url))) for url in shard.earlier])
    new = encode_readable(shard.answers[~shard.answers["text_hash"].isin(list(known))])
    write_table(to_table(attach_vectors(shard.answers, known | new)), UPath(shard.output))
    return len(new)


def encode_readable(answers: pd.DataFrame) -> Vectors:
    """Return the vectors of the answers that the encoder can read, of a frame with text_hash and text."""
    text_of = dict(zip(answers["text_hash"], answers["text"], strict=True))
    readable = are_readable(list(text_of.values()))
    texts = {name: text for (name, text), yes in zip(text_of.items(), readable, strict=True) if yes}
    return dict(zip(texts, encode(list(texts.values())).astype(np.float16), strict=True))


def attach_vectors(answers: pd.DataFrame, vectors: Mapping[str, NDArray[np.float16]]) -> Answers:
    """Return the rows of an answers frame whose text has a vector, with it."""
    has_vector = answers["text_hash"].isin(list(vectors)).to_numpy(bool)
    keys = answers.drop(columns="text")[has_vector].reset_index(drop=True)
    rows = [vectors[each] for each in keys["text_hash"]]
    return Answers(keys, np.stack(rows) if rows else np.empty((0, DIMENSIONS), np.float16))


def _vectors(parts: list[Answers]) -> Vectors:
    together = concatenate(parts) if parts else NO_ANSWERS
    return dict(zip(together.keys["text_hash"], together.vectors, strict=True))


def load_answers(manifest: pd.DataFrame) -> Answers:
    """All embedded answers of a manifest of shards."""
    return concatenate([from_table(read_table(UPath(url))) for url in manifest["url"]])


def stored_rows(profiles: pd.DataFrame, answers: Answers) -> list[tuple[str, str, NDArray[np.floating]]]:
    """Profile id, content hash and vector of everybody with a readable answer, as `models.db.embeddings` takes them."""
    ids, vectors = pool(answers)
    hashes = dict(zip(profiles["profile_id"], profiles["texts"].map(content_hash), strict=True))
    return [(each, hashes[each], vector) for each, vector in zip(ids.tolist(), vectors, strict=True)]
