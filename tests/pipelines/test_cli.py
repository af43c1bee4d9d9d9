"""The command `matching` as a process: what it says, and that what is the user's to mend is one line and status 2."""

import asyncio
import csv
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import jwt
import psycopg
import pytest
from sqlalchemy import make_url

from models.db.settings import Settings
from serving.access.auth import make_verifier
from tests.pipelines.conftest import Databases, Place

COMMANDS = (
    *("load", "run", "score", "evaluate", "compare-policies", "publications", "rollback", "erase", "token", "migrate"),
    *("demo", "ui", "serve", "notebooks", "example", "stop"),
    *("load simulated", "load speed-dating", "load okcupid"),
)
NOBODY = "speed-dating:no such person"
MATCHING = Path(sys.executable).with_name("matching")


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The command ended with one line that says these things, after what a run said of its steps."""
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith(("▸", "  ")))
    assert line.startswith("matching: ")
    for part in parts:
        assert part in line
    assert done.stdout == ""


def as_installed(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command as the user's shell starts it."""
    environment = os.environ | variables
    return subprocess.run([MATCHING, *words], env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_help_lists_every_command_and_ends_its_sentences() -> None:
    done = as_installed("--help")
    listed = done.stdout.partition("Commands:")[2].splitlines()
    names = [line.split()[0] for line in listed if line.strip()]
    assert set(names) == {command for command in COMMANDS if " " not in command}
    assert all(line.rstrip().endswith(".") and "..." not in line for line in listed if line.strip())


@pytest.mark.parametrize("command", ["load", "load speed-dating", "run", "score", "token", "erase"])
def test_every_command_explains_itself(command: str) -> None:
    done = as_installed(*command.split(), "--help")
    assert done.returncode == 0
    usage, purpose = done.stdout.strip().split("\n\n")[:2]
    assert usage.startswith(f"Usage: matching {command}")
    assert purpose.strip().endswith(".")


def test_help_needs_none_of_the_learning_stack() -> None:
    """Torch alone would take seconds."""
    code = (
        "import sys; from pipelines import cli; "
        "print(sorted({'torch', 'mlflow', 'dagster', 'pandas', 'lightgbm', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load", "speed-dating", "nowhere.csv"], ["nowhere.csv cannot be read: No such file"]),
        (["load", "okcupid", "nowhere.zip"], ["nowhere.zip cannot be read: No such file"]),
        (["load", "simulated", "--people", "-1"], ["a town of -1 people cannot be simulated"]),
        (["erase", NOBODY], [f"nobody has the profile id or source key '{NOBODY}'", "app.profiles"]),
        (["token", NOBODY], [f"nobody has the profile id or source key '{NOBODY}'"]),
        (["rollback"], ["nothing has been published yet"]),
        (["run"], ["0 usable of 0 profiles in app.profiles", "`matching load`"]),
    ],
)
def test_what_the_user_can_mend_is_one_line(place: Place, words: list[str], said: list[str]) -> None:
    refused(place.command(*words), *said)


