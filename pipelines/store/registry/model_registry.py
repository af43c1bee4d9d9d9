"""The rankers in MLflow: each training is a run, each ranker a registered version, and the champion an alias."""

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
from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from models.db.errors import IncompatibleModelError, NoChampion, RankerLost
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER
from models.ml.profiles.encoders.opening import EncoderChoice, name_encoder
from models.ml.ranker import ranker_model as ranker_files
from models.ml.ranker.ranker_model import BY_FOLD_FOLDER, CrossFittedRanker, Ranker
from models.ml.training.learning_curve import LearningCurve
from pipelines.processes import ports
from pipelines.store.registry import mlflow_connection, pyfunc_ranker
from pipelines.store.registry.mlflow_connection import raise_ranker_lost

EXPERIMENT = "matching"
ABOUT = (
    "Each run is one training of the ranker. Its description says whether the ranker was promoted and why; its "
    "artifacts show how good it is. Lists are published with the version that has the alias champion."
)
NOTE_TAG = "mlflow.note.content"
MODEL = "ranker"
ABOUT_MODEL = "p_like, the probability that a viewer likes a candidate. Lists are published with the champion."
# Where `matching ui` serves MLflow if there is no server. Without the parameter MLflow opens pages for language models.
MLFLOW, FOR_TRAINING = f"http://{ports.HOST}:{ports.MLFLOW_PORT}", "?workflowType=machine_learning"
CHAMPION = "champion"
# The distributions of profiles and scores at the training (see models.ml.evaluation.monitoring.drift).
REFERENCE = "reference.json"
# The tags of a version that say what has drifted most since its training, and its stability index.
DRIFTED, DRIFT = "drifted", "drift"
# The tag of a version that says what the gate decided; one tag for each check says on what evidence.
DECIDED = "decided"
# The metrics of a training that hold its learning curve.
CURVE = ("learning_curve.slope", "learning_curve.slope_error")
# The app tables whose rows a training counts, refused rows included, to see later how much has changed.
TABLES = ("profiles", "interactions")
# Error codes of MLflow for a model or an alias that does not exist.
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# The versions that loading a model requires. MLflow would otherwise infer them, which is slow.
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")]


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Champion:
    """The ranker that publications use, and its registered version."""

    version: str
    rankers: CrossFittedRanker


