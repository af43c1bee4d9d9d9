"""The asset `ranker` through Dagster and MLflow on planted evenings: repeated from its run, promoted or refused."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mlflow.entities import Run
from upath import UPath

from models.db.errors import InputError
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER
from models.ml.training.fit import TREE_PARAMETERS
from pipelines import resources
from pipelines.assets.ranker.order_evidence import EVIDENCE_CHECK
from pipelines.checks.gate_results import CHECKS
from pipelines.commands.reproduce import reproduce_training
from pipelines.definitions import build_definitions, build_registry
from pipelines.store.frame_store import compute_fingerprint, convert_to_table, read_table, write_table
from pipelines.store.registry.model_registry import REQUIREMENTS
from pipelines.store.registry.training_data import KEPT, read_training_data, write_training_data
from pipelines.store.shard_manifest import ShardManifest
from tests.models_ml import planted
from tests.pipelines.conftest import Databases, Place
from tests.support.places import get_frame_path, write_frame

EVENINGS = planted.circles()
NO_SHARDS = ShardManifest(())
DATASETS = ("profiles", "training_pairs")
LAST_CHECK = "is_no_worse_than_the_champion"
Files = dict[str, bytes]


class Home(Place):
    """A home with the frames that a ranker is trained on; no user wrote anything, and none was refused."""

    def fill(self, decisions: pd.DataFrame) -> None:
        # Race has no influence on anything.
        race = EVENINGS.profiles["profile_id"].map(lambda name: {"race": "one" if int(name) % 2 else "other"})
        profiles = EVENINGS.profiles.assign(facts=race, extracted_at=pd.Timestamp("2026-01-01", tz="UTC"))
        write_table(NO_SHARDS.to_table(), get_frame_path(self, "profile_embeddings"))
        frames = {"profiles": profiles, "training_pairs": decisions, "interactions": decisions}
        none = pd.DataFrame({"reason": pd.Series(dtype=str)})
        for asset, frame in (frames | {"rejected_profiles": none, "rejected_interactions": none}).items():
            write_frame(self, asset, frame)

    def train(self, **config: object) -> dg.ExecuteInProcessResult:
        job = build_definitions(self.settings).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                asset_selection=[dg.AssetKey("ranker")],
                run_config={"ops": {"ranker": {"config": config}}},
                instance=instance,
            )

    def promote(self, version: str) -> None:
        build_registry(self.settings).promote(version)

    def find_champion(self) -> str | None:
        return build_registry(self.settings).find_champion_version()

    def read_run(self, version: str) -> tuple[Run, str]:
        """The MLflow run that a version was trained in, and the description of the version."""
        client = mlflow.MlflowClient(build_registry(self.settings).tracking_uri)
        stored = client.get_model_version("ranker", version)
        return client.get_run(str(stored.run_id)), str(stored.description)

    def read_files(self, version: str, folder: Path) -> Files:
        """The files of a version, as MLflow has them."""
        self.find_champion()  # points MLflow there
        path = mlflow.artifacts.download_artifacts(f"models:/ranker/{version}", dst_path=str(folder))
        return read_files(min(Path(path).rglob("ranker.json"), key=lambda each: len(each.parts)).parent)


def read_files(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", autouse=True)
def no_purge() -> Iterator[None]:
    """The users are in frames only: a run that looked for them in the database would purge them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "purge_deleted_profiles", lambda *_: 0)
        yield


