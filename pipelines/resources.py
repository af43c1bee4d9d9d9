"""What the assets are given: the database, the store of shards, the compute, the registry."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import dagster as dg
from sqlalchemy import Engine
from upath import UPath

from models.db.engines import is_transient, open_database
from models.db.errors import DatabaseUnavailable, InputError
from models.db.redaction import redact
from models.db.settings import Settings
from models.ml.training.fit import TreeTrainer, train_trees
from pipelines.store.run_lock import exclusive_run
from pipelines.store.store_erasure import purge_deleted_profiles

Shard = TypeVar("Shard")
# A server that is started again, or gives its place to another, is back within a minute.
RETRIES, SECONDS_TO_WAIT = 3, 20

logger = logging.getLogger(__name__)


class DatabaseResource(dg.ConfigurableResource[None]):
    """PostgreSQL with pgvector: the one at `url`, or the embedded server under `home`."""

    home: str
    url: str | None = None

    @contextmanager
    def open_engine(self) -> Iterator[Engine]:
        """An engine for the length of a block; a step whose server was lost begins anew a little later.

        Whatever ends the block names nobody: Dagster keeps what a step raises for good.
        """
        try:
            with open_database(Settings(home=Path(self.home), database_url=self.url)) as engine:
                yield engine
        except Exception as error:
            redact(error)
            if isinstance(error, DatabaseUnavailable) and is_transient(error) and _can_retry():
                raise dg.RetryRequested(RETRIES, SECONDS_TO_WAIT) from error
            raise


class ShardStore(dg.ConfigurableResource[None]):
    """Where frames and shards are kept: a folder or an object store."""

    base: str

    def get_frame_path(self, asset: str) -> UPath:
        """The file of an asset's frame, as the IO manager keeps it."""
        return UPath(self.base) / f"{asset}.parquet"

    def get_shard_folder(self, asset: str) -> UPath:
        """The folder of an asset's shards."""
        return UPath(self.base) / "shards" / asset


class ComputeResource(dg.ConfigurableResource[None]):
    """Maps a function over shards, and grows trees: in this process, or on the Dask cluster at `scheduler`."""

    scheduler: str | None = None

    def map_shards(self, function: Callable[[Shard], int], shards: Sequence[Shard]) -> Iterable[int]:
        """The function's count for each shard, as they come; the function writes its shard's file.

        Raises InputError at once if the cluster does not answer.
        """
        if self.scheduler is None:
            return map(function, shards)
        from pipelines.processes.dask_cluster import map_on_cluster  # noqa: PLC0415 - only where there is one

        return map_on_cluster(self.scheduler, function, shards)

    def make_tree_trainer(self, *, on_cluster: bool) -> TreeTrainer:
        """What grows the ranker's trees: this process, or the workers together. Raises InputError without a cluster."""
        if not on_cluster:
            return train_trees
        if self.scheduler is None:
            raise InputError(
                "the ranker's trees are to be grown on a cluster, and there is none: set DASK_SCHEDULER_ADDRESS, or "
                "leave grow_on_cluster out of the ranker's configuration"
            )
        from pipelines.processes.dask_cluster import train_trees_on_cluster  # noqa: PLC0415 - only where there is one

        return partial(train_trees_on_cluster, self.scheduler)


@dg.resource(required_resource_keys={"database", "store"})
def sole_run(context: dg.InitResourceContext) -> Iterator[None]:
    """Keeps other runs from beginning until this one has ended; then takes whoever was erased meanwhile out of files.

    Every asset of the pipeline asks for it, so a run has it from its start, whoever started it: the command, the
    schedule, or somebody in Dagster. Raises as `exclusive_run` does, and DatabaseUnavailable.
    """
    database, store = context.resources.database, UPath(context.resources.store.base)
    _await_database(database)
    with database.open_engine() as engine, exclusive_run(engine, (context.log or logger).info):
        yield
        purge_deleted_profiles(engine, store)


def _await_database(database: DatabaseResource) -> None:
    """Begin as patiently as a step that loses the database. Raises DatabaseUnavailable if it stays away."""
    for tries_left in reversed(range(RETRIES + 1)):
        try:
            with database.open_engine() as engine, engine.connect():
                return
        except DatabaseUnavailable as error:
            if not (tries_left and is_transient(error)):
                raise
        time.sleep(SECONDS_TO_WAIT)


def _can_retry() -> bool:
    """Whether this is within a step that may begin anew; the last try raises what went wrong itself."""
    try:
        return dg.OpExecutionContext.get().retry_number < RETRIES
    except dg.DagsterInvariantViolationError:
        return False
