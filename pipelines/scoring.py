"""Score a shard of viewers against everybody eligible for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from upath import UPath

from models.ml.candidates import Scored, candidates, score
from models.ml.population import Population, population
from models.ml.positions import positions
from models.ml.ranker import Ranker, Rankers, save
from models.ml.retrieval import Promise, promise
from pipelines.encoding import load_answers
from pipelines.frame_store import fingerprint, from_table, read_table, to_table, write_table
from pipelines.shards import SHARDS, shard_of

# What a frame says of when it was made, not of what is in it.
VOLATILE = ["extracted_at"]
# The frame of the blocks that a scoring knew, beside those of the assets: the check of the lists asks it.
BLOCKS = "blocks"
# Raise it with every change of code that makes other pairs or chances of the same inputs: in candidates, retrieval,
# eligibility, features, history or standing of models/ml, or MOST_CANDIDATES. Shards that were scored before count no
# more then.
SCORING = 3


@dataclass(frozen=True)
class ScoringInputs:
    """What all shards of one scoring share. Two are the same if their fingerprints are."""

    fingerprint: str
    profiles_url: str = field(compare=False)
    interactions_url: str = field(compare=False)
    embeddings: pd.DataFrame = field(compare=False, repr=False)
    blocks: pd.DataFrame = field(compare=False, repr=False)
    ranker: Ranker = field(compare=False, repr=False)


@dataclass(frozen=True)
class ScoreShard:
    """The viewers of one shard, and where their scored candidates go."""

    inputs: ScoringInputs
    number: int
    output: str


def inputs_fingerprint(
    profiles: pd.DataFrame, interactions: pd.DataFrame, embeddings: pd.DataFrame, blocks: pd.DataFrame, ranker: Ranker
) -> str:
    """Names the inputs of a scoring, and the code that scores, by their contents.

    The ranker's version is not among them: a run that died trains again, and on the same data to the same ranker, so
    that the shards it had scored still count.
    """
    with TemporaryDirectory() as folder:
        save(Rankers(ranker, {}), Path(folder))
        parts = [path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())]
    frames = [profiles.drop(columns=VOLATILE), interactions, embeddings, blocks, pd.DataFrame({"ranker": parts})]
    return fingerprint(*(to_table(frame) for frame in [*frames, pd.DataFrame({"scoring": [SCORING]})]))


def score_shards(inputs: ScoringInputs, folder: UPath) -> list[ScoreShard]:
    """The shards of a scoring."""
    return [
        ScoreShard(inputs, number, str(folder / f"{number:02d}-{inputs.fingerprint}.parquet"))
        for number in range(SHARDS)
    ]


def score_shard(shard: ScoreShard) -> int:
    """Write the shard's scored candidates; return how many pairs."""
    town = _population(shard.inputs)
    viewers = np.flatnonzero(shard_of(town.people.ids) == shard.number)
    viewer, candidate = candidates(town.pools, _promise(shard.inputs), town.closed, viewers)
    scored = score(shard.inputs.ranker, town.people, town.ledger, viewer, candidate)
    write_table(_to_table(scored, town.people.ids), UPath(shard.output))
    return len(viewer)


# The shards of one process share the arrays; only the last scoring's are kept.
@lru_cache(maxsize=1)
def _population(inputs: ScoringInputs) -> Population:
    return population(
        inputs.ranker,
        from_table(read_table(UPath(inputs.profiles_url))),
        from_table(read_table(UPath(inputs.interactions_url))),
        inputs.blocks,
        load_answers(inputs.embeddings),
    )


@lru_cache(maxsize=1)
def _promise(inputs: ScoringInputs) -> Promise:
    town = _population(inputs)
    return promise(inputs.ranker, town.people, town.ledger, town.pools.order)


def _to_table(scored: Scored, ids: np.ndarray) -> pa.Table:
    """Pairs by id: positions would name other people as soon as somebody joins. A dictionary keeps them small."""

    def named(position: np.ndarray) -> pa.Array:
        used = np.zeros(len(ids), bool)
        used[position] = True
        code = np.cumsum(used, dtype=np.int32) - 1
        return pa.DictionaryArray.from_arrays(pa.array(code[position]), pa.array(ids[used].tolist(), pa.string()))

    return pa.table(
        {
            "viewer_id": named(scored.viewer),
            "candidate_id": named(scored.candidate),
            "p_like": scored.p_like,
            "p_liked_back": scored.p_liked_back,
            "p_match": scored.p_match,
        }
    )


def load_scored(urls: Iterable[str], ids: pd.Index) -> Scored:
    """All scored pairs of the shards at `urls`, by position in `ids`, in order of viewer."""
    table = pa.concat_tables([read_table(UPath(url)) for url in urls]).unify_dictionaries().combine_chunks()

    def position(name: str) -> np.ndarray:
        column = table.column(name).chunk(0) if table.num_rows else pa.array([], pa.string()).dictionary_encode()
        return np.asarray(positions(column.dictionary, ids)[column.indices.to_numpy()], np.int64)

    viewer, candidate = position("viewer_id"), position("candidate_id")
    order = _by_viewer(viewer)
    numbers = [table.column(name).to_numpy()[order] for name in ("p_like", "p_liked_back", "p_match")]
    return Scored(viewer[order], candidate[order], *numbers)


def _by_viewer(viewer: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows in order of viewer, int64 (n,), of viewers whose rows stand together: whole stretches are moved."""
    start = np.flatnonzero(np.diff(viewer, prepend=-1))
    order = np.argsort(viewer[start])
    length = np.diff(start, append=len(viewer))[order]
    moved = start[order] - (np.cumsum(length) - length)
    return np.asarray(np.arange(len(viewer)) + np.repeat(moved, length), np.int64)
