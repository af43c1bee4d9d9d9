"""What MLflow has lost counts as no champion, is told in one line, and stops no night."""

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
from pipelines.checks.drift_checks import check_drift
from pipelines.definitions import build_registry
from pipelines.store.frame_store import read_table
from pipelines.store.model_registry import EXPERIMENT, REFERENCE
from pipelines.store.shard_manifest import ShardManifest
from pipelines.workspace import Workspace
from tests.pipelines.assets.test_retraining import due, requested
from tests.pipelines.conftest import Databases, Place, RunOnce

LIVE = "SELECT id, ranker_version FROM matching.publications WHERE state = 'live'"


@pytest.fixture(scope="module")
def small(run_once: RunOnce) -> Iterator[Place]:
    """A town of 60 that was run once. Only to be copied."""
    with run_once(60, 4) as place:
        yield place


@pytest.fixture
def town(small: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of it, to be changed."""
    with databases(small.database_url) as url:
        yield Place(shutil.copytree(small.home, tmp_path / "home"), url)


def ask(place: Place, *statements: str) -> None:
    """Change the store of MLflow behind its back."""
    with closing(sqlite3.connect(place.home / "mlflow" / "mlflow.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def client(place: Place) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(build_registry(place.settings).tracking_uri)


def run_id(place: Place) -> str:
    return str(client(place).get_model_version("ranker", "1").run_id)


def only(place: Place, name: str) -> Path:
    """The file of this name of the whole ranker, or of the one without a fold if there is no other."""
    return min((place.home / "mlflow" / "artifacts").rglob(name), key=lambda path: len(path.parts))


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def replace_content(path: Path, content: str) -> None:
    path.write_text(content)


def drift(place: Place) -> list[dg.AssetCheckResult]:
    """What the checks of drift say of the last run's people."""
    home = Workspace(place.settings)
    table = read_table(UPath(place.home / "store" / "profile_embeddings.parquet"))
    inputs = {"profiles": home.profiles, "profile_embeddings": ShardManifest.from_table(table)}
    return list(cast("Iterator[dg.AssetCheckResult]", check_drift(registry=build_registry(place.settings), **inputs)))


def delete_experiment(place: Place) -> None:
    found = client(place).get_experiment_by_name(EXPERIMENT)
    assert found is not None
    client(place).delete_experiment(found.experiment_id)


LOSSES: dict[str, Callable[[Place], None]] = {
    "all files": lambda town: shutil.rmtree(town.home / "mlflow" / "artifacts"),
    "the files of models": lambda town: shutil.rmtree(next((town.home / "mlflow" / "artifacts").rglob("models"))),
    "the ranker": lambda town: only(town, "ranker.json").unlink(),
    "half of the ranker": lambda town: cut(only(town, "ranker.json"), 0.5),
    "all of the ranker's bytes": lambda town: cut(only(town, "ranker.json"), 0),
    "another file in its place": lambda town: replace_content(only(town, "ranker.json"), "[1, 2]"),
    "numbers of the ranker": lambda town: replace_content(only(town, "ranker.json"), '{"make": 4}'),
    "the run": lambda town: client(town).delete_run(run_id(town)),
    "the row of the run": lambda town: ask(town, "PRAGMA foreign_keys = off", "DELETE FROM runs"),
    "the experiment": delete_experiment,
}
WIPES: dict[str, Callable[[Place], None]] = {
    "the version": lambda town: client(town).delete_model_version("ranker", "1"),
    "the model": lambda town: client(town).delete_registered_model("ranker"),
    "the alias": lambda town: client(town).delete_registered_model_alias("ranker", "champion"),
    "the row of the version": lambda town: ask(town, "DELETE FROM model_versions"),
    "the database": lambda town: (town.home / "mlflow" / "mlflow.db").unlink(),
    "all of MLflow": lambda town: shutil.rmtree(town.home / "mlflow"),
}


@pytest.mark.parametrize("what", LOSSES)
def test_a_champion_that_is_lost_counts_as_none_and_says_where_it_was(
    town: Place, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    LOSSES[what](town)
    where = build_registry(town.settings)
    said = r"^the champion, version 1 in MLflow at sqlite:///.*, counts as none: .*; restore it, or train another one"
    with pytest.raises(NoChampion, match=said) as raised:
        where.get_champion()
    assert str(town.home) in str(raised.value)
    assert where.find_champion() is None
    assert str(town.home) in caplog.text
    assert due(town) == str(raised.value)
    assert requested(town.settings) is None


@pytest.mark.parametrize("what", WIPES)
def test_a_store_without_a_champion_says_where_it_was_looked_for(town: Place, what: str) -> None:
    WIPES[what](town)
    where = build_registry(town.settings)
    with pytest.raises(NoChampion, match=r"^there is no ranker yet: train one with `matching run`; .* at sqlite:///"):
        where.get_champion()
    assert where.find_champion() is None
    assert due(town) == "there is no champion to score with"
    assert requested(town.settings) is None


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.write_bytes(b"no database" * 1000), lambda path: path.unlink() or path.mkdir()],
    ids=["garbage", "a folder"],
)
def test_a_store_that_cannot_be_read_is_told_in_one_line(town: Place, spoil: Callable[[Path], object]) -> None:
    """It is not taken for empty: a ranker that passed no gate would be promoted over one that is still there."""
    spoil(town.home / "mlflow" / "mlflow.db")
    with pytest.raises(
        InputError, match=r"^MLflow's store at sqlite:///.*mlflow\.db cannot be read: .*; restore it"
    ) as told:
        build_registry(town.settings).find_champion()
    # Told by SQLite: MLflow would go on trying for minutes.
    assert isinstance(told.value.__cause__, sqlite3.Error)
    assert requested(town.settings) is None


