"""What MLflow has lost counts as no champion, is reported with its place, and stops no run."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import dagster as dg
import mlflow
import pandas as pd
import pytest
from upath import UPath

from models.db.errors import InputError, MatchingError, NoChampion
from models.ml.ranker.ranker_model import save_rankers
from pipelines.assets.ranker.retraining import decide_training
from pipelines.checks.drift_checks import check_drift
from pipelines.definitions import build_registry
from pipelines.store.frame_store import read_table
from pipelines.store.registry.model_registry import EXPERIMENT, REFERENCE
from pipelines.store.shard_manifest import ShardManifest
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.test_cli import refused


@pytest.fixture
def copy(settled: Place, tmp_path: Path) -> Place:
    """A copy of a home after a run, to be changed. Its database is only to be read."""
    return Place(shutil.copytree(settled.home, tmp_path / "home"), settled.database_url)


def client(place: Place) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(build_registry(place.settings).tracking_uri)


def delete_run(place: Place) -> None:
    client(place).delete_run(str(client(place).get_model_version("ranker", "1").run_id))


def delete_row_of_run(place: Place) -> None:
    with closing(sqlite3.connect(place.home / "mlflow" / "mlflow.db")) as connection, connection:
        connection.execute("DELETE FROM runs")


def delete_experiment(place: Place) -> None:
    found = client(place).get_experiment_by_name(EXPERIMENT)
    assert found is not None
    client(place).delete_experiment(found.experiment_id)


LOSSES: dict[str, Callable[[Place], None]] = {
    "all files": lambda copy: shutil.rmtree(copy.home / "mlflow" / "artifacts"),
    "the files of models": lambda copy: shutil.rmtree(next((copy.home / "mlflow" / "artifacts").rglob("models"))),
    "the run": delete_run,
    "the row of the run": delete_row_of_run,
    "the experiment": delete_experiment,
}
WIPES: dict[str, Callable[[Place], None]] = {
    "the model": lambda copy: client(copy).delete_registered_model("ranker"),
    "the alias": lambda copy: client(copy).delete_registered_model_alias("ranker", "champion"),
    "all of MLflow": lambda copy: shutil.rmtree(copy.home / "mlflow"),
}


@pytest.mark.parametrize("what", LOSSES | WIPES)
def test_a_lost_champion_counts_as_none(copy: Place, what: str, caplog: pytest.LogCaptureFixture) -> None:
    (LOSSES | WIPES)[what](copy)
    registry = build_registry(copy.settings)
    with pytest.raises(NoChampion, match="version 1 " if what in LOSSES else "no ranker yet") as raised:
        registry.get_champion()
    assert str(copy.home) in str(raised.value)
    assert registry.find_champion() is None
    assert str(copy.home) in caplog.text
    with copy.engine.connect() as connection:
        decision = decide_training(registry, connection)
    assert decision.due
    assert decision.sentence == (str(raised.value) if what in LOSSES else "there is no champion to score with")


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.write_bytes(b"no database" * 1000), lambda path: path.unlink() or path.mkdir()],
    ids=["garbage", "a folder"],
)
def test_an_unreadable_store_is_not_an_empty_one(copy: Place, spoil: Callable[[Path], object]) -> None:
    """A ranker that passed no gate would be promoted over one that is still there."""
    spoil(copy.home / "mlflow" / "mlflow.db")
    with pytest.raises(InputError, match=r"mlflow\.db cannot be read") as refused:
        build_registry(copy.settings).find_champion()
    assert isinstance(refused.value.__cause__, sqlite3.Error)  # MLflow would go on trying for minutes


def test_drift_is_not_judged_without_its_reference(copy: Place, subtests: pytest.Subtests) -> None:
    home, registry = Workspace(copy.settings), build_registry(copy.settings)
    table = read_table(UPath(copy.home / "store" / "profile_embeddings.parquet"))
    (path,) = (copy.home / "mlflow" / "artifacts").rglob(REFERENCE)
    for kept in ("", "{", "{}", '{"edges": 1}', None, "without a champion"):
        with subtests.test(kept):
            if kept is None:
                path.unlink()
            elif kept == "without a champion":
                shutil.rmtree(copy.home / "mlflow" / "artifacts")
            else:
                path.write_text(kept)
            inputs = {"profiles": home.profiles, "profile_embeddings": ShardManifest.from_table(table)}
            results = list(cast("Iterator[dg.AssetCheckResult]", check_drift(registry=registry, **inputs)))
            assert [(each.passed, "not judged" in str(each.description)) for each in results] == [(True, True)] * 2


def test_a_run_goes_on_with_a_ranker_trained_now(copy: Place, databases: Databases) -> None:
    LOSSES["the files of models"](copy)
    with databases(copy.database_url) as url:
        place = Place(copy.home, url)
        done = place.command("run")
        assert done.returncode == 0, done.stderr
        assert str(place.home / "mlflow") in done.stderr
        live = place.ask("SELECT id, ranker_version FROM matching.publications WHERE state = 'live'")
    assert live == [(2, "2")]
    assert build_registry(copy.settings).get_champion().version == "2"


def test_a_training_restores_a_deleted_experiment(copy: Place) -> None:
    delete_experiment(copy)
    registry = build_registry(copy.settings)
    with registry.track_training("a test", {}):
        assert registry.get_champion().version == "1"


def test_score_and_notebooks_report_it(copy: Place, tmp_path: Path) -> None:
    LOSSES["all files"](copy)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("viewer,candidate\n")
    refused(copy.command("score", pairs, tmp_path / "out.csv"), "version 1 ")
    with pytest.raises(MatchingError, match="version 1 "):
        _ = Workspace(copy.settings).rankers


def test_a_moved_home_keeps_its_champion(copy: Place, tmp_path: Path) -> None:
    before = build_registry(copy.settings).get_champion()
    moved = Place(Path(shutil.move(copy.home, tmp_path / "elsewhere")), copy.database_url)
    registry = build_registry(moved.settings)
    champion = registry.get_champion()
    assert champion.version == before.version
    for folder, rankers in (("before", before.rankers), ("after", champion.rankers)):
        save_rankers(rankers, tmp_path / folder)
    assert (tmp_path / "before" / "ranker.json").read_text() == (tmp_path / "after" / "ranker.json").read_text()
    assert registry.load_json(champion.version, REFERENCE) is not None
    with registry.track_training("a test", {}):
        version = registry.log_rankers(champion.rankers, {}, {})
        registry.log_table("a table", pd.DataFrame({"a": [1]}))
    registry.promote(version)
    assert registry.get_champion().version == version
    assert not copy.home.exists()
