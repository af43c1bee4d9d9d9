"""How each program that the pages name is tried: really, or by its own reader of the command line."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from io import StringIO

import click
import pytest
from rich.console import Console

from models.db.engines import open_database
from models.ml.evaluation import method_registry, protocols
from models.ml.evaluation.baselines import BASELINES
from pipelines.commands import demo
from tests.docs.conftest import PEOPLE, Reader, copied
from tests.docs.pages import ROOT

# What the commands print for a population that was run, by their second word.
PRINTED = {
    "load": r"profiles +[1-9]\d* ",
    "run": r"publication 1 is live: \d+ viewers",
    "score": "^2 pairs scored, in OUT.csv$",
    "compare-policies": r"best response +│ +[1-9][\d,.]*",
    "policy-value": r"best response, likes: the logs count like \d+ examined cards",
    "simulate": r"best response +\d+ +- .*\n(p_match|p_like|oracle) +\d+",
    "status": r"^publication +\d+, live since .* UTC \(.*\): \d+ lists",
    "publications": r"1 +(live|retired) +1 ",
    "rollback": "^publication 2 is live again$",
    "erase": r"^erased: \d+ likes and passes, \d+ blocks, 1 vectors",
    "export": r'^  "database": \{$',
    "token": r"^[\w-]+\.[\w-]+\.[\w-]+$",
    "migrate": "^$",
    "stop": "^the embedded database was not running$",
    "reproduce": "^version 1, trained again on .* is the same in all of its",
    "evaluate": r"│ ranker +│ 0\.\d{3} │",
    "demo": "using publication 1",
}
# Commands that run until Ctrl-C, need a public file or take long: only their words are read.
READ_ONLY = (
    *("ui", "serve", "notebooks", "example", "load speed-dating", "load okcupid", "load chitchat"),
    *("load simulated --people 8000", "train-flags", "grade-flags", "experiment", "encoders"),
)
AN_EARLIER_ONE = (
    "INSERT INTO matching.publications (state, ranker_version, encoder) VALUES ('retired', '1', 'letters')",
    "CREATE TABLE matching.match_lists_2 PARTITION OF matching.match_lists FOR VALUES IN (2)",
)


def try_make(command: str, request: pytest.FixtureRequest) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    words = ["make", "-n", *command.split()[1:]]
    subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True)


def try_matching(command: str, request: pytest.FixtureRequest) -> None:
    """In the population that was run, or a copy of it where the command changes it."""
    reader: Reader = request.getfixturevalue("reader")
    word = command.split()[1]
    if command.removeprefix("matching ").startswith(READ_ONLY):
        done = reader.types(f"{command} --help")
        assert done.returncode == 0, done.stderr
        return
    if word in ("rollback", "erase"):
        with copied(reader, request.getfixturevalue("databases")) as copy:
            copy.place.tell(*AN_EARLIER_ONE)
            done = copy.types(command)
    elif word == "evaluate":
        done = evaluate(reader)
    elif word == "demo":
        assert re.search(PRINTED[word], show_demo(reader))
        return
    else:
        done = reader.types(command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(PRINTED[word], (done.stdout + done.stderr).replace("\n\n", "\n").rstrip("\n"), re.MULTILINE)


def show_demo(reader: Reader) -> str:
    """What `matching demo` prints for the reader's population, which is the demo's but for its size."""
    if "demo" not in reader.shown:
        printed = StringIO()
        with reader.at_home() as patch, open_database(reader.place.settings) as engine:
            patch.setattr(demo, "PEOPLE", PEOPLE)
            demo.show_demo(engine, reader.place.settings, Console(file=printed, width=80))
        reader.shown["demo"] = printed.getvalue()
    return reader.shown["demo"]


def evaluate(reader: Reader) -> "subprocess.CompletedProcess[str]":
    """With fewer folds, history sizes and baselines."""
    fewer = {name: BASELINES[name] for name in ("random", "popularity", "ridge_logistic")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "FOLDS", 2)
        patch.setattr(protocols, "WARM_HISTORY_SIZES", (0, None))
        patch.setattr(protocols, "TRAINING_SHARES", (1.0,))
        patch.setattr(method_registry, "BASELINES", fewer)
        patch.setattr(method_registry, "WITH_HISTORY", ("popularity", "ridge_logistic"))
        return reader.types("matching evaluate")


def try_curl(command: str, request: pytest.FixtureRequest) -> None:
    """A token, and curl with it, of an API at another port."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    reader, api = request.getfixturevalue("reader"), request.getfixturevalue("api")
    done = reader.types(command.replace("http://127.0.0.1:8000", str(api.client.base_url).rstrip("/")))
    assert done.returncode == 0, done.stderr
    assert 0 < done.stdout.count('"p_match_percent"') <= 5


def try_python(command: str, request: pytest.FixtureRequest) -> None:
    done = request.getfixturevalue("reader").types(command)
    assert re.fullmatch(r"[0-9a-f]{64}\n", done.stdout), done.stderr


def read_options(command: str, request: pytest.FixtureRequest) -> None:
    """The server's own reader of the command line takes every option, in the installed version."""
    called, (module, name) = next(each for each in READERS.items() if command.startswith(each[0] + " "))
    reads: click.Command = getattr(import_module(module), name)
    reads.make_context(called, shlex.split(command.removeprefix(called)))


READERS = {
    "dagster-webserver": ("dagster_webserver.cli", "dagster_webserver"),
    "dagster-daemon run": ("dagster._daemon.cli", "run_command"),
    "mlflow server": ("mlflow.cli", "server"),
    "dask scheduler": ("distributed.cli.dask_scheduler", "main"),
    "dask worker": ("distributed.cli.dask_worker", "main"),
    "uvicorn": ("uvicorn.main", "main"),
}
TRIED: dict[str, Callable[[str, pytest.FixtureRequest], None]] = {
    "make": try_make,
    "matching": try_matching,
    "TOKEN": try_curl,
    "python": try_python,
    **dict.fromkeys((called.split()[0] for called in READERS), read_options),
}
