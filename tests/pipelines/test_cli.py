"""The command `matching`: what the user can fix is one line and status 2."""

import asyncio
import os
import re
import subprocess
import sys
import uuid
from importlib.metadata import version
from pathlib import Path

import jwt
import psycopg
import pytest
from sqlalchemy import make_url

from models.db.settings import Settings
from pipelines.store.run_lock import try_run_lock
from serving.access.auth import make_verifier
from tests.pipelines.conftest import Databases, Place
from tests.support.commands import run_command

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "speed-dating:no such person"
MATCHING = Path(sys.executable).with_name("matching")


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The command ended with one line that holds these parts, after what a run reports of its steps."""
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith(("▸", "  ")))
    assert line.startswith("matching: ")
    for part in parts:
        assert part in line
    assert done.stdout == ""


def test_the_command_starts_without_the_learning_stack() -> None:
    """Torch alone would take seconds."""
    code = (
        "import sys; from pipelines import cli; "
        "print(sorted({'torch', 'mlflow', 'dagster', 'pandas', 'lightgbm', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load", "speed-dating", "nowhere.csv"], "nowhere.csv"),
        (["load", "okcupid", "nowhere.zip"], "nowhere.zip"),
        (["load", "simulated", "--people", "-1"], "-1 people"),
        (["erase", NOBODY], NOBODY),
        (["token", NOBODY], NOBODY),
        (["rollback"], "published"),
        (["run"], "0 usable of 0 profiles"),
        (["evaluate"], "has not been materialized yet"),
    ],
)
def test_what_the_user_can_fix_is_one_line(place: Place, words: list[str], said: str) -> None:
    refused(place.command(*words), said)


@pytest.mark.parametrize(
    ("command", "url", "said"),
    [
        ("publications", "not a url", "DATABASE_URL"),
        ("publications", "mysql://me:sesame@here/db", "mysql"),
        ("migrate", "postgresql://me:sesame@127.0.0.1:1/db", "127.0.0.1"),
    ],
)
def test_a_missing_database_is_named_without_its_password(tmp_path: Path, command: str, url: str, said: str) -> None:
    done = Place(tmp_path, url).command(command)
    refused(done, said)
    assert "sesame" not in done.stderr


def test_a_database_without_tables_is_migrated(server: psycopg.Connection, place: Place) -> None:
    name = f"bare_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    try:
        url = make_url(place.database_url).set(database=name).render_as_string(hide_password=False)
        bare = Place(place.home, url)
        refused(bare.command("publications"), "`matching migrate`")
        assert bare.command("migrate").returncode == 0
        assert bare.command("publications").returncode == 0
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_home_that_is_no_folder_is_named(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    refused(place.command("run", MATCHING_HOME=str(home)), str(home))
    refused(place.command("status", MATCHING_HOME=str(home)), str(home))
    environment = os.environ | {"MATCHING_HOME": str(home)}
    command = [str(MATCHING), "publications"]  # as installed
    refused(subprocess.run(command, env=environment, capture_output=True, text=True, check=False), str(home))


def test_a_token_is_accepted_for_as_long_as_asked(settled: Place) -> None:
    ((person, key),) = settled.ask("SELECT id, source_key FROM app.profiles LIMIT 1")
    secret = "a secret of this test, long enough for HS256"
    token = settled.command("token", key, "--hours", "2", MATCHING_JWT_SECRET=secret).stdout.strip()
    assert asyncio.run(make_verifier(Settings(jwt_secret=secret)).verify_token(token)) == person
    lasts = jwt.decode(token, options={"verify_signature": False})
    assert lasts["exp"] - lasts["iat"] == 7200


def test_publications_are_listed_newest_first(settled: Place, databases: Databases) -> None:
    with databases(like=settled.database_url) as url:
        place = Place(settled.home, url)
        place.tell(
            "INSERT INTO matching.publications (state, ranker_version, encoder, viewer_count, pair_count)"
            " VALUES ('failed', '7', 'letters', 0, 0)"
        )
        listed = place.command("publications").stdout.splitlines()
        assert [line.split()[:3] for line in listed[1:]] == [["2", "failed", "7"], ["1", "live", "1"]]
        ((viewers, pairs),) = place.ask("SELECT viewer_count, pair_count FROM matching.publications WHERE id = 1")
        assert listed[2].split()[3:5] == [f"{viewers:,}", f"{pairs:,}"]
        refused(place.command("rollback"), "before the live one, 1,")


def test_a_frame_that_cannot_be_written_is_named(place: Place) -> None:
    place.command("load", "simulated", "--people", "10")
    (place.home / "store" / "profiles.parquet").mkdir(parents=True)
    refused(place.command("run"), "profiles.parquet cannot be written")


def read_status(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What the command says of each part, without a control code."""
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    return {line[:13].strip(): line[13:] for line in done.stdout.splitlines()}


def test_the_status_of_an_empty_home_creates_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    said = read_status(run_command(environment | {"MATCHING_HOME": str(home)}, "status"))
    assert said == {
        "home": str(home),
        "database": "none yet; `matching load` makes one",
        "publication": "none yet; `matching run` makes one",
        "champion": "none yet; the first run trains one",
        "last run": "none yet; `matching run` starts one",
        "due": "people: `matching load` loads them",
    }
    assert not home.exists()


def test_the_status_of_a_settled_place(settled: Place) -> None:
    said = read_status(settled.command("status"))
    ((people, interactions, viewers),) = settled.ask(
        "SELECT (SELECT count(*) FROM app.profiles), (SELECT count(*) FROM app.interactions), viewer_count"
        " FROM matching.publications"
    )
    assert said["database"] == f"DATABASE_URL: {people} people, {interactions} likes and passes"
    assert said["publication"].startswith("1, live since ")
    assert said["publication"].rpartition("): ")[2].startswith(f"{viewers} lists, ")
    assert re.fullmatch(rf"version 1, trained .* on {people} people, {interactions} likes and passes", said["champion"])
    assert said["last run"].startswith("succeeded ")
    assert said["due"].startswith("nothing; the champion, version 1, is good enough")
    with try_run_lock(settled.engine):
        busy = read_status(settled.command("status"))
    assert busy["last run"].endswith("; another run or an erasure is in progress")
    assert "postgres" not in "".join(said.values())


def test_the_status_without_an_answer_of_the_database(settled: Place) -> None:
    url = "postgresql://me:sesame@127.0.0.1:1/db"
    done = settled.command("status", DATABASE_URL=url)
    said = read_status(done)
    assert said["database"].startswith("cannot be read: the database db at 127.0.0.1, port 1, failed")
    assert said["publication"] == said["due"] == "unknown without the database"
    assert said["champion"].startswith("version 1, trained ")
    assert "sesame" not in done.stdout


def test_the_help_begins_with_loading_and_fits() -> None:
    shown = subprocess.run([str(MATCHING), "--help"], capture_output=True, text=True, check=True).stdout
    assert shown.partition("Commands:\n")[2].split()[0] == "load"
    targets = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert max(map(len, targets.splitlines())) <= 80
    asked = subprocess.run([str(MATCHING), "--version"], capture_output=True, text=True, check=True).stdout
    assert asked == f"matching {version('delete-matching')}\n"
