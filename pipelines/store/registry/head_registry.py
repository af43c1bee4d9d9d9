"""The outcome head in MLflow: each training is a run, each accepted head a version, and the champion an alias.

A head is a few numbers about everybody: priors of rates, and weights. It names nobody.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import mlflow
import numpy as np
from mlflow.entities import LifecycleStage
from mlflow.exceptions import MlflowException

from models.db.errors import IncompatibleModelError
from models.ml.arrays import Float64Array
from models.ml.conversations.head.outcome_head import OutcomeHead
from models.ml.conversations.head.past_rates import RatePrior
from models.ml.ranker.linear import LinearModel
from models.ml.validation.gate_rules import GateCheck
from pipelines.store.registry import mlflow_connection
from pipelines.store.registry.mlflow_connection import raise_ranker_lost
from pipelines.store.registry.model_registry import CHAMPION, FOR_TRAINING, MLFLOW, NOT_THERE, NOTE_TAG, ModelRegistry

EXPERIMENT, MODEL, FILE = "outcome head", "outcome_head", "outcome_head.json"
ABOUT = (
    "Each run is one training of the outcome head, which estimates whether a conversation goes on. Its tags say "
    "whether the gate accepted it and why. The market uses the version that has the alias champion, if there is one."
)
FORMAT_VERSION = 1
"""Increase it when the meaning of features or of the file changes."""


@dataclass(frozen=True)
class HeadTraining:
    """What a training came to.

    Attributes:
        head: The head; None if there was too little to learn from.
        checks: The checks of the gate.
        metrics: Figures by name.
        parameters: What it was trained on.
    """

    head: OutcomeHead | None
    checks: Sequence[GateCheck]
    metrics: Mapping[str, float]
    parameters: Mapping[str, object]

    @property
    def passed(self) -> bool:
        """Whether the market may use the head."""
        return self.head is not None and all(check.passed for check in self.checks)


def record_head(registry: ModelRegistry, training: HeadTraining, name: str, tags: Mapping[str, str]) -> str | None:
    """Record a training in MLflow; the head becomes champion if it passed, else there is no champion any more.

    Returns:
        The version of the champion; None if the head was refused.
    """
    client = _connect(registry)
    reasons = {f"gate.{check.name}": check.sentence for check in training.checks}
    with mlflow.start_run(experiment_id=_find_experiment(client, registry), run_name=name, tags={**tags, **reasons}):
        mlflow.log_params(dict(training.parameters))
        mlflow.log_metrics(dict(training.metrics))
        mlflow.set_tag("promoted", str(training.passed))
        if training.head is None or not training.passed:
            _demote(client)
            return None
        mlflow.log_dict(serialise_head(training.head), FILE)
        run = mlflow.active_run()
        source, run_id = mlflow.get_artifact_uri(), run.info.run_id if run else None
    with suppress(MlflowException):  # it exists from the second time on
        client.create_registered_model(MODEL, description=ABOUT)
    version = str(client.create_model_version(MODEL, source, run_id).version)
    client.set_registered_model_alias(MODEL, CHAMPION, version)
    return version


def withdraw_head(registry: ModelRegistry) -> None:
    """Take the alias from the champion, if there is one: too little is left to learn from."""
    if registry.exists:
        _demote(_connect(registry))


def find_head(registry: ModelRegistry) -> tuple[OutcomeHead, str] | None:
    """Return the head that the market may use, and its version; None if there is none.

    Raises:
        RankerLost: Its file cannot be read.
        IncompatibleModelError: Its file has another format version.
    """
    if not registry.exists:
        return None
    client = _connect(registry)
    try:
        found = client.get_model_version_by_alias(MODEL, CHAMPION)
    except MlflowException as error:
        if error.error_code in NOT_THERE:
            return None
        raise
    with raise_ranker_lost(f"version {found.version} of the outcome head", registry.place):
        content = mlflow.artifacts.load_dict(f"runs:/{found.run_id}/{FILE}")
    return parse_head(content), str(found.version)


def get_page(registry: ModelRegistry, shown_at: str = MLFLOW) -> str:
    """Return the address of the list of trainings; `shown_at` is where `matching ui` serves MLflow."""
    client = _connect(registry)
    server = registry.tracking_uri.rstrip("/") if registry.is_a_server else shown_at
    return f"{server}/#/experiments/{_find_experiment(client, registry)}/runs{FOR_TRAINING}"


def serialise_head(head: OutcomeHead) -> dict[str, object]:
    """Return a head as JSON content."""
    return {
        "format": FORMAT_VERSION,
        "priors": {name: asdict(prior) for name, prior in head.priors.items()},
        "weights": head.linear.weights.tolist(),
        "intercept": head.linear.intercept,
        "mean": head.mean,
    }


def parse_head(content: Mapping[str, Any]) -> OutcomeHead:
    """Return the head of JSON content.

    Raises:
        IncompatibleModelError: It has another format version.
    """
    if content.get("format") != FORMAT_VERSION:
        raise IncompatibleModelError(f"the outcome head has format {content.get('format')}, not {FORMAT_VERSION}")
    priors = {name: RatePrior(**prior) for name, prior in content["priors"].items()}
    weights: Float64Array = np.array(content["weights"], np.float64)
    return OutcomeHead(priors, LinearModel(weights, float(content["intercept"])), float(content["mean"]))


def _demote(client: mlflow.MlflowClient) -> None:
    with suppress(MlflowException):  # there is no such model, or no champion
        client.delete_registered_model_alias(MODEL, CHAMPION)


def _find_experiment(client: mlflow.MlflowClient, registry: ModelRegistry) -> str:
    """Return the id of the experiment, which is created or restored if need be."""
    found = mlflow.get_experiment_by_name(EXPERIMENT)
    key = found.experiment_id if found else mlflow.create_experiment(EXPERIMENT, registry.artifacts)
    if found and found.lifecycle_stage == LifecycleStage.DELETED:
        client.restore_experiment(key)
    client.set_experiment_tag(key, NOTE_TAG, ABOUT)
    return str(key)


def _connect(registry: ModelRegistry) -> mlflow.MlflowClient:
    return mlflow_connection.connect(registry.tracking_uri, EXPERIMENT, registry.artifacts)
