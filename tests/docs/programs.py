"""How each program that the pages name is tried: really, where that takes seconds; else by a test named here."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from io import StringIO

import click
import httpx2
import pytest
from rich.console import Console

from models.db.engines import open_database
from models.ml.evaluation import method_registry, protocols
from models.ml.evaluation.baselines import BASELINES
from pipelines.commands import demo as demonstration
from tests.docs.conftest import PEOPLE, Done, Reader, copied
from tests.docs.pages import ROOT
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.loaders import test_okcupid, test_speed_dating

# Of a target of the Makefile: what its recipe does, and the test that does the same.
MADE = {
    "demo": ("matching demo", "tests/docs/test_blocks.py::test_a_picture_is_of_what_is_there"),
    "test": ("-m pytest -n 3", "tests/docs/test_blocks.py::test_a_command_does_what_it_says"),
    "lint": ("lint-imports", "tests/test_architecture.py::test_the_import_contracts_hold"),
    "bench": ("-m tests.bench.scale", "tests/bench/test_scale_benchmark.py::test_"),
    "serve": ("matching serve", "tests/pipelines/processes/test_ports.py::test_ctrl_c_ends_the_api"),
    "ui": ("matching ui", "tests/pipelines/processes/test_ports.py::test_one_ui_for_a_home"),
    "notebooks": ("matching notebooks", "tests/notebooks/test_notebooks.py::test_runs_top_to_bottom"),
    "client": ("-m serving.openapi", "tests/serving/client/test_types.py::test_the_committed_types"),
    "client-packages": ("npm ci", "tests/serving/client/test_types.py::test_client_tests_and_example_pass"),
    "example": ("matching example", "tests/serving/client/test_example.py::test_"),
    "stop": ("matching stop", "tests/models_db/test_embedded.py::test_stop_ends_sessions"),
    "clean": ("rm -rf .venv .data", "tests/models_db/test_embedded.py::test_a_home_deleted_under_its_server"),
}
# What the commands answer in a town that was run, by their second word.
ANSWERED = {
    "load": r"profiles +[1-9]\d* ",
    "run": r"publication 1 is live: \d+ viewers",
    "score": "^2 pairs scored, in OUT.csv$",
    "compare-policies": r"best response +│ +[1-9][\d,.]*",
    "publications": r"1 +(live|retired) +1 ",
    "rollback": "^publication 2 is live again$",
    "erase": r"^erased: \d+ likes and passes, \d+ blocks, 1 vectors",
    "token": r"^[\w-]+\.[\w-]+\.[\w-]+$",
    "migrate": "^$",
    "stop": "^the embedded database was not running$",
}
AN_EARLIER_ONE = (
    "INSERT INTO matching.publications (state, ranker_version, encoder) VALUES ('retired', '1', 'letters')",
    "CREATE TABLE matching.match_lists_2 PARTITION OF matching.match_lists FOR VALUES IN (2)",
)
SECONDS_TO_START = 120
# Commands that go on until Ctrl-C, which the test of the target of make tries.
SERVERS = ("ui", "serve", "notebooks", "example")


def made(command: str, request: pytest.FixtureRequest) -> None:
    """A target that is there, whose recipe is what a test elsewhere runs."""
    target, *variables = command.split()[1:]
    recipe, test = MADE[target]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    words = ["make", "-n", target, *variables]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert recipe in done.stdout
    file, _, function = test.partition("::")
    assert f"def {function}" in (ROOT / file).read_text(encoding="utf-8")


def asked(command: str, request: pytest.FixtureRequest) -> None:
    """`matching`, in the town that was run; what loads a file, in an empty one."""
    word = command.split()[1]
    if word in SERVERS:
        made(f"make {word}", request)
        return
    if word in IN_HERE:
        IN_HERE[word](request)
        return
    reader: Reader = request.getfixturevalue("reader")
    if ".csv" in command and word == "load":
        done = _loaded(command, reader, request)
    elif word in ("rollback", "erase"):
        done = _in_a_copy(command, reader, request)
    else:
        done = reader.types(command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(ANSWERED[word], (done.stdout + done.stderr).replace("\n\n", "\n").rstrip("\n"), re.MULTILINE)


def _loaded(command: str, reader: Reader, request: pytest.FixtureRequest) -> Done:
    rows = test_speed_dating.side
    test_speed_dating.write(reader.folder / "Speed_Dating_Data.csv", [rows(1, 2), rows(2, 1)])
    csv = test_okcupid.write(reader.folder / "profiles_revised.csv", {})
    shutil.make_archive(str(csv), "zip", csv.parent, csv.name)
    databases: Databases = request.getfixturevalue("databases")
    with databases() as url:
        return Reader(reader.folder, Place(reader.place.home, url)).types(command)


def _in_a_copy(command: str, reader: Reader, request: pytest.FixtureRequest) -> Done:
    with copied(reader, request.getfixturevalue("databases")) as copy:
        copy.place.tell(*AN_EARLIER_ONE)
        return copy.types(command)


def demo(request: pytest.FixtureRequest) -> str:
    """What `matching demo` prints in the reader's town, which is the demo's but for its size."""
    reader: Reader = request.getfixturevalue("reader")
    if "demo" not in reader.shown:
        printed = StringIO()
        with reader.at_home() as patch, open_database(reader.place.settings) as engine:
            patch.setattr(demonstration, "PEOPLE", PEOPLE)
            demonstration.show_demo(engine, reader.place.settings, Console(file=printed, width=80))
        reader.shown["demo"] = printed.getvalue()
    assert "using publication 1" in reader.shown["demo"]
    assert "make stop" in reader.shown["demo"]
    return reader.shown["demo"]


def evaluate(request: pytest.FixtureRequest) -> None:
    """With fewer folds, amounts and baselines than in earnest."""
    reader: Reader = request.getfixturevalue("reader")
    fewer = {name: BASELINES[name] for name in ("random", "popularity", "ridge_logistic")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "FOLDS", 2)
        patch.setattr(protocols, "WARM_HISTORY_SIZES", (0, None))
        patch.setattr(protocols, "TRAINING_SHARES", (1.0,))
        patch.setattr(method_registry, "BASELINES", fewer)
        patch.setattr(method_registry, "WITH_HISTORY", ("popularity", "ridge_logistic"))
        done = reader.types("matching evaluate")
    assert done.returncode == 0, done.stderr
    assert "Likes of people of whom only the profile is known" in done.stdout
    assert " calibration " in done.stdout  # no heading is cut short
    assert re.search(r"│ ranker +│ 0\.\d{3} │", done.stdout)


IN_HERE: dict[str, Callable[[pytest.FixtureRequest], object]] = {"demo": demo, "evaluate": evaluate}


def as_somebody(command: str, request: pytest.FixtureRequest) -> None:
    """A token, and curl with it, of an API at another port."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    reader, api = request.getfixturevalue("reader"), request.getfixturevalue("api")
    done = reader.types(command.replace("http://127.0.0.1:8000", str(api.client.base_url).rstrip("/")))
    assert done.returncode == 0, done.stderr
    assert 0 < done.stdout.count('"p_match_percent"') <= 5


