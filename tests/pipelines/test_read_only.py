"""The pipeline where the package, HOME or both are read-only: caches go elsewhere, or libraries do without."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from models.db.schema.migrations import ROOT

NOBODY = "65534"
# Permissions do not bind root, so its tests run as nobody, with the right to read what only root may if that exists.
AS_NOBODY = ("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups")
READING_ALL = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
WHERE_COMPILED = "from models.ml.kernels import similarity; print(similarity._compute_half_precision.stats.cache_path)"
# What every entry point does: the embedded database, a job in Dagster, the encoder, MLflow, a picture, a compiled loop.
EVERYTHING = """
import dagster as dg
import numpy as np
from models.db import embedded
from models.db.settings import get_settings
from models.ml.kernels import similarity
from pipelines.commands.groups.ready_database import open_ready_database
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, build_registry
from pipelines.loaders.simulation import simulated_loader
from pipelines.reports.plot_style import make_axes
from pipelines.reports.plots import draw_figure

here = get_settings()
try:
    with open_ready_database() as engine:
        simulated_loader.load_simulated(engine, 8, 1, here.home)
        names = ("profiles", "rejected_profiles", "profile_embeddings")
        run_job(here, NIGHTLY_JOB, [dg.AssetKey(name) for name in names])
    with build_registry(here).track_training("trial", {}):
        build_registry(here).log_png("trial", draw_figure(make_axes("title", "x", "y")[0]))
    similarity._has_nonzero(np.ones(3, np.float32))
finally:
    embedded.stop(here.home)
"""


@dataclass(frozen=True)
class Installation:
    """A copy of the package, a HOME and a MATCHING_HOME, used by a user whom permissions bind."""

    package: Path
    user: Path
    home: Path

    def lock(self, *folders: str) -> None:
        for folder in folders:
            subprocess.run(["chmod", "-R", "a-w", getattr(self, folder)], check=True)

    def python(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.package),
            "HOME": str(self.user),
            "MATCHING_HOME": str(self.home),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [*as_nobody(), sys.executable, "-c", script],
            check=False,
            cwd=self.user,
            env=environment | variables,
            capture_output=True,
            text=True,
        )


def as_nobody() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    allowed = subprocess.run([*AS_NOBODY, *READING_ALL, "true"], check=False, capture_output=True).returncode == 0
    return AS_NOBODY + READING_ALL * allowed


@pytest.fixture
def installation() -> Iterator[Installation]:
    # Not pytest's tmp_path, which other users cannot enter.
    with TemporaryDirectory() as folder:
        base = Path(folder)
        base.chmod(0o755)
        for name in ("models", "pipelines", "serving", "migrations"):
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / name, base / "package" / name, ignore=ignored)
        shutil.copy(ROOT / "workspace.yaml", base / "package")
        made = Installation(base / "package", base / "user", base / "home")
        made.user.mkdir()
        made.home.mkdir()
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", base], check=True)
        yield made
        subprocess.run(["chmod", "-R", "u+w", base], check=True)


def test_compiled_code_is_kept_in_the_first_writable_folder(installation: Installation) -> None:
    """The environment may name folders that cannot be written, or a HOME that does not exist."""
    beside = "package/models/ml/kernels/__pycache__"
    named = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "MPLCONFIGDIR"), str(installation.package))
    for locked, variables, expected in (
        ((), {}, beside),
        (("package",), {}, "user/.cache/numba"),
        (("user",), named | {"HOME": "/nonexistent"}, "home/caches"),
        (("home",), {}, "None"),
    ):
        installation.lock(*locked)
        done = installation.python(WHERE_COMPILED, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.removeprefix(f"{installation.home.parent}/").startswith(expected)


def test_everything_runs_where_only_its_home_can_be_written(installation: Installation) -> None:
    installation.lock("package", "user")
    done = installation.python(EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "not a writable directory" not in done.stderr  # matplotlib, of a cache that ends with the process
    assert any((installation.home / "caches").rglob("*.nbc"))
    assert list(installation.user.iterdir()) == []
