"""What the tests of the notebooks share: two small populations that were run, and one kernel."""

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from pipelines.loaders.speed_dating import speed_dating
from tests.pipelines.conftest import Databases, Place, RunOnce, databases, empty_home, run_once

__all__ = ["databases", "empty_home", "run_once"]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PUBLIC_FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "speed_dating.csv"
WAVES = range(1, 6)
# Every notebook begins in its own home, with no name defined; imports stay loaded.
HOME = """
import os
from models.db.settings import get_settings
os.environ |= {environment}
get_settings.cache_clear()
"""
Run = Callable[[str, Place], NotebookNode]


def read_notebook(name: str) -> NotebookNode:
    """The notebook as it is in git."""
    path = NOTEBOOKS / f"{name}.ipynb"
    notebook: NotebookNode = nbformat.read(path, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    return notebook


@pytest.fixture(scope="session")
def simulated(run_once: RunOnce) -> Iterator[Place]:
    with run_once(200, 4) as place:
        yield place


@pytest.fixture(scope="session")
def speed_dated(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The first five evenings of the public speed-dating file."""
    if not PUBLIC_FILE.exists():
        pytest.skip("needs the public file ../shared/data/speed_dating.csv")
    folder = tmp_path_factory.mktemp("evenings")
    with PUBLIC_FILE.open(encoding="mac_roman", newline="") as file:
        rows = list(csv.reader(file))
    wave = rows[0].index("wave")
    with (folder / "waves.csv").open("w", encoding="mac_roman", newline="") as some:
        csv.writer(some).writerows(row for row in rows if row is rows[0] or int(row[wave]) in WAVES)
    with databases() as url:
        place = Place(shutil.copytree(empty_home, folder / "home"), url)
        speed_dating.load_speed_dating(place.engine, folder / "waves.csv")
        place.run()
        yield place


@pytest.fixture(scope="session")
def kernel() -> Iterator[KernelManager]:
    """One Python for all notebooks: to start one and import the libraries takes longer than most of them."""
    # A short path: it becomes that of sockets.
    with TemporaryDirectory() as folder:
        manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=f"{folder}/kernel.json")
        manager.start_kernel(env=os.environ | {"IPYTHONDIR": folder}, cwd=str(NOTEBOOKS))
        yield manager
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="session")
def run(kernel: KernelManager) -> Run:
    """Runs a notebook top to bottom in a place's home, once; raises what a cell raised."""

    @cache
    def execute(name: str, place: Place) -> NotebookNode:
        notebook = read_notebook(name)
        home = HOME.format(environment={"MATCHING_HOME": str(place.home), "DATABASE_URL": place.database_url})
        first = new_code_cell(f"%reset -f\nexec({home!r}, {{}})")  # type: ignore[no-untyped-call]
        notebook.cells.insert(0, first)
        client = NotebookClient(notebook, km=kernel, timeout=900)
        # Not client.execute(), which leaves a handler behind for the end of the process.
        with client.setup_kernel():
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        if client.kc is not None:
            client.kc.stop_channels()
        return notebook

    return execute
