"""What the tests of the pipeline share: databases of their own, the command as a process, a town that has been run."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from models.db.engines import libpq_url
from models.db.settings import Settings
from pipelines.definitions import JOB, build
from pipelines.loaders import simulated
from pipelines.running import dagster_home, run

PEOPLE, SEED = 150, 1
Databases = Callable[..., AbstractContextManager[str]]


@dataclass(frozen=True)
class Place:
    """A home and a database of its own: where one installation lives."""

    home: Path
    database_url: str

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=self.database_url)

    @property
    def engine(self) -> Engine:
        return create_engine(self.database_url, poolclass=NullPool)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"MATCHING_HOME": str(self.home), "DATABASE_URL": self.database_url}

    def run(self) -> None:
        """Run the whole pipeline in this process."""
        run(self.settings, JOB)

    def materialize(self, *assets: str, **config: object) -> None:
        """Materialize some assets from what is there, with this configuration of `match_lists`."""
        job = build(self.settings).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.from_config(str(dagster_home(self.settings))) as instance:
            job.execute_in_process(
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                run_config={"ops": {"match_lists": {"config": config}}},
                instance=instance,
            )

    def command(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command `matching` with these words as a process of its own, to its end."""
        return subprocess.run(
            self.words(*words),
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    @staticmethod
    def words(*words: object) -> list[str]:
        return [str(Path(sys.executable).with_name("matching")), *map(str, words)]

    def ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a query answers."""
        with psycopg.connect(libpq_url(self.database_url), autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def tell(self, *statements: str, **values: object) -> None:
        """Execute statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def metadata(self, asset: str) -> dict[str, object]:
        """What the asset's last materialization reported, as the Dagster UI shows it."""
        with dg.DagsterInstance.from_config(str(dagster_home(self.settings))) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


@pytest.fixture(scope="session")
def databases(server: psycopg.Connection, template_url: str) -> Databases:
    """Makes migrated databases, empty or like the one at a URL, each for the length of a block."""

    @contextmanager
    def database(like: str = template_url) -> Iterator[str]:
        template, name = make_url(like), f"pipeline_{uuid.uuid4().hex}"
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
        try:
            yield template.set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return database


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """An empty home and an empty database."""
    return Place(tmp_path / "home", database_url)


@pytest.fixture(scope="session")
def settled(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A simulated town of 150 people that the whole pipeline has been run on once. Only to be looked at."""
    with run_once(databases, tmp_path_factory.mktemp("settled"), PEOPLE, SEED) as place:
        yield place


@contextmanager
def run_once(databases: Databases, home: Path, people: int, seed: int) -> Iterator[Place]:
    """A simulated town of so many that the whole pipeline has been run on once."""
    with databases() as url:
        place = Place(home, url)
        simulated.load(place.engine, people, seed, place.home)
        place.run()
        yield place
