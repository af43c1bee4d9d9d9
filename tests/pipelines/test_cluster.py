"""The same shards on a Dask cluster of two processes: the same files, also when a worker is killed on the way."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import psutil
import pytest
from distributed import LocalCluster
from upath import UPath

from models.db.errors import InputError
from pipelines.definitions import registry
from pipelines.encoding import encode_shard, encode_shards
from pipelines.frame_store import from_table, read_table
from pipelines.resources import Compute
from pipelines.scoring import ScoringInputs, score_shard, score_shards
from pipelines.shards import Shard
from tests.pipelines.conftest import Place

NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def inputs(settled: Place) -> ScoringInputs:
    store = settled.home / "store"
    manifest = from_table(read_table(UPath(store / "profile_embeddings.parquet")))
    profiles, interactions = (str(store / f"{name}.parquet") for name in ("profiles", "interactions"))
    ranker = registry(settled.settings).champion().rankers.whole
    return ScoringInputs("scored", profiles, interactions, manifest, NO_BLOCKS, ranker)


def contents(shards: Sequence[Shard]) -> list[bytes]:
    return [Path(shard.output).read_bytes() for shard in shards]


def test_in_process_shards_are_mapped_one_after_the_other_when_asked_for() -> None:
    seen: list[int] = []

    def note(number: int) -> int:
        seen.append(number)
        return number * 10

    counts = iter(Compute().map(note, [3, 1, 2]))
    assert next(counts) == 30
    assert seen == [3]
    assert (list(counts), seen) == ([10, 20], [3, 1, 2])


def test_scored_on_the_cluster_the_files_are_the_same(
    cluster: LocalCluster, inputs: ScoringInputs, tmp_path: Path
) -> None:
    here, there = (score_shards(inputs, UPath(tmp_path / name)) for name in ("here", "there"))
    counts = list(Compute().map(score_shard, here))
    assert sum(counts) > 1000
    assert sorted(Compute(scheduler=cluster.scheduler_address).map(score_shard, there)) == sorted(counts)
    assert contents(here) == contents(there)


def test_encoded_with_a_worker_killed_on_the_way_the_files_are_the_same(
    cluster: LocalCluster, inputs: ScoringInputs, tmp_path: Path
) -> None:
    profiles = from_table(read_table(UPath(inputs.profiles_url))).head(24)
    here, there = (encode_shards(profiles, UPath(tmp_path / name)) for name in ("here", "there"))
    counts = list(Compute().map(encode_shard, here))
    mapped = iter(Compute(scheduler=cluster.scheduler_address).map(encode_shard, there))
    first = next(mapped)
    psutil.Process(cluster.workers[0].pid).kill()
    assert sorted([first, *mapped]) == sorted(counts)
    assert contents(here) == contents(there)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"])
def test_a_cluster_that_does_not_answer_is_told(address: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match=f"no Dask scheduler answers at DASK_SCHEDULER_ADDRESS={address}"):
        list(Compute(scheduler=address).map(len, ["one shard"]))
    assert time.monotonic() - started < 15
