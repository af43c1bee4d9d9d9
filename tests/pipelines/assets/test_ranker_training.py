"""The asset `ranker` through Dagster and MLflow on planted evenings: made again from its run, promoted or refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from upath import UPath

from models.db.settings import Settings
from models.ml.ranker.ranker_model import save_rankers
from models.ml.training.train import train_ranker
from pipelines import resources
from pipelines.assets.candidate_shards import VOLATILE
from pipelines.assets.ranker_training import CHAMPION_REMAINS, CHECKS, TOO_LITTLE
from pipelines.definitions import build_definitions, build_registry
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import (
    compute_fingerprint,
    convert_from_table,
    convert_to_table,
    read_table,
    write_table,
)
from pipelines.store.model_registry import REQUIREMENTS, ModelRegistry
from pipelines.store.shard_manifest import ShardManifest
from tests.models_ml import planted
from tests.pipelines.conftest import Databases

EVENINGS = planted.circles()
NO_SHARDS = ShardManifest(())
Files = dict[str, bytes]


@dataclass(frozen=True)
class Home:
    """A home where the frames that a ranker is made from are kept."""

    settings: Settings

    @property
    def registry(self) -> ModelRegistry:
        return build_registry(self.settings)

    def frame(self, asset: str) -> UPath:
        return UPath(self.settings.home) / "store" / f"{asset}.parquet"

    def keep(self, **frames: pd.DataFrame) -> None:
        for asset, frame in frames.items():
            write_table(convert_to_table(frame), self.frame(asset))

    def read(self, asset: str) -> pd.DataFrame:
        return convert_from_table(read_table(self.frame(asset)))

    def materialize(self, **config: object) -> dg.ExecuteInProcessResult:
        job = build_definitions(self.settings).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                asset_selection=[dg.AssetKey("ranker")],
                run_config={"ops": {"ranker": {"config": config}}},
                instance=instance,
            )

    def run(self, version: str) -> Run:
        """The MLflow run that a version was trained in."""
        client = mlflow.MlflowClient(self.registry.tracking_uri)
        return client.get_run(str(client.get_model_version("ranker", version).run_id))

    def description(self, version: str) -> str:
        return str(mlflow.MlflowClient(self.registry.tracking_uri).get_model_version("ranker", version).description)

    def stored(self, version: str, folder: Path) -> Files:
        """The files of a version, as MLflow has them."""
        self.registry.find_champion_version()  # points MLflow there
        path = mlflow.artifacts.download_artifacts(f"models:/ranker/{version}", dst_path=str(folder))
        found = min(Path(path).rglob("ranker.json"), key=lambda each: len(each.parts))
        return files(found.parent)


def files(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everybody() -> pd.DataFrame:
    """The guests, whose race is nothing to anybody."""
    race = EVENINGS.profiles["profile_id"].map(lambda name: {"race": "one" if int(name) % 2 else "other"})
    return EVENINGS.profiles.assign(facts=race, extracted_at=pd.Timestamp("2026-01-01", tz="UTC"))


def furnished(folder: Path, database_url: str, decisions: pd.DataFrame) -> Home:
    """A home with everything there is about the evenings; nobody wrote anything, and nobody was refused."""
    home = Home(Settings(home=folder, database_url=database_url))
    none = pd.DataFrame({"reason": pd.Series(dtype=str)})
    write_table(NO_SHARDS.to_table(), home.frame("profile_embeddings"))
    home.keep(profiles=everybody(), training_pairs=decisions)
    home.keep(interactions=decisions, rejected_profiles=none, rejected_interactions=none)
    return home


@pytest.fixture(scope="module", autouse=True)
def nobody_is_gone() -> Iterator[None]:
    """The guests are in frames only: a run that looked for them in the database would take them out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "purge_deleted_profiles", lambda *_: 0)
        yield


