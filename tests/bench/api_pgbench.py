"""pgbench of the statement that the API runs, as the role and with the session settings that it runs it with."""

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from models.db.embedded.server import _find_programs
from models.db.engines import convert_to_libpq_url
from serving.queries.cards import TEMPLATES
from serving.queries.read_pool import SESSION
from serving.queries.viewer_matches import PAGE
from tests.bench.api_load import CONNECTIONS
from tests.bench.api_town import PAUSED_ONE_IN

THREADS = 2


def per_second(url: str, people: int, seconds: float) -> float:
    """How often a second 16 connections get the first 20 matches of random viewers, from prepared statements."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "matches.sql"
        path.write_text(_script(people))
        command = [str(_find_programs() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={path}"]
        size = [f"--client={CONNECTIONS}", f"--jobs={THREADS}", f"--time={round(seconds)}"]
        variables = [f"--define=sentences={TEMPLATES}", "--define=shown={}"]
        report = subprocess.run(
            [*command, *size, *variables, convert_to_libpq_url(url)],
            env=os.environ | {"PGOPTIONS": options()},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return float(report.partition("tps = ")[2].split()[0])


def options() -> str:
    """The API's session settings as PGOPTIONS."""
    settings = re.findall(r"SET (\w+)(?: =)? '?([^';\n]+)'?", SESSION)
    return " ".join(f"-c {name.lower()}={value}" for name, value in settings)


def _script(people: int) -> str:
    parameters = {"viewer_id": "md5(:number)::uuid", "limit": "20", "room": "20", "begun": "NULL"}
    statement = PAGE
    for name, value in (parameters | {"shown": ":shown", "sentences": ":sentences"}).items():
        statement = statement.replace(f"%({name})s", value)
    # Nobody who is paused, as in the load on the API.
    of_those = f"{PAUSED_ONE_IN} * random(0, {people // PAUSED_ONE_IN - 1}) + random(2, {PAUSED_ONE_IN})"
    return f"\\set number {of_those}\n{statement.strip()};\n"
