"""Score a shard of viewers against everybody eligible for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
from upath import UPath

from models.ml.arrays import Int64Array
from models.ml.profiles.id_lookup import find_positions
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, save_rankers
from models.ml.scoring.candidates import ScoredPairs, score_both_ways, select_candidates
from models.ml.scoring.retrieval import RetrievalVectors, build_retrieval_vectors
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import (
    compute_fingerprint,
    convert_from_table,
    convert_to_table,
    read_table,
    write_table,
)
from pipelines.store.shards import SHARDS, assign_shards

# What a frame says of when it was made, not of what is in it.
VOLATILE = ["extracted_at"]
# Raise it with every change of code that makes other pairs or chances of the same inputs: in candidates, retrieval,
# eligibility, features, history or standing of models/ml, or MOST_CANDIDATES. Shards that were scored before count no
# more then.
SCORING_VERSION = 3


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
class ScoringTask:
    """The viewers of one shard, and where their scored candidates go."""

    inputs: ScoringInputs
    number: int
    output: str


def fingerprint_inputs(
    profiles: pd.DataFrame, interactions: pd.DataFrame, embeddings: pd.DataFrame, blocks: pd.DataFrame, ranker: Ranker
) -> str:
    """Names the inputs of a scoring, and the code that scores, by their contents.

    The ranker's version is not among them: a run that died trains again, and on the same data to the same ranker, so
    that the shards it had scored still count.
    """
    with TemporaryDirectory() as folder:
        save_rankers(CrossFittedRanker(ranker, {}), Path(folder))
        parts = [path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())]
    frames = [profiles.drop(columns=VOLATILE), interactions, embeddings, blocks, pd.DataFrame({"ranker": parts})]
    return compute_fingerprint(
        *(convert_to_table(frame) for frame in [*frames, pd.DataFrame({"scoring": [SCORING_VERSION]})])
    )


def plan_scoring(inputs: ScoringInputs, folder: UPath) -> list[ScoringTask]:
    """The shards of a scoring."""
    return [
        ScoringTask(inputs, number, str(folder / f"{number:02d}-{inputs.fingerprint}.parquet"))
        for number in range(SHARDS)
    ]


def score_shard(shard: ScoringTask) -> int:
    """Write the shard's scored candidates; return how many pairs."""
    town = _load_context(shard.inputs)
    viewers = np.flatnonzero(assign_shards(town.profiles.ids) == shard.number)
    viewer, candidate = select_candidates(town, _load_retrieval_vectors(shard.inputs), viewers)
    scored = score_both_ways(town, viewer, candidate)
    write_table(_build_table(scored, town.profiles.ids), UPath(shard.output))
    return len(viewer)


# The shards of one process share the arrays; only the last scoring's are kept.
@lru_cache(maxsize=1)
def _load_context(inputs: ScoringInputs) -> ScoringContext:
    return build_scoring_context(
        inputs.ranker,
        convert_from_table(read_table(UPath(inputs.profiles_url))),
        convert_from_table(read_table(UPath(inputs.interactions_url))),
        inputs.blocks,
        load_answers(inputs.embeddings),
    )


@lru_cache(maxsize=1)
def _load_retrieval_vectors(inputs: ScoringInputs) -> RetrievalVectors:
    return build_retrieval_vectors(_load_context(inputs))


def _build_table(scored: ScoredPairs, ids: np.ndarray) -> pa.Table:
    """Pairs by id: positions would name other people as soon as somebody joins. A dictionary keeps them small."""

    def encode_ids(position: np.ndarray) -> pa.Array:
        used = np.zeros(len(ids), bool)
        used[position] = True
        code = np.cumsum(used, dtype=np.int32) - 1
        return pa.DictionaryArray.from_arrays(pa.array(code[position]), pa.array(ids[used].tolist(), pa.string()))

    return pa.table(
        {
            "viewer_id": encode_ids(scored.viewer),
            "candidate_id": encode_ids(scored.candidate),
            "p_like": scored.p_like,
            "p_liked_back": scored.p_liked_back,
            "p_match": scored.p_match,
        }
    )


def load_scored_pairs(urls: Iterable[str], ids: pd.Index) -> ScoredPairs:
    """All scored pairs of the shards at `urls`, by position in `ids`, in order of viewer."""
    table = pa.concat_tables([read_table(UPath(url)) for url in urls]).unify_dictionaries().combine_chunks()

    def find_shard_positions(name: str) -> np.ndarray:
        column = table.column(name).chunk(0) if table.num_rows else pa.array([], pa.string()).dictionary_encode()
        return np.asarray(find_positions(column.dictionary, ids)[column.indices.to_numpy()], np.int64)

    viewer, candidate = find_shard_positions("viewer_id"), find_shard_positions("candidate_id")
    order = _order_by_viewer(viewer)
    numbers = [table.column(name).to_numpy()[order] for name in ("p_like", "p_liked_back", "p_match")]
    return ScoredPairs(viewer[order], candidate[order], *numbers)


def _order_by_viewer(viewer: Int64Array) -> Int64Array:
    """The rows in order of viewer, int64 (n,), of viewers whose rows stand together: whole stretches are moved."""
    start = np.flatnonzero(np.diff(viewer, prepend=-1))
    order = np.argsort(viewer[start])
    length = np.diff(start, append=len(viewer))[order]
    moved = start[order] - (np.cumsum(length) - length)
    return np.asarray(np.arange(len(viewer)) + np.repeat(moved, length), np.int64)
