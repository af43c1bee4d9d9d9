"""What the tests of the pipeline share: databases of their own, the command, a town that has been run."""

import os
import shutil
import subprocess
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

from models.db.engines import convert_to_libpq_url
from models.db.settings import Settings
from pipelines.commands.run_pipeline import ensure_dagster_home, run_job
from pipelines.definitions import NIGHTLY_JOB, build_definitions, build_registry
from pipelines.loaders.simulation import simulated_loader
from tests.support.commands import run_command

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
        run_job(self.settings, NIGHTLY_JOB)

    def materialize(self, *assets: str, **config: object) -> None:
        """Materialize some assets from what is there, with this configuration of `match_lists`."""
        job = build_definitions(self.settings).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.from_config(str(ensure_dagster_home(self.settings))) as instance:
            job.execute_in_process(
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                run_config={"ops": {"match_lists": {"config": config}}},
                instance=instance,
            )

    def command(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command `matching` with these words in this process, to its end."""
        return run_command(self.environment | variables, *map(str, words))

    def ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a query answers."""
        with psycopg.connect(convert_to_libpq_url(self.database_url), autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def tell(self, *statements: str, **values: object) -> None:
        """Execute statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def metadata(self, asset: str) -> dict[str, object]:
        """What the asset's last materialization reported, as the Dagster UI shows it."""
        with dg.DagsterInstance.from_config(str(ensure_dagster_home(self.settings))) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


class TellingPlace(Place):
    """An installation where likes are told."""

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"likes": "told"})


RunOnce = Callable[[int, int], AbstractContextManager[Place]]


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


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with MLflow's and Dagster's tables and nothing in them, to be copied: to make those takes a second."""
    settings = Settings(home=tmp_path_factory.mktemp("empty"))
    assert build_registry(settings).find_champion_version() is None
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settings))) as instance:
        assert instance.get_runs_count() == 0
    return settings.home


@pytest.fixture(scope="session")
def run_once(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> RunOnce:
    """Makes simulated towns of so many, by a seed, that were run through the whole pipeline, each for a block."""

    @contextmanager
    def town(people: int, seed: int) -> Iterator[Place]:
        with databases() as url:
            home = shutil.copytree(empty_home, tmp_path_factory.mktemp("town") / "home")
            place = Place(home, url)
            simulated_loader.load_simulated(place.engine, people, seed, place.home)
            place.run()
            yield place

    return town


@pytest.fixture
def place(database_url: str, empty_home: Path, tmp_path: Path) -> Place:
    """An empty home and an empty database."""
    return Place(shutil.copytree(empty_home, tmp_path / "home"), database_url)


@pytest.fixture(scope="session")
def settled(run_once: RunOnce) -> Iterator[Place]:
    """A simulated town of 150 people that the whole pipeline has been run on once. Only to be looked at."""
    with run_once(PEOPLE, SEED) as place:
        yield place
