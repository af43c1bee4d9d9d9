"""The rankers in MLflow: each training a run, each ranker a registered version, the champion an alias."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from ssl import SSLError
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import dagster as dg
import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from models.db.errors import InputError, NoChampion, OtherMake
from models.ml import ranker as ranker_files
from models.ml.features import names_and_groups
from models.ml.ranker import Ranker, Rankers
from pipelines import ports, ranker_model

EXPERIMENT = "matching"
ABOUT = (
    "A run is one training of the ranker. Its description says what became of it and why; its artifacts show how good "
    "it is. The version called champion is the one that lists are published with."
)
NOTE = "mlflow.note.content"
MODEL = "ranker"
ABOUT_MODEL = "p_like, the chance that a viewer likes a candidate if shown. Lists are published with the champion."
# Where `matching ui` serves MLflow, unless there is a server; it opens on pages for language models if not told.
MLFLOW, FOR_TRAINING = f"http://{ports.HOST}:{ports.MLFLOW_PORT}", "?workflowType=machine_learning"
CHAMPION = "champion"
# How people and scores were spread in the training (see models.ml.drift).
REFERENCE = "reference.json"
# The app's tables whose rows a run counts, of whatever use they are: by them is told how much has changed since.
TABLES = ("profiles", "interactions")
TRACKING_URI, SECONDS_TO_ANSWER = "MLFLOW_TRACKING_URI", 5
# How MLflow says that there is no such model, or no such alias of it.
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# The versions a model needs to be loaded again. Naming them spares MLflow eight seconds of guessing.
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")]


@dataclass(frozen=True)
class Champion:
    """The ranker that publications use, and its registered version."""

    version: str
    rankers: Rankers


class Registry(dg.ConfigurableResource[None]):
    """MLflow at `tracking_uri`; `artifacts` is where a new experiment keeps its files, None for the server's choice."""

    tracking_uri: str
    artifacts: str | None = None

    @property
    def is_a_server(self) -> bool:
        """Whether it is asked by HTTP, and shows its pages itself."""
        return self.tracking_uri.startswith(("http://", "https://"))

    @contextmanager
    def training(self, name: str, tags: Mapping[str, str]) -> Iterator[None]:
        """One MLflow run around a training; it ends as failed if the training does."""
        client = self._connect()
        experiment = mlflow.get_experiment_by_name(EXPERIMENT)
        key = experiment.experiment_id if experiment else mlflow.create_experiment(EXPERIMENT, self.artifacts)
        client.set_experiment_tag(key, NOTE, ABOUT)
        with mlflow.start_run(experiment_id=key, run_name=name, tags=dict(tags)):
            yield

    def log(self, rankers: Rankers, parameters: Mapping[str, object], metrics: Mapping[str, float]) -> str:
        """Log and register rankers in the current run, and return their version."""
        mlflow.log_params(dict(parameters))
        mlflow.log_metrics(dict(metrics))
        with tempfile.TemporaryDirectory() as folder:
            ranker_files.save(rankers, Path(folder))
            model = mlflow.pyfunc.log_model(
                name=MODEL,
                python_model=ranker_model.__file__,
                artifacts={"ranker": folder},
                signature=_signature(rankers.whole),
                input_example=_example(rankers.whole),
                pip_requirements=REQUIREMENTS,
            )
        return self._register(model)

    def promote(self, version: str) -> None:
        """Make a version the champion."""
        self._connect().set_registered_model_alias(MODEL, CHAMPION, version)

    def champion_version(self) -> str | None:
        """The champion's version; None if there is none yet."""
        try:
            return str(self._connect().get_model_version_by_alias(MODEL, CHAMPION).version)
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                return None
            raise

    def current(self) -> Champion | None:
        """The champion; None if there is none yet, or it is of another make and cannot be compared with anything."""
        version = self.champion_version()
        try:
            return None if version is None else Champion(version, self.load(version))
        except OtherMake:
            return None

    def champion(self) -> Champion:
        """The champion; raises NoChampion if there is none yet."""
        if (champion := self.current()) is None:
            raise NoChampion("there is no ranker yet: train one with `matching run`")
        return champion

    def explain(self, version: str, became: str, reasons: Mapping[str, str]) -> None:
        """Keep in the current run, and with the version, what became of it and why: check → sentence."""
        client = self._connect()
        mlflow.set_tag("mlflow.runName", f"version {version}: {became}")
        mlflow.set_tags({f"gate.{name}": sentence for name, sentence in reasons.items()})
        lines = [f"- {name.replace('_', ' ')}: {sentence}" for name, sentence in reasons.items()]
        # Its first words are what MLflow's list of versions shows.
        client.update_model_version(MODEL, version, description="\n".join([f"{became.capitalize()}.", "", *lines]))

    def keep(self, name: str, content: Mapping[str, object]) -> None:
        """Keep numbers with the current run, as a JSON file of this name."""
        mlflow.log_dict(dict(content), name)

    def draw(self, name: str, figure: Figure) -> None:
        """Keep a picture with the current run."""
        mlflow.log_figure(figure, f"{name}.png")

    def tabulate(self, name: str, table: pd.DataFrame) -> None:
        """Keep a table with the current run."""
        # MLflow does not know the strings of pandas 3 yet.
        words: dict[Any, Any] = dict.fromkeys(table.select_dtypes("str").columns, object)
        mlflow.log_table(table.astype(words).round(4), f"{name}.json")

    def describe(self, note: str) -> None:
        """Say what MLflow shows first of the current run, in Markdown."""
        mlflow.set_tag(NOTE, note)

    def page(self, shown_at: str = MLFLOW) -> str:
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

    def trained_on(self, version: str) -> tuple[datetime, dict[str, int]]:
        """When a version was trained, and how many rows each of the app's tables had: none if its run does not say."""
        run_id = str(self._connect().get_model_version(MODEL, version).run_id)
        run = self._connect().get_run(run_id)
        counts = {name: int(run.data.params.get(f"app.{name}", 0)) for name in TABLES}
        return datetime.fromtimestamp(run.info.start_time / 1000, UTC), counts

    def kept(self, version: str, name: str) -> dict[str, Any] | None:
        """What was kept of this name with the run that a version was trained in; None if nothing was."""
        run_id = str(self._connect().get_model_version(MODEL, version).run_id)
        if name not in {each.path for each in self._connect().list_artifacts(run_id)}:
            return None
        content: dict[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{name}")
        return content

    def load(self, version: str) -> Rankers:
        """A registered version."""
        self._connect()
        with tempfile.TemporaryDirectory() as folder:
            model = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{version}", dst_path=folder)
            # MLflow keeps an artifact under the name of the folder it was logged from.
            found = min(Path(model).rglob("ranker.json"), key=lambda path: len(path.parts))
            return ranker_files.load(found.parent)

    def _register(self, model: ModelInfo) -> str:
        """Register a logged model through the client: MLflow's shorter way prints lines among those of the run."""
        client = self._connect()
        with suppress(MlflowException):  # it is there from the second time on
            client.create_registered_model(MODEL, description=ABOUT_MODEL)
        return str(client.create_model_version(MODEL, model.model_uri, model.run_id, model_id=model.model_id).version)

    def _connect(self) -> mlflow.MlflowClient:
        os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        if self.is_a_server:
            _see_that_it_answers(self.tracking_uri)
        _track_at(self.tracking_uri)
        return mlflow.MlflowClient()


def _track_at(uri: str) -> None:
    """Point MLflow there. It names the place in the environment too, where settings would take it for the user's."""
    given = {name: value for name, value in os.environ.items() if name == TRACKING_URI}
    mlflow.set_tracking_uri(uri)
    os.environ.pop(TRACKING_URI, None)
    os.environ.update(given)


def _see_that_it_answers(uri: str) -> None:
    """Raise InputError if no server answers there within seconds: MLflow would go on asking for minutes."""
    place = urlsplit(uri)
    shown = place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()  # without a password
    try:
        urlopen(shown, timeout=SECONDS_TO_ANSWER).close()  # noqa: S310 - HTTP, as the caller has seen
    except HTTPError:
        return  # an answer, too
    except (OSError, HTTPException) as error:
        what = getattr(error, "reason", error)
        if not isinstance(what, SSLError):  # whom to trust is a setting of MLflow's
            raise InputError(
                f"no MLflow server answers at {TRACKING_URI}={shown}: {what}; start it, or unset the variable to keep "
                "rankers under MATCHING_HOME"
            ) from error


def _example(ranker: Ranker) -> pd.DataFrame:
    """A pair of nobody's: an example made of real people would put them into the registry."""
    names = [name for name, _ in names_and_groups(ranker.specification)]
    return pd.DataFrame(np.zeros((1, len(names)), np.float32), columns=names)


def _signature(ranker: Ranker) -> ModelSignature:
    names = names_and_groups(ranker.specification)
    columns: list[ColSpec | TensorSpec] = [ColSpec(DataType.float, name) for name, _ in names]
    return ModelSignature(Schema(columns), Schema([ColSpec(DataType.float, "p_like")]))
