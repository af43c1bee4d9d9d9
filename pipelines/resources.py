"""Dagster resources of the assets: the database, the store, the compute and the run lock."""

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
from models.ml.profiles.encoders.opening import EncoderChoice
from models.ml.training.fit import TreeTrainer, train_trees
from pipelines.store.run_lock import exclusive_run
from pipelines.store.store_erasure import purge_deleted_profiles

Shard = TypeVar("Shard")
# A server that restarts or fails over is back within a minute.
RETRIES, SECONDS_TO_WAIT = 3, 20

logger = logging.getLogger(__name__)


class DatabaseResource(dg.ConfigurableResource[None]):
    """PostgreSQL with pgvector: the one at `url`, or the embedded server under `home`."""

    home: str
    url: str | None = None

    @contextmanager
    def open_engine(self) -> Iterator[Engine]:
        """Open an engine for the block; a step that loses the server is retried a little later.

        Errors that leave the block are redacted, because Dagster stores what a step raises.
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
    """The store of frames and shards: a folder or an object store."""

    base: str

    def get_frame_path(self, asset: str) -> UPath:
        """Return the file of an asset's frame or manifest, as the IO manager names it."""
        return UPath(self.base) / f"{asset}.parquet"

    def get_shard_folder(self, asset: str) -> UPath:
        """Return the folder of an asset's shards."""
        return UPath(self.base) / "shards" / asset


class FlagModels(dg.ConfigurableResource[None]):
    """The folder of the classifiers that `matching train-flags` has trained; it may be missing."""

    folder: str

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)


class LikesResource(dg.ConfigurableResource[None]):
    """How likes reach people: the setting MATCHING_LIKES."""

    likes: str

    @property
    def are_told(self) -> bool:
        """Whether the lists hold the pending likes of their viewers."""
        return self.likes == "told"


def choose_encoder(settings: Settings) -> EncoderChoice:
    """Return the encoder that the settings name."""
    return EncoderChoice(settings.encoder, settings.encoder_device, settings.encoder_precision)


class EncoderResource(dg.ConfigurableResource[None]):
    """The encoder of answers: the settings MATCHING_ENCODER, MATCHING_ENCODER_DEVICE and MATCHING_ENCODER_PRECISION."""

    setting: str
    device: str
    precision: str

    @property
    def choice(self) -> EncoderChoice:
        """What `open_encoder` opens."""
        return EncoderChoice(self.setting, self.device, self.precision)


class ComputeResource(dg.ConfigurableResource[None]):
    """Compute for shards and trees: in this process, or on the Dask cluster at `scheduler`."""

    scheduler: str | None = None

    def map_shards(self, function: Callable[[Shard], int], shards: Sequence[Shard]) -> Iterable[int]:
        """Map a function over shards; the function writes the file of its shard and returns a count.

        Returns:
            The counts, in the order in which the shards are done.

        Raises:
            InputError: The cluster does not answer. Raised before the first shard.
        """
        if self.scheduler is None:
            return map(function, shards)
        from pipelines.processes.dask_cluster import map_on_cluster  # noqa: PLC0415 - only where there is one

        return map_on_cluster(self.scheduler, function, shards)

    def make_tree_trainer(self, *, on_cluster: bool) -> TreeTrainer:
        """Return the function that trains the trees: in this process, or on all workers of the cluster together.

        Raises:
            InputError: The cluster is requested and there is none.
        """
        if not on_cluster:
            return train_trees
        if self.scheduler is None:
            raise InputError(
                "grow_on_cluster is set in the ranker's configuration, but there is no Dask cluster: "
                "set DASK_SCHEDULER_ADDRESS, or leave grow_on_cluster out"
            )
        from pipelines.processes.dask_cluster import train_trees_on_cluster  # noqa: PLC0415 - only where there is one

        return partial(train_trees_on_cluster, self.scheduler)


@dg.resource(required_resource_keys={"database", "store"})
def sole_run(context: dg.InitResourceContext) -> Iterator[None]:
    """Hold the run lock from the start of a run to its end, then remove users who were erased meanwhile from the files.

    Every asset of the pipeline requires this resource. A run therefore holds the lock from its start, whether the
    command, the schedule or a user of Dagster started it.

    Raises:
        PublicationRefused: The lock was not free for an hour.
        DatabaseUnavailable: The database cannot be reached.
    """
    database, store = context.resources.database, UPath(context.resources.store.base)
    _await_database(database)
    with database.open_engine() as engine, exclusive_run(engine, (context.log or logger).info):
        yield
        purge_deleted_profiles(engine, store)


def _await_database(database: DatabaseResource) -> None:
    """Wait for the database as long as the retries of a step do; raise DatabaseUnavailable if it stays away."""
    for tries_left in reversed(range(RETRIES + 1)):
        try:
            with database.open_engine() as engine, engine.connect():
                return
        except DatabaseUnavailable as error:
            if not (tries_left and is_transient(error)):
                raise
        time.sleep(SECONDS_TO_WAIT)


def _can_retry() -> bool:
    """Return whether a step is running that can be retried; in the last try the error itself is raised."""
    try:
        return dg.OpExecutionContext.get().retry_number < RETRIES
    except dg.DagsterInvariantViolationError:
        return False
