"""Map shards and train trees on a Dask cluster."""

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
    """Yield the function's counts for each shard as workers finish. If a worker dies, another one takes its shard.

    Raises:
        InputError: The cluster does not answer.
    """
    with _connect(scheduler) as client:
        # Impure, because a shard whose file is gone must be written again despite the scheduler's cached result.
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
    """Train trees with LightGBM's data-parallel learner (Meng et al. 2016), with a part of the rows on each worker.

    The workers communicate by TCP on ports that they choose. Each samples rows and finds bins separately. The trees
    therefore differ from those of a local training as if trained with another seed.

    Args:
        scheduler: Address of the Dask scheduler.
        parameters: Parameters of LightGBM.
        features: Shape (n, features).
        liked: Labels, shape (n,).
        start: Initial log-odds, shape (n,).
        rounds: Number of trees.

    Raises:
        InputError: The cluster does not answer.
    """
    with _connect(scheduler) as client, warnings.catch_warnings():
        from dask import array  # noqa: PLC0415 - slow to import, and only needed here
        from lightgbm.dask import DaskLGBMClassifier  # noqa: PLC0415

        # LightGBM warns even about its own default; the number of threads of each worker applies.
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