def test_a_file_without_a_column_or_of_another_kind_is_named(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("iid,gender\n1,0\n")
    refused(place.command("load", "speed-dating", file), str(file), "it has no column wave, pid")
    file.write_bytes(bytes(range(256)))
    refused(place.command("load", "okcupid", file), str(file))
    refused(place.command("score", file, tmp_path / "out.csv"), str(file))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not a url", "DATABASE_URL cannot be read"),
        ("mysql://me@here/db", "DATABASE_URL names mysql"),
        ("postgresql://me@127.0.0.1:1/db", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("command", ["publications", "migrate"])
def test_a_database_that_is_not_there_is_told_soon(tmp_path: Path, command: str, url: str, said: str) -> None:
    started = time.monotonic()
    done = Place(tmp_path, url).command(command)
    refused(done, said)
    assert time.monotonic() - started < 15
    assert "me:" not in done.stderr


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    done = Place(tmp_path, "postgresql://me:sesame@127.0.0.1:1/db").command("publications")
    refused(done, "127.0.0.1")
    assert "sesame" not in done.stderr


def test_a_database_without_tables_is_told_what_brings_them(server: psycopg.Connection, place: Place) -> None:
    name = f"bare_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    try:
        url = make_url(place.database_url).set(database=name).render_as_string(hide_password=False)
        bare = Place(place.home, url)
        refused(bare.command("publications"), "`matching migrate`")
        assert bare.command("migrate").returncode == 0
        assert "no publication yet" in bare.command("publications").stdout
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_home_that_cannot_be_used_is_named(place: Place, tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    refused(place.command("run", MATCHING_HOME=str(home)), str(home))
    refused(place.command("load", "simulated", "--people", "2", MATCHING_HOME=str(home)), str(home))
    refused(as_installed("publications", MATCHING_HOME=str(home)), str(home), "MATCHING_HOME")


def test_a_token_is_one_that_the_api_believes_for_as_long_as_asked(settled: Place) -> None:
    ((person, key),) = settled.ask("SELECT id, source_key FROM app.profiles LIMIT 1")
    secret = "a secret of this test, long enough for HS256"
    done = settled.command("token", key, "--hours", "2", MATCHING_JWT_SECRET=secret)
    token = done.stdout.strip()
    assert asyncio.run(make_verifier(Settings(jwt_secret=secret)).verify_token(token)) == person
    lasts = jwt.decode(token, options={"verify_signature": False})
    assert lasts["exp"] - lasts["iat"] == 7200
    by_id = settled.command("token", person).stdout.strip()
    assert asyncio.run(make_verifier(settled.settings).verify_token(by_id)) == person


def test_publications_are_listed_newest_first_and_rolled_back_by_one(settled: Place, databases: Databases) -> None:
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
        refused(place.command("rollback"), "no publication before the live one, 1,")


def test_pairs_are_scored_by_id_and_by_key_in_the_order_asked(settled: Place, tmp_path: Path) -> None:
    people = settled.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id LIMIT 3")
    (a, key_a), (b, key_b), (c, _) = people
    pairs, out = tmp_path / "pairs.csv", tmp_path / "scores.csv"
    asked = [(c, a), (key_a, b), (b, key_a), (a, key_b)]
    pairs.write_text("viewer,candidate,note\n" + "".join(f"{v},{w},x\n" for v, w in asked))
    done = settled.command("score", pairs, out)
    assert done.returncode == 0, done.stderr
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["viewer"], row["candidate"]) for row in rows] == asked
    assert list(rows[0]) == ["viewer", "candidate", "p_like", "p_liked_back", "p_match"]
    there, back, again = ({name: row[name] for name in ("p_like", "p_liked_back", "p_match")} for row in rows[1:])
    assert again == there
    assert (back["p_like"], back["p_liked_back"], back["p_match"]) == (
        there["p_liked_back"], there["p_like"], there["p_match"],
    )  # fmt: skip


def test_scoring_refuses_strangers(settled: Place, tmp_path: Path) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "out.csv"
    ((person,),) = settled.ask("SELECT min(id::text) FROM app.profiles")
    pairs.write_text(f"viewer,candidate\n{person},{NOBODY}\n")
    refused(settled.command("score", pairs, out), f"1 of the people cannot be scored, the first '{NOBODY}'")
    assert not out.exists()


def test_scoring_before_any_run_says_so(place: Place, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("viewer,candidate\n")
    refused(place.command("score", pairs, tmp_path / "out.csv"), "there is no ranker yet", "`matching run`")


def test_evaluating_before_any_run_says_so(place: Place, tmp_path: Path) -> None:
    refused(place.command("evaluate", MATCHING_HOME=str(tmp_path)), "has not been materialized yet", "`matching run`")


def test_a_frame_that_cannot_be_written_is_named(place: Place) -> None:
    place.command("load", "simulated", "--people", "10")
    (place.home / "store" / "profiles.parquet").mkdir(parents=True)
    refused(place.command("run"), "profiles.parquet cannot be written: ", "directory", "MATCHING_STORE_URL")
