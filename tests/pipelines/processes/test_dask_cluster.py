"""A Dask cluster of two processes: the same shards and trees as in this process, also when a worker is killed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import LocalCluster
from scipy.special import expit
from upath import UPath

from models.db.errors import InputError
from models.ml.profiles import answer_embeddings
from models.ml.profiles.encoders.opening import MINILM
from models.ml.scoring.scoring_context import NO_BLOCKS
from models.ml.training.fit import TREE_PARAMETERS, train_trees
from pipelines.assets.candidate_shards import ScoringInputs, plan_scoring, score_shard
from pipelines.definitions import build_registry
from pipelines.resources import ComputeResource
from pipelines.store.answer_shards import encode_shard, plan_encoding
from pipelines.store.frame_store import convert_from_table, read_table
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import ShardTask
from tests.pipelines.conftest import Place


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def inputs(settled: Place) -> ScoringInputs:
    store = settled.home / "store"
    manifest = ShardManifest.from_table(read_table(UPath(store / "profile_embeddings.parquet")))
    profiles, interactions = (str(store / f"{name}.parquet") for name in ("profiles", "interactions"))
    ranker = build_registry(settled.settings).get_champion().rankers.full
    return ScoringInputs(
        "scored", profiles, interactions, manifest, NO_BLOCKS, pd.DataFrame({"profile_id": []}), ranker
    )


def contents(shards: Sequence[ShardTask]) -> list[bytes]:
    return [Path(shard.output).read_bytes() for shard in shards]


def test_scored_on_the_cluster_the_files_are_the_same(
    cluster: LocalCluster, inputs: ScoringInputs, tmp_path: Path
) -> None:
    here, there = (plan_scoring(inputs, UPath(tmp_path / name)) for name in ("here", "there"))
    counts = list(ComputeResource().map_shards(score_shard, here))
    assert sum(counts) > 1000
    assert sorted(ComputeResource(scheduler=cluster.scheduler_address).map_shards(score_shard, there)) == sorted(counts)
    assert contents(here) == contents(there)


def test_encoded_while_a_worker_is_killed_the_vectors_are_the_same(
    cluster: LocalCluster, inputs: ScoringInputs, tmp_path: Path
) -> None:
    profiles = convert_from_table(read_table(UPath(inputs.profiles_url))).head(24)
    here, there = (plan_encoding(profiles, UPath(tmp_path / name), MINILM) for name in ("here", "there"))
    counts = list(ComputeResource().map_shards(encode_shard, here))
    mapped = iter(ComputeResource(scheduler=cluster.scheduler_address).map_shards(encode_shard, there))
    first = next(mapped)
    psutil.Process(cluster.workers[0].pid).kill()
    assert sorted([first, *mapped]) == sorted(counts)
    for ours, theirs in zip(here, there, strict=True):
        one, other = (answer_embeddings.convert_from_table(read_table(UPath(each.output))) for each in (ours, theirs))
        pd.testing.assert_frame_equal(one.keys, other.keys)
        # A worker has another number of threads, and with it another order of sums.
        np.testing.assert_allclose(one.vectors.astype(np.float32), other.vectors.astype(np.float32), atol=1e-3)


def train(on_cluster: str | None, seed: int = 0, drawn: Mapping[str, float] = MappingProxyType({})) -> np.ndarray:
    """What 40 trees add to log-odds that know nothing of the first two features, of ten values each."""
    random = np.random.default_rng(1)
    features, start = random.integers(0, 10, (20_001, 12)).astype(np.float32), random.normal(size=20_001)
    liked = random.random(20_001) < expit(start + np.tanh(features[:, 1] - features[:, 2]))
    trainer = ComputeResource(scheduler=on_cluster).make_tree_trainer(on_cluster=on_cluster is not None)
    trees = trainer({**TREE_PARAMETERS, "num_threads": 1, "seed": seed, **drawn}, features, liked, start, 40)
    assert trees.num_trees() == 40
    return np.asarray(trees.predict(features, raw_score=True))


def test_trees_of_the_cluster_are_those_of_one_machine(cluster: LocalCluster) -> None:
    """Where nothing is drawn; with draws as different as by another seed."""
    nothing = {"bagging_fraction": 1.0, "feature_fraction": 1.0}
    here, there = (train(where, drawn=nothing) for where in (None, cluster.scheduler_address))
    assert here.std() > 0.3
    np.testing.assert_allclose(there, here, atol=1e-6)
    here, there, elsewhere = train(None), train(cluster.scheduler_address), train(None, seed=1)
    assert np.abs(there - here).mean() < 1.5 * np.abs(elsewhere - here).mean() < 0.3 * here.std()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"])
def test_a_cluster_that_does_not_answer_is_named(address: str) -> None:
    with pytest.raises(InputError, match=f"DASK_SCHEDULER_ADDRESS={address}"):
        list(ComputeResource(scheduler=address).map_shards(len, ["one shard"]))


def test_trees_on_a_cluster_need_one() -> None:
    assert ComputeResource().make_tree_trainer(on_cluster=False) is train_trees
    with pytest.raises(InputError, match="grow_on_cluster"):
        ComputeResource().make_tree_trainer(on_cluster=True)