class ModelRegistry(dg.ConfigurableResource[None]):
    """MLflow at `tracking_uri`. `artifacts` is the address of a new experiment's files; None: the server's choice.

    `encoder` is the setting MATCHING_ENCODER: a champion that was trained on the vectors of another one counts as none.
    """

    tracking_uri: str
    artifacts: str | None = None
    encoder: str = DEFAULT_ENCODER

    @property
    def is_a_server(self) -> bool:
        """Whether MLflow is a server, which is reached by HTTP and shows its pages itself."""
        return mlflow_connection.is_server(self.tracking_uri)

    @property
    def exists(self) -> bool:
        """Whether there is anything to read: a server, or a store that a run has made."""
        return self.is_a_server or Path(self.tracking_uri.removeprefix(mlflow_connection.SQLITE)).exists()

    @property
    def place(self) -> str:
        """The address of MLflow without its password."""
        return mlflow_connection.hide_password(self.tracking_uri)

    @contextmanager
    def track_training(self, name: str, tags: Mapping[str, str]) -> Iterator[None]:
        """Record the block as one MLflow run, which is marked as failed if the block raises."""
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
        """Log rankers in the current run, register them, and return their version."""
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
        """Return the version of the champion; None if there is none yet."""
        return self.find_ranker_version(CHAMPION)

    def find_ranker_version(self, name: str) -> str | None:
        """Return the version that has this alias, or this number; None if there is none."""
        client = self._connect()
        try:
            found = (
                client.get_model_version(MODEL, name)
                if name.isdecimal()
                else client.get_model_version_by_alias(MODEL, name)
            )
            return str(found.version)
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                return None
            raise

    def find_champion(self) -> Champion | None:
        """Return the champion; None, with a warning, if there is none that can be loaded."""
        try:
            return self.get_champion()
        except NoChampion as error:
            logger.warning("%s", error)
            return None

    def get_champion(self) -> Champion:
        """Return the champion.

        Raises:
            NoChampion: There is none, it cannot be loaded, or it was trained on the vectors of another encoder.
            InputError: The encoder that the settings name does not exist.
        """
        version = self.find_champion_version()
        if version is None:
            raise NoChampion(
                f"there is no ranker yet: train one with `matching run`; it was looked for in MLflow at {self.place}"
            )
        try:
            self._run(version)
            rankers = self.load_rankers(version)
            self._check_encoder(rankers.full)
            return Champion(version, rankers)
        except (IncompatibleModelError, RankerLost) as error:
            raise NoChampion(
                f"the champion, version {version} in MLflow at {self.place}, counts as none: {error}; restore it, or "
                "train another one with `matching run`"
            ) from error

    def record_decision(self, version: str, became: str, reasons: Mapping[str, str]) -> None:
        """Record in the current run and with the version what the gate decided.

        Args:
            version: The registered version.
            became: The decision in a word, such as `promoted`.
            reasons: Result of each check, as a sentence by name of the check.
        """
        client = self._connect()
        mlflow.set_tag("mlflow.runName", f"version {version}: {became}")
        mlflow.set_tags({f"gate.{name}": sentence for name, sentence in reasons.items()})
        lines = [f"- {name.replace('_', ' ')}: {sentence}" for name, sentence in reasons.items()]
        client.set_model_version_tag(MODEL, version, DECIDED, became)
        for name, sentence in reasons.items():
            client.set_model_version_tag(MODEL, version, f"gate.{name}", sentence)
        # MLflow's list of versions shows the first words.
        client.update_model_version(MODEL, version, description="\n".join([f"{became.capitalize()}.", "", *lines]))

    def log_json(self, name: str, content: Mapping[str, object]) -> None:
        """Store content with the current run, as a JSON file of this name."""
        mlflow.log_dict(dict(content), name)

    def log_png(self, name: str, png: bytes) -> None:
        """Store a picture with the current run."""
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / f"{name}.png"
            picture.write_bytes(png)
            mlflow.log_artifact(str(picture))

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Store a table with the current run."""
        # MLflow does not support the string type of pandas 3 yet.
        words: dict[Any, Any] = dict.fromkeys(table.select_dtypes("str").columns, object)
        mlflow.log_table(table.astype(words).round(4), f"{name}.json")

    def set_description(self, note: str) -> None:
        """Set the description of the current run, in Markdown."""
        mlflow.set_tag(NOTE_TAG, note)

    def get_page(self, shown_at: str = MLFLOW) -> str:
        """Return the address of the current run's page, or of the list of runs outside a run.

        `shown_at` is the address where `matching ui` serves MLflow; a server serves its own pages.
        """
        self._connect()
        server = self.tracking_uri.rstrip("/") if self.is_a_server else shown_at
        experiment, run = mlflow.get_experiment_by_name(EXPERIMENT), mlflow.active_run()
        if experiment is None:
            return server
        one = f"/{run.info.run_id}" if run else ""
        return f"{server}/#/experiments/{experiment.experiment_id}/runs{one}{FOR_TRAINING}"

    def describe_training_data(self, version: str) -> tuple[datetime, dict[str, int]]:
        """Return the time of a version's training, and the rows that each app table had then.

        The number of rows is 0 where the run does not record it.

        Raises:
            RankerLost: The run of the training does not exist.
        """
        run = self._run(version)
        counts = {name: int(run.data.params.get(f"app.{name}", 0)) for name in TABLES}
        return datetime.fromtimestamp(run.info.start_time / 1000, UTC), counts

    def load_parameters(self, version: str) -> dict[str, str]:
        """Load the parameters that a version was trained with.

        Raises:
            RankerLost: The run of the training does not exist.
        """
        return dict(self._run(version).data.params)

    def load_learning_curve(self, version: str) -> LearningCurve:
        """Load the learning curve of a version; the usual one where its run has none.

        Raises:
            RankerLost: The run of the training does not exist.
        """
        data = self._run(version).data
        measured = [data.metrics[name] for name in CURVE if name in data.metrics]
        return LearningCurve(int(data.params.get("decisions", 0)), *(measured if len(measured) == len(CURVE) else ()))

    def record_drift(self, version: str, drifted: str, index: float) -> None:
        """Record with a version what has drifted most since its training."""
        client = self._connect()
        client.set_model_version_tag(MODEL, version, DRIFTED, drifted)
        client.set_model_version_tag(MODEL, version, DRIFT, f"{index:.4f}")

    def find_drift(self, version: str) -> tuple[str, float] | None:
        """Return what has drifted most since the training of a version; None if nothing is recorded."""
        tags = self.find_tags(version)
        return (tags[DRIFTED], float(tags[DRIFT])) if DRIFT in tags and DRIFTED in tags else None

    def find_tags(self, version: str) -> dict[str, str]:
        """Return the tags of a version: what the gate decided on what evidence, and its drift."""
        return dict(self._connect().get_model_version(MODEL, version).tags)

    def load_json(self, version: str, name: str) -> dict[str, Any] | None:
        """Load JSON content of the run that trained a version; None if there is none of this name or it is lost."""
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
        """Load a registered version.

        Raises:
            RankerLost: Its files do not exist or cannot be read.
            IncompatibleModelError: Its files have another format version.
        """
        client = self._connect()
        with raise_ranker_lost(f"version {version}", self.place):
            where = client.get_model_version_download_uri(MODEL, version)
        with raise_ranker_lost(f"the files of version {version}", where), tempfile.TemporaryDirectory() as folder:
            model = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{version}", dst_path=folder)
            # MLflow stores an artifact under the name of the folder that it was logged from.
            found = [path.parent for path in Path(model).rglob("ranker.json") if BY_FOLD_FOLDER not in path.parts]
            if not found:
                raise FileNotFoundError("there is no ranker.json")
            return ranker_files.load_rankers(found[0])

    def _check_encoder(self, ranker: Ranker) -> None:
        name, trained = name_encoder(EncoderChoice(self.encoder)), ranker.specification.encoder
        if trained != name:
            raise IncompatibleModelError(
                f"it was trained on vectors of the encoder {trained}, and the setting is {name}"
            )

    def _run(self, version: str) -> Run:
        """Return the run that trained a version.

        Raises:
            RankerLost: The run does not exist or was deleted.
        """
        client = self._connect()
        with raise_ranker_lost("its run", self.place):
            run = client.get_run(str(client.get_model_version(MODEL, version).run_id))
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise RankerLost(f"its run {run.info.run_id} was deleted from {self.place}")
        return run

    def _register(self, model: ModelInfo) -> str:
        """Register a logged model through the client, because `mlflow.register_model` prints to the terminal."""
        client = self._connect()
        with suppress(MlflowException):  # it exists from the second time on
            client.create_registered_model(MODEL, description=ABOUT_MODEL)
        return str(client.create_model_version(MODEL, model.model_uri, model.run_id, model_id=model.model_id).version)

    def _connect(self) -> mlflow.MlflowClient:
        return mlflow_connection.connect(self.tracking_uri, EXPERIMENT, self.artifacts)


def _make_example(ranker: Ranker) -> pd.DataFrame:
    """Make an example pair of zeros, because real pairs would put profile data into the registry."""
    names = [name for name, _ in list_feature_groups(ranker.specification)]
    return pd.DataFrame(np.zeros((1, len(names)), np.float32), columns=names)


def _make_signature(ranker: Ranker) -> ModelSignature:
    names = list_feature_groups(ranker.specification)
    columns: list[ColSpec | TensorSpec] = [ColSpec(DataType.float, name) for name, _ in names]
    return ModelSignature(Schema(columns), Schema([ColSpec(DataType.float, "p_like")]))
