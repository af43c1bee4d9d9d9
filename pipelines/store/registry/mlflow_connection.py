"""Connect to MLflow: a server, or a store in the home folder, also after that folder was moved."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import mlflow
from mlflow.exceptions import MlflowException

from models.db.errors import InputError, MatchingError, RankerLost

TRACKING_URI, RESPONSE_SECONDS = "MLFLOW_TRACKING_URI", 5
SQLITE = "sqlite:///"
# The columns of MLflow's tables that hold absolute addresses of files.
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def is_server(uri: str) -> bool:
    """Return whether MLflow is a server, which is reached by HTTP and shows its pages itself."""
    return uri.startswith(("http://", "https://"))


def hide_password(uri: str) -> str:
    """Return the address of MLflow without its password."""
    place = urlsplit(uri)
    return place._replace(netloc=place.netloc.rpartition("@")[2]).geturl() if is_server(uri) else uri


def connect(uri: str, experiment: str, artifacts: str | None) -> mlflow.MlflowClient:
    """Return a client of MLflow.

    Args:
        uri: Address of the tracking server, or of a SQLite store.
        experiment: Name of the experiment.
        artifacts: Address of the files of the experiment; None: where MLflow keeps them.

    Raises:
        InputError: No server answers, or the store cannot be opened.
    """
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    if is_server(uri):
        _check_server(uri)
    elif artifacts is not None and uri.startswith(SQLITE):
        _relocate_artifacts(Path(uri.removeprefix(SQLITE)), experiment, artifacts)
    _set_tracking_uri(uri)
    try:
        if uri.startswith(SQLITE):
            _see_that_it_opens(Path(uri.removeprefix(SQLITE)))
        client = mlflow.MlflowClient()
        client.get_experiment_by_name(experiment)
    except Exception as error:  # from the database driver or from MLflow
        first = str(error).partition("\n")[0]
        what = "" if isinstance(error, MlflowException) else f"{type(error).__name__}: "
        raise InputError(
            f"MLflow's store at {hide_password(uri)} cannot be read: {what}{first}; restore it, or move it away: "
            "then the next `matching run` trains a first ranker"
        ) from error
    return client


@contextmanager
def raise_ranker_lost(what: str, where: str) -> Iterator[None]:
    """Raise RankerLost for any error of MLflow, an object store or a broken file within the block."""
    try:
        yield
    except MatchingError:
        raise
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise RankerLost(f"{what} cannot be read from {where}: {type(error).__name__}: {first}") from error


def _relocate_artifacts(database: Path, experiment: str, artifacts: str) -> None:
    """Update the addresses of files in a store that was moved or copied together with its files.

    MLflow keeps absolute addresses. It would read and write files where the home folder was before.
    """
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            asked = "SELECT artifact_location FROM experiments WHERE name = ?"
            (before,) = connection.execute(asked, (experiment,)).fetchone() or (artifacts,)
            if before == artifacts:
                return
            for table, column in ADDRESSES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                    (artifacts, len(before) + 1, len(before), before),
                )
    except sqlite3.Error:
        return  # MLflow reports what is wrong with its store


def _see_that_it_opens(database: Path) -> None:
    """Raise sqlite3.Error if the file is not a database, because MLflow would retry for minutes."""
    if database.exists():
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")


def _set_tracking_uri(uri: str) -> None:
    """Set MLflow's tracking URI, and keep the environment as it is.

    MLflow also sets the environment variable, which the settings would read as a choice of the user.
    """
    given = {name: value for name, value in os.environ.items() if name == TRACKING_URI}
    mlflow.set_tracking_uri(uri)
    os.environ.pop(TRACKING_URI, None)
    os.environ.update(given)


def _check_server(uri: str) -> None:
    """Raise InputError if no server answers within seconds, because MLflow would retry for minutes."""
    shown = hide_password(uri)
    try:
        urlopen(shown, timeout=RESPONSE_SECONDS).close()  # noqa: S310 - the caller has checked that it is HTTP
    except HTTPError:
        return  # an error status is also a response
    except (OSError, HTTPException) as error:
        what = getattr(error, "reason", error)
        if not isinstance(what, SSLError):  # certificates are a setting of MLflow
            raise InputError(
                f"no MLflow server answers at {TRACKING_URI}={shown}: {what}; start it, or unset the variable to keep "
                "rankers under MATCHING_HOME"
            ) from error
