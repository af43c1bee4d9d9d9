"""Rankers in MLflow: logged, registered, promoted, read back, and nobody's data with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from models.db.errors import IncompatibleModelError, InputError, NoChampion
from models.ml.features.pair_features import list_feature_groups
from models.ml.ranker import ranker_model as files_of_rankers
from models.ml.ranker.ranker_model import CrossFittedRanker, save_rankers
from pipelines.definitions import build_registry
from pipelines.store.registry.model_registry import ModelRegistry
from tests.pipelines.conftest import Place


@pytest.fixture(scope="module")
def champions(settled: Place) -> CrossFittedRanker:
    return build_registry(settled.settings).get_champion().rankers


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    folder = tmp_path_factory.mktemp("mlflow")
    return ModelRegistry(tracking_uri=f"sqlite:///{folder}/mlflow.db", artifacts=(folder / "artifacts").as_uri())


def logged(where: ModelRegistry, rankers: CrossFittedRanker) -> str:
    with where.track_training("a test", {"why": "to see"}):
        version = where.log_rankers(rankers, {"seed": 3}, {"ranker.auc": 0.75})
        where.record_decision(
            version, "refused", {"is_calibrated": "failed: by far", "does_not_leak": "passed: not a drop"}
        )
    return version


def files(rankers: CrossFittedRanker, folder: Path) -> dict[str, bytes]:
    save_rankers(rankers, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_champion_was_promoted_last_and_comes_back_as_it_was(
    fresh: ModelRegistry, champions: CrossFittedRanker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fresh.find_champion_version() is None
    assert fresh.find_champion() is None
    with pytest.raises(NoChampion):
        fresh.get_champion()
    assert [logged(fresh, champions), logged(fresh, champions)] == ["1", "2"]
    assert fresh.find_champion_version() is None  # registered is not promoted
    fresh.promote("2")
    assert fresh.get_champion().version == "2"
    fresh.promote("1")
    champion = fresh.get_champion()
    assert champion.version == "1"
    before = files(champions, tmp_path / "before")
    assert {"ranker.json", "trees.txt", "without/0/ranker.json"} <= before.keys()
    assert files(champion.rankers, tmp_path / "back") == before
    assert capfd.readouterr().err == ""  # nothing of MLflow's among the lines of a run


def test_the_gate_is_recorded_with_the_run_and_the_version(fresh: ModelRegistry, champions: CrossFittedRanker) -> None:
    version = logged(fresh, champions)
    client = mlflow.MlflowClient(fresh.tracking_uri)
    described = client.get_model_version("ranker", version)
    assert described.description == "Refused.\n\n- is calibrated: failed: by far\n- does not leak: passed: not a drop"
    tags = client.get_run(str(described.run_id)).data.tags
    assert tags["gate.is_calibrated"] == "failed: by far"
    assert tags["why"] == "to see"
    trained_at, counts = fresh.describe_training_data(version)
    assert timedelta(0) < datetime.now(UTC) - trained_at < timedelta(minutes=5)
    assert counts == {"profiles": 0, "interactions": 0}


def test_a_champion_of_another_format_version_is_none(
    fresh: ModelRegistry, champions: CrossFittedRanker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.promote(logged(fresh, champions))
    monkeypatch.setattr(files_of_rankers, "FORMAT_VERSION", files_of_rankers.FORMAT_VERSION + 1)
    assert fresh.find_champion_version() is not None
    assert fresh.find_champion() is None
    with pytest.raises(IncompatibleModelError):
        fresh.load_rankers(str(fresh.find_champion_version()))


def test_a_champion_with_a_lost_or_broken_file_is_none(
    champions: CrossFittedRanker, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """LightGBM would end the process over half a file of trees."""
    where = ModelRegistry(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", artifacts=(tmp_path / "artifacts").as_uri())
    where.promote(logged(where, champions))
    (whole,) = (path for path in tmp_path.rglob("ranker.json") if "without" not in path.parts)
    for name, spoilt in (
        ("ranker.json", b""),
        ("ranker.json", b"[1, 2]"),
        ("ranker.json", b'{"make": 4}'),
        ("trees.txt", None),
        ("trees.txt", (whole.parent / "trees.txt").read_bytes()[:-1000]),
        ("without/0/viewers.npy", b"no array"),
    ):
        path = whole.parent / name
        content = path.read_bytes()
        with subtests.test(name, left=spoilt and len(spoilt)):
            path.unlink()
            if spoilt is not None:
                path.write_bytes(spoilt)
            assert where.find_champion() is None
            path.write_bytes(content)
    assert where.find_champion() is not None


def test_a_training_that_raises_is_a_failed_run(fresh: ModelRegistry) -> None:
    with pytest.raises(ZeroDivisionError), fresh.track_training("a failure", {}):
        _ = 1 / 0
    (run,) = mlflow.MlflowClient(fresh.tracking_uri).search_runs(
        ["1"], "attributes.run_name = 'a failure'", max_results=2
    )
    assert run.info.status == "FAILED"
    assert mlflow.active_run() is None


def test_a_registry_that_does_not_answer_is_not_an_empty_one() -> None:
    """Taken for empty, it would let the next ranker pass without its gate."""
    with pytest.raises(InputError, match=r"MLFLOW_TRACKING_URI=http://127\.0\.0\.1:1: ") as refused:
        ModelRegistry(tracking_uri="http://me:sesame@127.0.0.1:1").find_champion_version()
    assert "sesame" not in str(refused.value)


def test_the_logged_model_predicts_what_the_ranker_does(settled: Place, champions: CrossFittedRanker) -> None:
    ranker, registry = champions.full, build_registry(settled.settings)
    registry.find_champion_version()
    names = [name for name, _ in list_feature_groups(ranker.specification)]
    features = np.random.default_rng(1).normal(size=(20, len(names))).astype(np.float32)
    mlflow.set_tracking_uri(registry.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/ranker@champion")
    assert np.asarray(model.predict(pd.DataFrame(features, columns=names))) == pytest.approx(
        ranker.predict_p_like(features)
    )
    assert not np.asarray(model.input_example).any()  # of no real pair
    with pytest.raises(MlflowException, match="missing inputs"):
        model.predict(pd.DataFrame(features[:, 1:], columns=names[1:]))
