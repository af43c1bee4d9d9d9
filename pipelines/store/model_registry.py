"""The rankers in MLflow: each training a run, each ranker a registered version, the champion an alias."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from models.db.errors import IncompatibleModelError, NoChampion, RankerLost
from models.ml.features.pair_features import list_feature_groups
from models.ml.ranker import ranker_model as ranker_files
from models.ml.ranker.ranker_model import BY_FOLD_FOLDER, CrossFittedRanker, Ranker
from pipelines.processes import ports
from pipelines.store import mlflow_connection, pyfunc_ranker
from pipelines.store.mlflow_connection import raise_ranker_lost

EXPERIMENT = "matching"
ABOUT = (
    "A run is one training of the ranker. Its description says what became of it and why; its artifacts show how good "
    "it is. The version called champion is the one that lists are published with."
)
NOTE_TAG = "mlflow.note.content"
MODEL = "ranker"
ABOUT_MODEL = "p_like, the chance that a viewer likes a candidate if shown. Lists are published with the champion."
# Where `matching ui` serves MLflow, unless there is a server; it opens on pages for language models if not told.
MLFLOW, FOR_TRAINING = f"http://{ports.HOST}:{ports.MLFLOW_PORT}", "?workflowType=machine_learning"
CHAMPION = "champion"
# How people and scores were spread in the training (see models.ml.monitoring.drift).
REFERENCE = "reference.json"
# The app's tables whose rows a run counts, of whatever use they are: by them is told how much has changed since.
TABLES = ("profiles", "interactions")
# How MLflow says that there is no such model, or no such alias of it.
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# The versions a model needs to be loaded again. Naming them spares MLflow eight seconds of guessing.
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")]


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Champion:
    """The ranker that publications use, and its registered version."""

    version: str
    rankers: CrossFittedRanker


class ModelRegistry(dg.ConfigurableResource[None]):
    """MLflow at `tracking_uri`; `artifacts` is where a new experiment keeps its files, None for the server's choice."""

    tracking_uri: str
    artifacts: str | None = None

    @property
    def is_a_server(self) -> bool:
        """Whether it is asked by HTTP, and shows its pages itself."""
        return mlflow_connection.is_server(self.tracking_uri)

    @property
    def place(self) -> str:
        """Where MLflow is, as it may be shown."""
        return mlflow_connection.hide_password(self.tracking_uri)

    @contextmanager
    def track_training(self, name: str, tags: Mapping[str, str]) -> Iterator[None]:
        """One MLflow run around a training; it ends as failed if the training does."""
        client = self._connect()
        experiment = mlflow.get_experiment_by_name(EXPERIMENT)
        key = experiment.experiment_id if experiment else mlflow.create_experiment(EXPERIMENT, self.artifacts)
        if experiment and experiment.lifecycle_stage == LifecycleStage.DELETED:
            client.restore_experiment(key)
        client.set_experiment_tag(key, NOTE_TAG, ABOUT)
        with mlflow.start_run(experiment_id=key, run_name=name, tags=dict(tags)):
            yield

    def log_rankers(
        self, rankers: CrossFittedRanker, parameters: Mapping[str, object], metrics: Mapping[str, float]
    ) -> str:
        """Log and register rankers in the current run, and return their version."""
        mlflow.log_params(dict(parameters))
        mlflow.log_metrics(dict(metrics))
        with tempfile.TemporaryDirectory() as folder:
            ranker_files.save_rankers(rankers, Path(folder))
            model = mlflow.pyfunc.log_model(
                name=MODEL,
                python_model=pyfunc_ranker.__file__,
                artifacts={"ranker": folder},
                signature=_make_signature(rankers.full),
                input_example=_make_example(rankers.full),
                pip_requirements=REQUIREMENTS,
            )
        return self._register(model)

    def promote(self, version: str) -> None:
        """Make a version the champion."""
        self._connect().set_registered_model_alias(MODEL, CHAMPION, version)

    def find_champion_version(self) -> str | None:
        """The champion's version; None if there is none yet."""
        try:
            return str(self._connect().get_model_version_by_alias(MODEL, CHAMPION).version)
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                return None
            raise

    def find_champion(self) -> Champion | None:
        """Return the champion; None, with a warning, if there is none that can be used."""
        try:
            return self.get_champion()
        except NoChampion as error:
            logger.warning("%s", error)
            return None

    def get_champion(self) -> Champion:
        """Return the champion. Raises NoChampion if there is none that can be used, with where it was looked for."""
        version = self.find_champion_version()
        if version is None:
            raise NoChampion(
                f"there is no ranker yet: train one with `matching run`; it was looked for in MLflow at {self.place}"
            )
        try:
            self._run(version)
            return Champion(version, self.load_rankers(version))
        except (IncompatibleModelError, RankerLost) as error:
            raise NoChampion(
                f"the champion, version {version} in MLflow at {self.place}, counts as none: {error}; restore it, or "
                "train another one with `matching run`"
            ) from error

    def record_decision(self, version: str, became: str, reasons: Mapping[str, str]) -> None:
        """Keep in the current run, and with the version, what became of it and why: check → sentence."""
        client = self._connect()
        mlflow.set_tag("mlflow.runName", f"version {version}: {became}")
        mlflow.set_tags({f"gate.{name}": sentence for name, sentence in reasons.items()})
        lines = [f"- {name.replace('_', ' ')}: {sentence}" for name, sentence in reasons.items()]
        # Its first words are what MLflow's list of versions shows.
        client.update_model_version(MODEL, version, description="\n".join([f"{became.capitalize()}.", "", *lines]))

    def log_json(self, name: str, content: Mapping[str, object]) -> None:
        """Keep numbers with the current run, as a JSON file of this name."""
        mlflow.log_dict(dict(content), name)

    def log_figure(self, name: str, figure: Figure) -> None:
        """Keep a picture with the current run."""
        mlflow.log_figure(figure, f"{name}.png")

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Keep a table with the current run."""
        # MLflow does not know the strings of pandas 3 yet.
        words: dict[Any, Any] = dict.fromkeys(table.select_dtypes("str").columns, object)
        mlflow.log_table(table.astype(words).round(4), f"{name}.json")

    def set_description(self, note: str) -> None:
        """Say what MLflow shows first of the current run, in Markdown."""
        mlflow.set_tag(NOTE_TAG, note)

    def get_page(self, shown_at: str = MLFLOW) -> str:
        """The address where MLflow shows the current run; outside of one, all of them.

        `shown_at` is where `matching ui` shows MLflow; a server shows itself.
        """
        self._connect()
        server = self.tracking_uri.rstrip("/") if self.is_a_server else shown_at
        experiment, run = mlflow.get_experiment_by_name(EXPERIMENT), mlflow.active_run()
        if experiment is None:
            return server
        one = f"/{run.info.run_id}" if run else ""
        return f"{server}/#/experiments/{experiment.experiment_id}/runs{one}{FOR_TRAINING}"

    def describe_training_data(self, version: str) -> tuple[datetime, dict[str, int]]:
        """When a version was trained, and how many rows each of the app's tables had: none if its run does not say.

        Raises RankerLost if there is no such run.
        """
        run = self._run(version)
        counts = {name: int(run.data.params.get(f"app.{name}", 0)) for name in TABLES}
        return datetime.fromtimestamp(run.info.start_time / 1000, UTC), counts

    def load_json(self, version: str, name: str) -> dict[str, Any] | None:
        """What was kept of this name with the run that a version was trained in; None if nothing was, or it is lost."""
        try:
            with raise_ranker_lost(f"{name} of version {version}", self.place):
                run_id = self._run(version).info.run_id
                if name not in {each.path for each in self._connect().list_artifacts(run_id)}:
                    return None
                content: dict[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{name}")
                return content
        except RankerLost as error:
            logger.warning("%s", error)
            return None

    def load_rankers(self, version: str) -> CrossFittedRanker:
        """Load a registered version. Raises RankerLost if its files are not there or cannot be read, and OtherMake."""
        client = self._connect()
        with raise_ranker_lost(f"version {version}", self.place):
            where = client.get_model_version_download_uri(MODEL, version)
        with raise_ranker_lost(f"the files of version {version}", where), tempfile.TemporaryDirectory() as folder:
            model = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{version}", dst_path=folder)
            # MLflow keeps an artifact under the name of the folder it was logged from.
            found = [path.parent for path in Path(model).rglob("ranker.json") if BY_FOLD_FOLDER not in path.parts]
            if not found:
                raise FileNotFoundError("there is no ranker.json")
            return ranker_files.load_rankers(found[0])

    def _run(self, version: str) -> Run:
        """The run that a version was trained in. Raises RankerLost if it is not there, or was deleted."""
        client = self._connect()
        with raise_ranker_lost("its run", self.place):
            run = client.get_run(str(client.get_model_version(MODEL, version).run_id))
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise RankerLost(f"its run {run.info.run_id} was deleted from {self.place}")
        return run

    def _register(self, model: ModelInfo) -> str:
        """Register a logged model through the client: MLflow's shorter way prints lines among those of the run."""
        client = self._connect()
        with suppress(MlflowException):  # it is there from the second time on
            client.create_registered_model(MODEL, description=ABOUT_MODEL)
        return str(client.create_model_version(MODEL, model.model_uri, model.run_id, model_id=model.model_id).version)

    def _connect(self) -> mlflow.MlflowClient:
        return mlflow_connection.connect(self.tracking_uri, EXPERIMENT, self.artifacts)


def _make_example(ranker: Ranker) -> pd.DataFrame:
    """A pair of nobody's: an example made of real people would put them into the registry."""
    names = [name for name, _ in list_feature_groups(ranker.specification)]
    return pd.DataFrame(np.zeros((1, len(names)), np.float32), columns=names)


def _make_signature(ranker: Ranker) -> ModelSignature:
    names = list_feature_groups(ranker.specification)
    columns: list[ColSpec | TensorSpec] = [ColSpec(DataType.float, name) for name, _ in names]
    return ModelSignature(Schema(columns), Schema([ColSpec(DataType.float, "p_like")]))