@pytest.fixture(scope="module")
def home(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with databases() as url:
        yield Home(tmp_path_factory.mktemp("home"), url)


@pytest.fixture(scope="module")
def first(home: Home) -> dg.ExecuteInProcessResult:
    """The first version, trained by other settings than the default."""
    home.fill(EVENINGS.decisions())
    return home.train(seed=3, use_race_and_ethnicity=True)


@pytest.fixture
def again(home: Home, first: dg.ExecuteInProcessResult) -> Home:
    """The home with all its decisions, and the first version as champion."""
    home.fill(EVENINGS.decisions())
    home.promote("1")
    return home


def read_checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def read_metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node("ranker")
    return {name: value.value for name, value in event.metadata.items()}


def test_a_training_is_repeated_from_what_is_kept_of_it(again: Home, tmp_path: Path) -> None:
    run = again.read_run("1")[0]
    parameters = run.data.params
    assert parameters["versions"].split()[1:] == REQUIREMENTS
    assert (parameters["seed"], parameters["use_race_and_ethnicity"]) == ("3", "True")
    assert (parameters["encoder"], parameters["trees.num_leaves"]) == (
        DEFAULT_ENCODER,
        str(TREE_PARAMETERS["num_leaves"]),
    )
    assert parameters["git_commit"]
    stored = again.read_files("1", tmp_path / "stored")
    assert {"ranker.json", "trees.txt", "without/0/ranker.json", "without/4/trees.txt"} <= stored.keys()
    assert b'"race"' in stored["ranker.json"]
    again.fill(EVENINGS.decisions()[:100])  # what the next night would train on
    found = reproduce_training(again.settings, "1")
    assert (found.files, found.different) == (len(stored), ())
    assert (found.profiles, found.decisions) == (len(EVENINGS.profiles), len(EVENINGS.decisions()))
    kept = {name: UPath(again.home) / "store" / "trainings" / "1" / f"{name}.parquet" for name in DATASETS}
    data = {
        name: convert_to_table(frame) for name, frame in read_training_data(UPath(again.home) / "store", "1").items()
    }
    assert parameters["data_fingerprint"] == compute_fingerprint(*data.values())
    assert run.inputs
    logged = {each.dataset.name: each.dataset for each in run.inputs.dataset_inputs}
    assert {name: each.digest for name, each in logged.items()} == {
        name: compute_fingerprint(table) for name, table in data.items()
    }
    assert all(str(path) in logged[name].source for name, path in kept.items())
    decisions = read_table(kept["training_pairs"])
    write_table(decisions.slice(0, len(decisions) - 50), kept["training_pairs"])
    try:
        assert "trees.txt" in reproduce_training(again.settings, "1").different
    finally:
        write_table(decisions, kept["training_pairs"])


def test_the_data_of_the_champion_and_of_the_last_trainings_is_kept(tmp_path: Path) -> None:
    table, store = pa.table({"profile_id": ["a"]}), UPath(tmp_path)
    for version in map(str, range(1, KEPT + 9)):
        write_training_data(store, version, dict.fromkeys(DATASETS, table), "2")
    kept = {path.parent.name for path in (tmp_path / "trainings").rglob("*.parquet")}
    assert kept == {"2", *(str(KEPT + 8 - back) for back in range(KEPT))}
    assert read_training_data(store, "2")["profiles"]["profile_id"].tolist() == ["a"]
    with pytest.raises(InputError, match=r"version 1 .*kept: 2, "):
        read_training_data(store, "1")


def test_the_first_is_promoted_and_says_why(home: Home, first: dg.ExecuteInProcessResult) -> None:
    assert read_metadata(first)["promoted"] is True
    checks = read_checks(first)
    assert set(checks) == set(CHECKS)
    assert all(each.passed for each in checks.values())
    run, description = home.read_run("1")
    assert {name: each.metadata["state"].value for name, each in checks.items()} == {
        name: "not judged" if name in (LAST_CHECK, EVIDENCE_CHECK) else "passed" for name in CHECKS
    }
    assert run.data.tags[f"gate.{LAST_CHECK}"] == checks[LAST_CHECK].description
    assert f": {checks[LAST_CHECK].description}" in description
    assert f"passed: {checks['does_not_leak'].description}" in description


def test_a_page_has_one_auc(home: Home, first: dg.ExecuteInProcessResult) -> None:
    """The table of methods is of the samples of the gate, and so are the figures of the checks."""
    metadata, checks = read_metadata(first), read_checks(first)
    _, _, *rows = str(metadata["evaluation"]).strip().splitlines()
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    shown = {method: float(auc) for _, method, auc, *_ in cells}
    assert len(shown) == 5
    for method, auc in shown.items():
        name = "ridge" if method == "linear start" else method.replace(" ", "_")
        assert auc == pytest.approx(metadata[f"{name}.within_viewer_auc"], abs=6e-4)
    own = checks["beats_the_baselines"].metadata["within_viewer_auc"].value
    assert own == metadata["ranker.within_viewer_auc"]
    assert {"ranker_minus_ridge.log_loss_error", "ranker_minus_random.within_viewer_auc"} <= metadata.keys()
    assert "ranker.auc" not in metadata


def test_one_as_good_becomes_champion(again: Home) -> None:
    metadata = read_metadata(again.train(seed=3, use_race_and_ethnicity=True))
    assert metadata["promoted"] is True
    assert again.find_champion() == metadata["version"] != "1"
    metrics = again.read_run(str(metadata["version"]))[0].data.metrics
    assert metrics["champion.within_viewer_auc"] == pytest.approx(metrics["ranker.within_viewer_auc"], abs=1e-4)


def test_without_the_evidence_that_is_asked_for_the_champion_stays(again: Home) -> None:
    result = again.train(seed=3, use_race_and_ethnicity=True, needs_evidence="off_policy")
    version, check = str(read_metadata(result)["version"]), read_checks(result)[EVIDENCE_CHECK]
    assert again.find_champion() == "1" != version
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no publication is live" in str(check.description)
    tags = build_registry(again.settings).find_tags(version)
    assert tags["decided"] == "refused"
    assert "no publication is live" in tags[f"gate.{EVIDENCE_CHECK}"]


def test_a_worse_one_is_refused_and_says_why(again: Home, tmp_path: Path) -> None:
    before = again.read_files("1", tmp_path / "before")
    again.fill(EVENINGS.decisions().sample(frac=0.3, random_state=2).reset_index(drop=True))
    result = again.train(seed=3)
    refused = str(read_metadata(result)["version"])
    assert result.success  # publications go on with the champion
    assert read_metadata(result)["promoted"] is False
    assert again.find_champion() == "1" != refused
    assert again.read_files("1", tmp_path / "after") == before
    assert b'"race"' not in again.read_files(refused, tmp_path / "refused")["ranker.json"]
    failed = [each for each in read_checks(result).values() if not each.passed]
    assert [(each.check_name, each.severity) for each in failed] == [(LAST_CHECK, dg.AssetCheckSeverity.ERROR)]
    assert "version 1 remains the champion" in str(failed[0].description)
    figures = {name: value.value for name, value in failed[0].metadata.items()}
    names = ("log_loss_difference", "log_loss_difference_error", "log_loss_difference_bound")
    difference, error, bound = (float(str(figures[name])) for name in names)
    assert difference > bound  # what it is refused for
    assert f"difference {difference:.4f} ± {error:.4f} (at most" in str(failed[0].description)
    assert figures["gate"] == read_metadata(result)["gate"]  # the picture
    run, description = again.read_run(refused)
    assert run.data.params["promoted"] == "False"
    assert run.data.tags[f"gate.{LAST_CHECK}"].startswith("failed: ")
    assert len([line for line in description.splitlines() if ": passed: " in line]) == len(CHECKS) - 2


def test_nothing_is_learned_from_shuffled_likes(again: Home) -> None:
    again.fill(EVENINGS.decisions(np.random.default_rng(4).permutation(EVENINGS.liked)))
    result = again.train()
    assert again.find_champion() == "1"
    run, _ = again.read_run(str(read_metadata(result)["version"]))
    assert run.data.params["learned"] == "False"
    checks = read_checks(result).values()
    assert {(each.passed, each.severity, each.metadata["judged"].value) for each in checks} == {
        (False, dg.AssetCheckSeverity.WARN, False)
    }
    said = "AUC within viewers on held-out decisions"
    assert all(run.data.tags[f"gate.{name}"].startswith("not judged: ") for name in CHECKS)
    assert all(said in run.data.tags[f"gate.{name}"] for name in CHECKS)
    assert run.data.metrics["nothing_learned.within_viewer_auc_less_two_errors"] < 0.5
    assert {"gate", "calibration", "lift_by_decile", "evaluation"} <= read_metadata(result).keys()


def test_without_decisions_the_first_predicts_the_prior(database_url: str, tmp_path: Path) -> None:
    empty = Home(tmp_path, database_url)
    empty.fill(EVENINGS.decisions(rows=slice(0, 0)))
    result = empty.train()
    assert result.success
    assert empty.find_champion() == read_metadata(result)["version"] == "1"
    found = {(each.passed, each.severity) for each in read_checks(result).values()}
    assert found == {(False, dg.AssetCheckSeverity.WARN)}
    few = "not judged: this version predicts the prior; 0 likes and 0 passes in 0 folds"
    assert all(str(each.description).startswith(few) for each in read_checks(result).values())
    assert build_registry(empty.settings).get_champion().rankers.full.booster is None
