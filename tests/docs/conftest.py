"""A reader of the pages: a folder with the commands in it, and a population made by the commands of the README."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from models.db.settings import get_settings
from tests.pipelines.conftest import Databases, Place, databases
from tests.serving.conftest import SECRET, Api, serving
from tests.support.commands import run_command

__all__ = ["databases"]

PEOPLE = 100
# What the pages say of the demo's population is tried in a smaller one.
SMALLER = {
    "--people 2000": f"--people {PEOPLE}",
    "simulated:1-2000:": f"simulated:1-{PEOPLE}:",
    "WHO": f"simulated:1-{PEOPLE}:9",
    "--days 14 --people 1000 --joiners 20": "--days 2 --people 60 --joiners 5",
    "--days 7": "--days 2 --people 60 --joiners 5",
}
FIRST = ("matching load simulated --people 2000 --seed 1", "matching run")


@dataclass
class Reader:
    """Types what the pages say, each command once."""

    folder: Path
    place: Place
    typed: dict[str, "subprocess.CompletedProcess[str]"] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def types(self, command: str) -> "subprocess.CompletedProcess[str]":
        """What the command printed, now or before."""
        if command not in self.typed:
            smaller = command
            for said, instead in SMALLER.items():
                smaller = smaller.replace(said, instead)
            self.typed[command] = (self._here if command.startswith("matching ") else self._in_a_shell)(smaller)
        return self.typed[command]

    def _here(self, command: str) -> "subprocess.CompletedProcess[str]":
        with self.at_home() as patch:
            patch.chdir(self.folder)
            return run_command(os.environ, *shlex.split(command)[1:])

    def _in_a_shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = self.place.environment | {"PATH": path, "MATCHING_JWT_SECRET": SECRET}
        words = ["bash", "-euo", "pipefail", "-c", command]
        return subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    @contextmanager
    def at_home(self) -> Iterator[pytest.MonkeyPatch]:
        """This process with the settings of the reader's home."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("MATCHING_HOME", "DATABASE_URL"):
                patch.setenv(name, self.place.environment[name])
            get_settings.cache_clear()
            yield patch
        get_settings.cache_clear()


@pytest.fixture(scope="session")
def reader(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """In a small population, loaded and run as the README says."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".venv").symlink_to(sys.prefix)
    with databases() as url:
        reader = Reader(folder, Place(folder / ".data", url))
        for command in FIRST:
            done = reader.types(command)
            assert done.returncode == 0, done.stdout + done.stderr
        ((one, other),) = reader.place.ask("SELECT min(source_key), max(source_key) FROM app.profiles")
        (folder / "PAIRS.csv").write_text(f"viewer,candidate\n{one},{other}\n{other},{one}\n")
        yield reader


@contextmanager
def copied(reader: Reader, databases: Databases) -> Iterator[Reader]:
    """A reader in a copy, for what changes it; nothing may stay connected to the original."""
    with databases(like=reader.place.database_url) as url, TemporaryDirectory() as folder:
        shutil.copytree(reader.folder, folder, dirs_exist_ok=True, symlinks=True)
        yield Reader(Path(folder), Place(Path(folder) / ".data", url))


@pytest.fixture(scope="session")
def api(reader: Reader, databases: Databases) -> Iterator[Api]:
    """The API where likes are secret, and each viewer has a conversation with the first on their list."""
    with copied(reader, databases) as copy:
        copy.place.tell(CONVERSATIONS)
        with serving(copy.place.database_url, copy.folder / "api.log") as api:
            yield api


CONVERSATIONS = """
INSERT INTO app.conversations (person_a, person_b)
SELECT least(candidate_ids[1], viewer_id), greatest(candidate_ids[1], viewer_id)
FROM matching.match_lists WHERE candidate_ids <> '{}'
"""
LIKES = """
INSERT INTO app.interactions (actor_id, target_id, kind)
SELECT candidate_ids[1], viewer_id, 'like' FROM matching.match_lists WHERE candidate_ids <> '{}'
"""


@pytest.fixture(scope="session")
def telling(reader: Reader, databases: Databases) -> Iterator[Api]:
    """The API where likes are told, and the first on each list likes its viewer.

    The likes arrived after the publication, which does not say that it was made in secret.
    """
    with copied(reader, databases) as copy:
        copy.place.tell("UPDATE matching.publications SET metrics = metrics - 'likes'", LIKES, CONVERSATIONS)
        with serving(copy.place.database_url, copy.folder / "telling.log", MATCHING_LIKES="told") as api:
            yield api
