"""Map shards on a Dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from distributed import Client, as_completed

from models.db.errors import InputError

Shard = TypeVar("Shard")
SECONDS_TO_ANSWER = 5


def map_on_cluster(scheduler: str, function: Callable[[Shard], int], shards: Sequence[Shard]) -> Iterator[int]:
    """The function's counts for each shard, as workers finish them; a shard whose worker died is given to another."""
    try:
        client = Client(scheduler, timeout=SECONDS_TO_ANSWER)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at DASK_SCHEDULER_ADDRESS={scheduler}: start one, or unset it to run in process"
        ) from error
    with client:
        # Impure: the same shard must be written again if its file is gone, whatever the scheduler remembers.
        done = as_completed(client.map(function, shards, pure=False), with_results=True)  # type: ignore[no-untyped-call]
        for _, count in done:
            yield int(count)
