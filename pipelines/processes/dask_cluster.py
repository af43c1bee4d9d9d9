"""Map shards, and grow trees, on a Dask cluster."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import lightgbm as lgb
import numpy as np
from distributed import Client, as_completed
from numpy.typing import NDArray

from models.db.errors import InputError
from models.ml.arrays import BoolArray, Float32Array, Float64Array

Shard = TypeVar("Shard")
RESPONSE_SECONDS = 5


def map_on_cluster(scheduler: str, function: Callable[[Shard], int], shards: Sequence[Shard]) -> Iterator[int]:
    """The function's counts for each shard, as workers finish them; a shard whose worker died is given to another."""
    with _connect(scheduler) as client:
        # Impure: the same shard must be written again if its file is gone, whatever the scheduler remembers.
        done = as_completed(client.map(function, shards, pure=False), with_results=True)  # type: ignore[no-untyped-call]
        for _, count in done:
            yield int(count)


def train_trees_on_cluster(
    scheduler: str,
    parameters: Mapping[str, object],
    features: Float32Array,
    liked: BoolArray,
    start: Float64Array,
    rounds: int,
) -> lgb.Booster:
    """Grow trees by LightGBM's data-parallel learner (Meng et al. 2016), each worker with its part of the rows.

    The workers speak to each other by TCP, on ports they choose. Each draws rows and finds bins by itself: the trees
    are as those of another seed are, not the same. Raises InputError if the cluster does not answer.
    """
    with _connect(scheduler) as client, warnings.catch_warnings():
        from dask import array  # noqa: PLC0415 - takes a second, for who grows trees
        from lightgbm.dask import DaskLGBMClassifier  # noqa: PLC0415

        # Its own default among them; each worker's threads count.
        warnings.filterwarnings("ignore", "Parameter n(um|_)(_threads|jobs) will be ignored")
        machines = len(client.scheduler_info(n_workers=-1)["workers"])

        def scatter_rows(table: NDArray[Any]) -> array.Array:
            parts = np.array_split(table, machines)
            there = [
                array.from_delayed(held, part.shape, part.dtype)  # type: ignore[no-untyped-call]
                for held, part in zip(client.scatter(parts), parts, strict=True)
            ]
            return cast("array.Array", array.concatenate(there))  # type: ignore[no-untyped-call]

        trees = DaskLGBMClassifier(client=client, n_estimators=rounds, **dict[str, Any](parameters))
        trees.fit(scatter_rows(features), scatter_rows(liked.astype(np.int8)), init_score=scatter_rows(start))
        return lgb.Booster(model_str=trees.booster_.model_to_string())


def _connect(scheduler: str) -> Client:
    try:
        return Client(scheduler, timeout=RESPONSE_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at DASK_SCHEDULER_ADDRESS={scheduler}: start one, or unset it to run in process"
        ) from error
