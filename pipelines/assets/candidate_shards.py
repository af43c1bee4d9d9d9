"""Score the eligible candidates of a shard of viewers, and read the scored pairs of all shards."""

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
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest
from pipelines.store.shards import SHARDS, assign_shards

# Columns that change with every run and do not affect the result.
VOLATILE = ["extracted_at"]
# Raise it with every code change that gives other pairs or probabilities for the same inputs: in the candidates,
# retrieval, eligibility, features, history or decision weights of models/ml, or in MAX_CANDIDATES. Earlier shards are
# then scored again.
SCORING_VERSION = 4


@dataclass(frozen=True)
class ScoringInputs:
    """What all shards of one scoring share. Inputs with the same fingerprint are equal."""

    fingerprint: str
    profiles_url: str = field(compare=False)
    interactions_url: str = field(compare=False)
    embeddings: ShardManifest = field(compare=False, repr=False)
    blocks: pd.DataFrame = field(compare=False, repr=False)
    absent: pd.DataFrame = field(compare=False, repr=False)
    """Column profile_id: the users who are nobody's candidates."""
    ranker: Ranker = field(compare=False, repr=False)


@dataclass(frozen=True)
class ScoringTask:
    """The viewers of one shard, and where their scored candidates go."""

    inputs: ScoringInputs
    number: int
    output: str


def fingerprint_inputs(
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    embeddings: ShardManifest,
    blocks: pd.DataFrame,
    absent: pd.DataFrame,
    ranker: Ranker,
    scoring_version: int = SCORING_VERSION,
) -> str:
    """Compute the fingerprint of the inputs of a scoring and of the version of the scoring code.

    The version of the ranker is not part of it. A run that was killed trains again, on the same data to the same
    ranker, and the shards that it had scored are kept.
    """
    with TemporaryDirectory() as folder:
        save_rankers(CrossFittedRanker(ranker, {}), Path(folder))
        parts = [path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())]
    before = [profiles.drop(columns=VOLATILE), interactions]
    after = [blocks, absent, pd.DataFrame({"ranker": parts}), pd.DataFrame({"scoring": [scoring_version]})]
    return compute_fingerprint(*map(convert_to_table, before), embeddings.to_table(), *map(convert_to_table, after))


def plan_scoring(inputs: ScoringInputs, folder: UPath) -> list[ScoringTask]:
    """Return one task for each shard; its file is named by the shard's number and the fingerprint of the inputs."""
    return [
        ScoringTask(inputs, number, str(folder / f"{number:02d}-{inputs.fingerprint}.parquet"))
        for number in range(SHARDS)
    ]


def score_shard(shard: ScoringTask) -> int:
    """Write the scored candidates of a shard and return the number of pairs."""
    context = _load_context(shard.inputs)
    viewers = np.flatnonzero(assign_shards(context.profiles.ids) == shard.number)
    viewer, candidate = select_candidates(context, _load_retrieval_vectors(shard.inputs), viewers)
    scored = score_both_ways(context, viewer, candidate)
    write_table(_build_table(scored, context.profiles.ids), UPath(shard.output))
    return len(viewer)


# All shards of a process share these arrays. Only those of the last scoring are kept.
@lru_cache(maxsize=1)
def _load_context(inputs: ScoringInputs) -> ScoringContext:
    profiles = convert_from_table(read_table(UPath(inputs.profiles_url)))
    return build_scoring_context(
        inputs.ranker,
        profiles,
        convert_from_table(read_table(UPath(inputs.interactions_url))),
        inputs.blocks,
        load_answers(inputs.embeddings),
        find_positions(profiles["profile_id"], inputs.absent["profile_id"]) >= 0,
    )


@lru_cache(maxsize=1)
def _load_retrieval_vectors(inputs: ScoringInputs) -> RetrievalVectors:
    return build_retrieval_vectors(_load_context(inputs))


def _build_table(scored: ScoredPairs, ids: np.ndarray) -> pa.Table:
    """Build the table of scored pairs, with dictionary-encoded ids.

    Indices would refer to other users as soon as a user joins.
    """

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


def load_scored_pairs(manifest: ScoreManifest, ids: pd.Index) -> ScoredPairs:
    """Load all scored pairs of a manifest, as indices into `ids`, in order of viewer."""
    table = pa.concat_tables([read_table(UPath(url)) for url in manifest.urls]).unify_dictionaries().combine_chunks()

    def find_shard_positions(name: str) -> np.ndarray:
        column = table.column(name).chunk(0) if table.num_rows else pa.array([], pa.string()).dictionary_encode()
        return np.asarray(find_positions(column.dictionary, ids)[column.indices.to_numpy()], np.int64)

    viewer, candidate = find_shard_positions("viewer_id"), find_shard_positions("candidate_id")
    order = _order_by_viewer(viewer)
    numbers = [table.column(name).to_numpy()[order] for name in ("p_like", "p_liked_back", "p_match")]
    return ScoredPairs(viewer[order], candidate[order], *numbers)


def _order_by_viewer(viewer: Int64Array) -> Int64Array:
    """Return the rows in order of viewer, int64 (n,).

    The rows of each viewer are consecutive, so whole blocks of rows are moved.
    """
    start = np.flatnonzero(np.diff(viewer, prepend=-1))
    order = np.argsort(viewer[start])
    length = np.diff(start, append=len(viewer))[order]
    moved = start[order] - (np.cumsum(length) - length)
    return np.asarray(np.arange(len(viewer)) + np.repeat(moved, length), np.int64)