@pytest.fixture(scope="module")
def home(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home of the evenings."""
    with databases() as url:
        yield furnished(tmp_path_factory.mktemp("home"), url, EVENINGS.decisions())


@pytest.fixture(scope="module")
def first(home: Home) -> dg.ExecuteInProcessResult:
    """The first version, of another seed than usual."""
    return home.materialize(seed=3)


@pytest.fixture
def fewer(home: Home, first: dg.ExecuteInProcessResult) -> Iterator[None]:
    """Two thirds of the decisions are lost, for one test."""
    home.keep(training_pairs=EVENINGS.decisions().sample(frac=0.3, random_state=2).reset_index(drop=True))
    yield
    home.keep(training_pairs=EVENINGS.decisions())


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def reported(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node("ranker")
    return {name: value.value for name, value in event.metadata.items()}


def again(home: Home, run: Run, folder: Path) -> Files:
    """The ranker trained once more, by what its run says of how."""
    said = run.data.params
    answers, pairs = load_answers(NO_SHARDS), home.read("training_pairs")
    sensitive = {"True": True, "False": False}[said["use_race_and_ethnicity"]]
    made = train_ranker(home.read("profiles"), answers, pairs, int(said["seed"]), sensitive=sensitive)
    save_rankers(made.rankers, folder)
    return files(folder)


@pytest.mark.usefixtures("first")
def test_a_training_can_be_repeated_from_its_run_alone(home: Home, tmp_path: Path) -> None:
    run = home.run("1")
    made_on = compute_fingerprint(
        convert_to_table(home.read("profiles").drop(columns=VOLATILE)), convert_to_table(home.read("training_pairs"))
    )
    assert run.data.params["data_fingerprint"] == made_on
    assert run.data.params["seed"] == "3"
    assert run.data.params["versions"].split()[1:] == REQUIREMENTS
    stored = home.stored("1", tmp_path / "stored")
    assert {"ranker.json", "trees.txt", "without/0/ranker.json", "without/4/trees.txt"} <= stored.keys()
    assert again(home, run, tmp_path / "again") == stored


@pytest.mark.usefixtures("first")
def test_one_that_uses_race_says_so_and_can_be_repeated(home: Home, tmp_path: Path) -> None:
    version = str(reported(home.materialize(use_race_and_ethnicity=True))["version"])
    run = home.run(version)
    assert run.data.params["use_race_and_ethnicity"] == "True"
    stored = home.stored(version, tmp_path / "stored")
    assert b'"race"' in stored["ranker.json"]
    assert again(home, run, tmp_path / "again") == stored


def test_the_first_is_promoted_and_says_why(home: Home, first: dg.ExecuteInProcessResult) -> None:
    assert reported(first)["promoted"] is True
    found = evaluations(first)
    assert set(found) == set(CHECKS)
    assert all(each.passed for each in found.values())
    said = found["is_no_worse_than_the_champion"].description
    assert said == "there is nothing yet to compare with the champion"
    assert home.run("1").data.tags["gate.is_no_worse_than_the_champion"] == f"passed: {said}"
    assert f"- is no worse than the champion: passed: {said}" in home.description("1").splitlines()


def test_one_as_good_takes_its_place(home: Home, first: dg.ExecuteInProcessResult) -> None:
    home.registry.promote("1")
    result = home.materialize(seed=3)
    assert reported(result)["promoted"] is True
    assert home.registry.find_champion_version() == reported(result)["version"]
    metrics = home.run(str(reported(result)["version"])).data.metrics
    assert metrics["champion.within_viewer_auc"] == pytest.approx(metrics["ranker.within_viewer_auc"], abs=1e-4)


@pytest.mark.usefixtures("fewer")
def test_a_worse_one_leaves_everything_as_it_was_and_says_why(home: Home, tmp_path: Path) -> None:
    home.registry.promote(champion := "1")
    before = home.stored(champion, tmp_path / "before")
    result = home.materialize(seed=3)
    refused = str(reported(result)["version"])
    assert result.success  # what is published goes on with the champion
    assert reported(result)["promoted"] is False
    assert home.registry.find_champion_version() == champion != refused
    assert home.stored(champion, tmp_path / "after") == before
    failed = {name: each for name, each in evaluations(result).items() if not each.passed}
    assert set(failed) == {"is_no_worse_than_the_champion"}
    reason = failed["is_no_worse_than_the_champion"]
    assert reason.severity == dg.AssetCheckSeverity.ERROR
    sentence, _, remains = str(reason.description).rpartition("; ")
    assert sentence.startswith("within-viewer AUC 0.")
    assert remains == CHAMPION_REMAINS.format(champion)
    assert home.run(refused).data.tags["gate.is_no_worse_than_the_champion"] == f"failed: {sentence}"
    assert home.run(refused).data.params["promoted"] == "False"
    first, _, why, *others = home.description(refused).splitlines()
    assert first == "Refused."
    assert why == f"- is no worse than the champion: failed: {sentence}"
    assert len(others) == len(CHECKS) - 1


def test_from_shuffled_likes_nothing_is_learned_and_nothing_replaced(
    home: Home, first: dg.ExecuteInProcessResult
) -> None:
    champion = home.registry.find_champion_version()
    home.keep(training_pairs=EVENINGS.decisions(np.random.default_rng(4).permutation(EVENINGS.liked)))
    result = home.materialize()
    home.keep(training_pairs=EVENINGS.decisions())
    assert home.registry.find_champion_version() == champion
    assert {each.description for each in evaluations(result).values()} == {
        f"{TOO_LITTLE}; {CHAMPION_REMAINS.format(champion)}"
    }
    run = home.run(str(reported(result)["version"]))
    assert run.data.params["learned"] == "False"
    assert {name: said for name, said in run.data.tags.items() if name.startswith("gate.")} == {
        f"gate.{name}": f"failed: {TOO_LITTLE}" for name in CHECKS
    }


def test_the_first_of_a_town_without_decisions_is_the_prior_with_a_warning(database_url: str, tmp_path: Path) -> None:
    empty = furnished(tmp_path, database_url, EVENINGS.decisions(rows=slice(0, 0)))
    result = empty.materialize()
    assert result.success
    assert empty.registry.find_champion_version() == reported(result)["version"] == "1"
    found = evaluations(result).values()
    assert {(each.passed, each.severity) for each in found} == {(False, dg.AssetCheckSeverity.WARN)}
    assert empty.registry.get_champion().rankers.full.booster is None