@pytest.mark.parametrize("kept", [None, "", "{", "{}", '{"edges": 1}'])
def test_without_what_the_training_kept_drift_is_not_judged(town: Place, kept: str | None) -> None:
    path = only(town, REFERENCE)
    if kept is None:
        path.unlink()
    else:
        path.write_text(kept)
    for said in drift(town):
        assert said.passed
        assert str(said.description).startswith("not judged: version 1 ")


def test_without_a_champion_drift_is_not_judged(town: Place) -> None:
    shutil.rmtree(town.home / "mlflow" / "artifacts")
    assert [said.passed for said in drift(town)] == [True, True]


@pytest.mark.parametrize(
    ("what", "words"),
    [("the files of models", ("run",)), ("the run", ("run", "--train")), ("all of MLflow", ("run",))],
)
def test_the_night_goes_on_with_a_ranker_trained_now(town: Place, what: str, words: tuple[str, ...]) -> None:
    (LOSSES | WIPES)[what](town)
    done = town.command(*words)
    assert done.returncode == 0, done.stderr
    assert "becomes the champion whatever its checks say" in done.stderr
    assert str(town.home / "mlflow") in done.stderr
    ((publication, version),) = town.ask(LIVE)
    assert publication == 2
    assert version == build_registry(town.settings).get_champion().version


def test_an_experiment_that_was_deleted_is_there_again_when_something_is_trained(town: Place) -> None:
    delete_experiment(town)
    where = build_registry(town.settings)
    with where.track_training("a test", {}):
        assert where.get_champion().version == "1"


def test_score_and_notebooks_say_it_in_one_line(town: Place, tmp_path: Path) -> None:
    LOSSES["all files"](town)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("viewer,candidate\nsimulated:4-60:0,simulated:4-60:1\n")
    done = town.command("score", pairs, tmp_path / "out.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("matching: the champion, version 1 in MLflow at ")
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(MatchingError, match=r"^the files of version 1 cannot be read from file:///.*; restore"):
        _ = Workspace(town.settings).rankers


def test_a_home_that_was_moved_keeps_its_champion(town: Place, tmp_path: Path) -> None:
    before, after = build_registry(town.settings).get_champion(), tmp_path / "elsewhere" / "home"
    after.parent.mkdir()
    moved = Place(Path(shutil.move(town.home, after)), town.database_url)
    where = build_registry(moved.settings)
    champion = where.get_champion()
    assert champion.version == before.version
    for folder, rankers in (("before", before.rankers), ("after", champion.rankers)):
        save_rankers(rankers, tmp_path / folder)
    assert (tmp_path / "before" / "ranker.json").read_text() == (tmp_path / "after" / "ranker.json").read_text()
    assert where.load_json(champion.version, REFERENCE) is not None
    assert due(moved) is None
    with where.track_training("a test", {}):
        version = where.log_rankers(champion.rankers, {}, {})
        where.log_table("a table", pd.DataFrame({"a": [1]}))
    where.promote(version)
    assert where.get_champion().version == version
    assert not town.home.exists()


def test_a_home_that_was_copied_has_files_of_its_own(town: Place, tmp_path: Path) -> None:
    copied = Place(shutil.copytree(town.home, tmp_path / "copy"), town.database_url)
    assert build_registry(copied.settings).get_champion().version == "1"
    shutil.rmtree(town.home)
    assert build_registry(copied.settings).get_champion().version == "1"
