"""What a training was made of, in its MLflow run: the data, the code, the encoder and the hyperparameters."""

import subprocess
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import mlflow
import pyarrow as pa
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array, Map
from upath import UPath

from models.ml.training.fit import CORRECTION_STRENGTHS, MAX_TREES, TREE_PARAMETERS
from pipelines.store.frame_store import compute_fingerprint
from pipelines.store.registry.model_registry import REQUIREMENTS
from pipelines.store.registry.training_data import get_path

ROOT = Path(__file__).resolve().parents[2]


def log_data(tables: Mapping[str, pa.Table], store: UPath, trained: str) -> None:
    """Log the tables that a version was trained on as datasets of the current MLflow run: columns, digest and place.

    The rows stay in the store, because MLflow holds no data of users.
    """
    for name, table in tables.items():
        with warnings.catch_warnings():  # MLflow has two readers of local paths and names the one that it takes
            warnings.filterwarnings("ignore", "The specified dataset source can be interpreted in multiple ways")
            source = resolve_dataset_source(str(get_path(store, trained, name)))
        schema = Schema([ColSpec(_find_type(field.type), field.name) for field in table.schema])
        dataset = MetaDataset(source, name, compute_fingerprint(table), schema)  # type: ignore[abstract]
        mlflow.log_input(dataset, context="training")


def _find_type(kind: pa.DataType) -> DataType | Array | Map:
    """Return MLflow's name of an Arrow type."""
    if pa.types.is_map(kind):
        return Map(_find_type(kind.item_type))
    if pa.types.is_list(kind):
        return Array(_find_type(kind.value_type))
    named = {
        DataType.boolean: pa.types.is_boolean,
        DataType.long: pa.types.is_integer,
        DataType.double: pa.types.is_floating,
        DataType.datetime: pa.types.is_timestamp,
    }
    return next((name for name, is_kind in named.items() if is_kind(kind)), DataType.string)


def list_code_parameters(encoder: str) -> dict[str, object]:
    """Return what the training depends on beside its data and configuration, as parameters of a run.

    `encoder` is the name of the encoder whose vectors it uses.
    """
    trees = {f"trees.{name}": value for name, value in TREE_PARAMETERS.items()}
    return {
        "git_commit": find_commit(ROOT),
        "encoder": encoder,
        "versions": " ".join([f"python=={python_version()}", *REQUIREMENTS]),
        "trees.max_trees": MAX_TREES,
        "ridge.correction_strengths": CORRECTION_STRENGTHS,
        **trees,
    }


def find_commit(folder: Path) -> str:
    """Return the git commit of a checkout, with `-dirty` if files differ from it; else the installed version."""
    called = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(called, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - constant but for the folder
    except (OSError, subprocess.CalledProcessError):
        return f"none: version {version('delete-matching')}, not in a git checkout"
