"""Encode a shard of people: only answers whose text is new, the rest from the shard's earlier file."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from upath import UPath

from models.ml.embeddings import NO_ANSWERS, Answers, concatenate, from_table, pool, to_table
from models.ml.encoder import DIMENSIONS, content_hash, encode, text_hash
from pipelines.frame_store import fingerprint, read_table, write_table
from pipelines.frame_store import to_table as frame_table
from pipelines.shards import SHARDS, earlier, shard_of


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
    """Write the shard's vectors; return how many answers were encoded anew."""
    known = _vectors([from_table(read_table(UPath(url))) for url in shard.earlier])
    text_of = dict(zip(shard.answers["text_hash"], shard.answers["text"], strict=True))
    new = [each for each in text_of if each not in known]
    vectors = encode([text_of[each] for each in new]).astype(np.float16)
    known.update(zip(new, vectors, strict=True))
    mine = [known[each] for each in shard.answers["text_hash"]]
    stacked = np.stack(mine) if mine else np.empty((0, DIMENSIONS), np.float16)
    write_table(to_table(Answers(shard.answers.drop(columns="text"), stacked)), UPath(shard.output))
    return len(new)


def _vectors(parts: list[Answers]) -> dict[str, np.ndarray]:
    together = concatenate(parts) if parts else NO_ANSWERS
    return dict(zip(together.keys["text_hash"], together.vectors, strict=True))


def load_answers(manifest: pd.DataFrame) -> Answers:
    """All embedded answers of a manifest of shards."""
    return concatenate([from_table(read_table(UPath(url))) for url in manifest["url"]])


def stored_rows(profiles: pd.DataFrame, answers: Answers) -> list[tuple[str, str, NDArray[np.floating]]]:
    """Profile id, content hash and vector of everybody who answered something, as `models.db.embeddings` takes them."""
    ids, vectors = pool(answers)
    hashes = dict(zip(profiles["profile_id"], profiles["texts"].map(content_hash), strict=True))
    return [(each, hashes[each], vector) for each, vector in zip(ids.tolist(), vectors, strict=True)]