def python(command: str, request: pytest.FixtureRequest) -> None:
    done = request.getfixturevalue("reader").types(command)
    assert re.fullmatch(r"[0-9a-f]{64}\n", done.stdout), done.stderr


def uvicorn(command: str, request: pytest.FixtureRequest) -> None:
    """The API as it is run, at another port, until it is ready."""
    reader: Reader = request.getfixturevalue("reader")
    port = _free_port()
    words = shlex.split(command.replace("8000", str(port)))
    environment = reader.place.environment | {
        "MATCHING_ENV": "production",
        "MATCHING_JWKS_URL": "https://sign-in.example/keys",
        "MATCHING_CURSOR_SECRET": os.urandom(32).hex(),
    }
    process = subprocess.Popen([sys.executable, "-m", *words], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        _await(f"http://127.0.0.1:{port}/readyz", process, str)
    finally:
        process.terminate()
        log = process.communicate(timeout=20)[0]
    assert "Application shutdown complete." in log


def parsed(command: str, request: pytest.FixtureRequest) -> None:
    """A server: its own reader of the command line takes every option, of the version that is installed."""
    called, (module, name) = next(each for each in PARSERS.items() if command.startswith(each[0] + " "))
    reads: click.Command = getattr(import_module(module), name)
    reads.make_context(called, shlex.split(command.removeprefix(called)))


PARSERS = {
    "dagster-webserver": ("dagster_webserver.cli", "dagster_webserver"),
    "dagster-daemon run": ("dagster._daemon.cli", "run_command"),
    "mlflow server": ("mlflow.cli", "server"),
    "dask scheduler": ("distributed.cli.dask_scheduler", "main"),
    "dask worker": ("distributed.cli.dask_worker", "main"),
}
TRIED: dict[str, Callable[[str, pytest.FixtureRequest], None]] = {
    "make": made,
    "matching": asked,
    "TOKEN": as_somebody,
    "python": python,
    "uvicorn": uvicorn,
    **dict.fromkeys((called.split()[0] for called in PARSERS), parsed),
}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _await(url: str, process: "subprocess.Popen[str] | subprocess.Popen[bytes]", log: Callable[[], str]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        assert process.poll() is None, log()
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline, log()
        time.sleep(0.2)
