"""The demo: a simulated population, the whole pipeline, and one user's matches from the real API."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from models.db.errors import MatchingError
from models.db.publications import get_live_publication
from models.db.settings import Settings
from models.db.tokens import issue_token
from pipelines.commands.run_pipeline import run_job, summarise_run
from pipelines.definitions import NIGHTLY_JOB
from pipelines.loaders.simulation import simulated_loader
from pipelines.processes.ports import find_free

PEOPLE, SEED = 2000, 1
MATCHES_SHOWN = 5
SECONDS_TO_START = 30
SELECT_PERSON = """
SELECT profile.id::text, profile.display_name FROM matching.matches AS match
JOIN app.profiles AS profile ON profile.id = match.viewer_id
WHERE match.state = 'live' AND match.rank = :shown ORDER BY profile.source_key LIMIT 1
"""
NEXT_STEPS = """
Next:
  make serve   the API, with its documentation at http://127.0.0.1:8000/docs
  make ui      Dagster at http://127.0.0.1:3000 and MLflow at http://127.0.0.1:5000
  make stop    stop the embedded database
"""


def show_demo(engine: Engine, settings: Settings, console: Console) -> None:
    """Load the population, run the pipeline unless it is already published, and print one user's matches."""
    report = simulated_loader.load_simulated(engine, PEOPLE, SEED, settings.home)
    changed = report.profiles_added + report.profiles_changed + report.interactions_added + report.interactions_changed
    changed += sum(added + altered for added, altered, _ in report.conversations.values())
    with engine.connect() as connection:
        published = get_live_publication(connection)
    if published is None or changed:
        console.print(f"A simulated population of {PEOPLE:,} people. Running the pipeline:")
        run_job(settings, NIGHTLY_JOB)
        console.print(summarise_run(settings, engine, published))
    else:
        console.print(f"The population is unchanged: using publication {published.id}.")
    with engine.connect() as connection:
        profile_id, name = connection.execute(text(SELECT_PERSON), {"shown": MATCHES_SHOWN}).one()
    with _serve_api() as address:
        bearer = {"Authorization": f"Bearer {issue_token(settings, UUID(profile_id), timedelta(minutes=5))}"}
        answer = httpx2.get(f"{address}/v1/me/matches", params={"limit": MATCHES_SHOWN}, headers=bearer, timeout=30)
    answer.raise_for_status()
    console.print(_build_table(name, answer.json()))
    console.print(NEXT_STEPS, highlight=False, soft_wrap=True)


@contextmanager
def _serve_api() -> Iterator[str]:
    """Yield the address of the API on a free port, and stop it at the end of the block."""
    port = find_free()
    command = [sys.executable, "-m", "uvicorn", "serving.app:create_app", "--factory", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - its log would clutter the demo
    try:
        address = f"http://127.0.0.1:{port}"
        _await_api(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()


def _await_api(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{address}/readyz").is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise MatchingError(f"the API was not ready within {SECONDS_TO_START} seconds; run `make serve` to see why")


def _build_table(name: str, body: dict[str, Any]) -> Table:
    table = Table("", "name", "age", "chance", "why", title=f"\nMatches of {name}, GET /v1/me/matches")
    for match in body["matches"]:
        who = match["candidate"]
        why = " ".join(reason["sentence"] for reason in match["reasons"])
        table.add_row(str(match["rank"]), who["name"], str(who["age"]), f"{match['p_match_percent']} %", why)
    return table
